"""What was taken before doors became stricter is read, decided on and published as before."""

from typing import Any

import orjson
import pytest

from schemas.envelope import Envelope
from schemas.points import PostTransaction, ProgrammeApplied, ProgrammeView
from schemas.programme import Programme
from schemas.text import STORED
from schemas.vouchers import BookVoucherDue, VoucherDefinition, VoucherState
from services.points.decider import DECIDER
from services.points.streams import programme_stream
from shared.errors import Poison
from shared.ids import new_id
from shared.runtime.decode import Incoming, Undecodable
from shared.runtime.signing import signed
from tests.unit.points.world import ACCOUNT, NUMBER, STORE, T0, does
from tests.unit.points.world import given as points_given
from tests.unit.test_decode import DECODE, SECRET, Stub
from tests.unit.voucher.commands import bought, executing, reversing, used
from tests.unit.voucher.events import put
from tests.unit.voucher.world import DAY, TRANSACTION, given

ODD = " LOY/22\u200b"
"""As it was taken once, and is no more."""

OUT_OF_DATE = VoucherDefinition.model_validate(
    {"code": ODD, "titles": {"en": "a\x1b[2J"}, "defaultLanguage": "en", "programme": "LOY", "validity": {"days": 40}},
    context=STORED,
)


def decoded(source: str, type_: str, body: dict[str, Any]) -> Any:
    value, envelope = orjson.dumps(body), Envelope(id=new_id(), type=type_, source=source, subject=ACCOUNT)
    headers: list[Any] = signed(SECRET, envelope, value).headers()
    return DECODE(Stub(value, headers))  # type: ignore[arg-type]


@pytest.mark.parametrize("source", ["/points", "/points/sweep", "/points/reactions", "/customer", "/voucher", "/edge"])
def test_our_own_commands_carry_them(source: str) -> None:
    found = decoded(source, "points.know_number.v1", {"accountNumber": ODD})
    assert isinstance(found, Incoming)
    assert found.command.payload.account_number == ODD


def test_commands_of_others_do_not() -> None:
    found = decoded("/shop", "points.know_number.v1", {"accountNumber": ODD})
    assert isinstance(found, Undecodable)
    assert isinstance(found.error, Poison)
    assert found.error.reason == "bad_payload"
    assert "/accountNumber" in str(found.error)


def test_a_programme_is_loaded_published_and_booked_in() -> None:
    rules = {"id": ODD, "descriptions": {"en": "a\x00b"}, "purchases": [{"voucherId": ODD, "price": 5}]}
    declared = Programme.model_validate(rules, context=STORED)
    stream = programme_stream(STORE, ODD)
    event = ProgrammeApplied(programme=declared, version=1, booked_at=T0)
    assert DECIDER.load_event(DECIDER.dump_event(event)) == event
    state = DECIDER.evolve(DECIDER.initial(stream), event)
    assert DECIDER.load_state(stream, DECIDER.dump_state(state)) == state
    view = DECIDER.views(state)
    assert view is not None
    assert ProgrammeView.model_validate(view.value, context=STORED).programme == declared
    body = {"accountNumber": NUMBER, "loyaltyPrograms": [does(ODD, loads=[10])]}
    posted = points_given(event).when(PostTransaction.model_validate(body, context=STORED))
    assert [event.type for _, event in posted.accepted.events] == ["points.account_opened.v1", "points.loaded.v1"]


def test_a_voucher_is_sold_redeemed_reversed_and_expired() -> None:
    sold = given(put(OUT_OF_DATE)).when(executing(bought(ODD, ODD))).booked("issued", "transaction_executed")
    redeemed = sold.when(executing(used(ODD), transaction="T2")).booked("redeemed", "transaction_executed")
    undone = redeemed.when(reversing((ODD,), transaction="T2")).booked("restored", "reversal_executed")
    due = BookVoucherDue.model_validate({"serialId": ODD}, context=STORED)
    undone.when(due, now=T0 + 400 * DAY).booked("expired").is_(ODD, VoucherState.EXPIRED)
    sold.when(reversing((), (ODD,), transaction=TRANSACTION)).booked("voided", "reversal_executed")
