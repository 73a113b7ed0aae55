"""`oms.fulfilments` as commands: the document's own example, and what can never work (DESIGN 3, P3, P6)."""

from pathlib import Path

import orjson
import pytest

from schemas.envelope import Envelope
from schemas.points import PostTransaction
from services.points.reactions import react
from shared.errors import Poison
from shared.ids import account_id, input_command_id
from shared.reactions import ReactionContext
from tests.unit.points.world import LOY, T0, given, lot

EXAMPLE = Path(__file__, "../../../data/oms_fulfilment.json").resolve().read_bytes()
CONTEXT = ReactionContext("main", b"secret")
ENVELOPE = Envelope(id="f-1", type="loyalty.transaction.v1", source="/oms", subject="6299")


def test_the_documents_example_becomes_a_transaction() -> None:
    [command] = react(ENVELOPE, EXAMPLE, CONTEXT)
    assert command.id == input_command_id("/oms", "f-1")
    assert (command.type, command.store) == ("points.post_transaction.v1", "main")
    assert command.subject == account_id("main", "6299")
    assert (command.correlation_id, command.causation_id) == (command.id, "f-1")
    assert orjson.loads(command.value) == {
        "accountNumber": "6299",
        "loyaltyPrograms": [{"loyaltyPointDefinitionId": "LOY22-BuyVouchers", "loads": [{"value": 1000}]}],
        "context": {"shopId": "Webshop", "comment": "Order 12345 fulfilled"},
    }
    assert PostTransaction.model_validate_json(command.value).loyalty_programs[0].loads[0].value == 1000


def test_the_command_is_one_that_the_service_takes() -> None:
    raw = EXAMPLE.replace(b"LOY22-BuyVouchers", b"LOY")
    [command] = react(ENVELOPE, raw, CONTEXT)
    when = given(LOY).when(PostTransaction.model_validate_json(command.value), command_id=command.id)
    assert when.balances() == {"LOY": 1000}
    assert when.account.balances["LOY"].lots[0].amount == lot(1, 1000).amount
    assert when.account.booked_at == T0


def test_a_repeat_is_the_same_command_and_another_body_has_another_hash() -> None:
    [first] = react(ENVELOPE, EXAMPLE, CONTEXT)
    assert react(ENVELOPE, EXAMPLE.replace(b"    ", b""), CONTEXT) == [first]
    [other] = react(ENVELOPE, EXAMPLE.replace(b"1000", b"1001"), CONTEXT)
    assert other.id == first.id
    assert other.request_hash != first.request_hash
    [known] = react(ENVELOPE._replace(correlation_id="c", store="main"), EXAMPLE, CONTEXT)
    assert known.correlation_id == "c"


def test_times_and_decimals_arrive_as_the_model_reads_them() -> None:
    body = b"""{"loyaltyPrograms": [{"loyaltyPointDefinitionId": "P", "loads": [
        {"value": 10.10, "balanceExpiresAt": "2027-01-01T00:00:00.1239+01:00"}]}]}"""
    [command] = react(ENVELOPE, body, CONTEXT)
    load = PostTransaction.model_validate_json(command.value).loyalty_programs[0].loads[0]
    assert b'"value":10.1,' in command.value
    assert load.balance_expires_at is not None
    assert load.balance_expires_at.isoformat() == "2026-12-31T23:00:00.123000+00:00"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "malformed_json"),
        (b"\xff", "malformed_json"),
        (b'{"context": NaN}', "malformed_json"),
        (b"[]", "not_an_object"),
        (b'{"context": {}, "Context": {}}', "duplicate_key"),
        (b'{"context": {"shopId": "1", "Shopld": "2"}}', "duplicate_key"),
        (b'{"unknown": 1}', "validation_failed"),
        (b'{"accountNumber": "1"}', "validation_failed"),
        (b'{"loyaltyPrograms": [{"loyaltyPointDefinitionId": "P", "loads": [{"value": "10"}]}]}', "validation_failed"),
    ],
)
def test_what_can_never_work(raw: bytes, reason: str) -> None:
    with pytest.raises(Poison) as poison:
        react(ENVELOPE, raw, CONTEXT)
    assert poison.value.reason == reason


@pytest.mark.parametrize(
    "load",
    [
        b'{"value": 1e-999999}',
        b'{"value": 1.00000000000000000000000000000000001}',
        b'{"value": 1e999999}',
        b'{"value": 1, "balanceExpiresAt": "9999-12-31T23:59:59-05:00"}',
    ],
)
def test_numbers_and_times_beyond_reason_can_never_work(load: bytes) -> None:
    body = b'{"loyaltyPrograms": [{"loyaltyPointDefinitionId": "P", "loads": [' + load + b"]}]}"
    with pytest.raises(Poison) as poison:
        react(ENVELOPE, body, CONTEXT)
    assert poison.value.reason == "validation_failed"


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        (ENVELOPE._replace(type="order.fulfilled.v1"), "unknown_type"),
        (ENVELOPE._replace(subject="x" * 65), "validation_failed"),
        (ENVELOPE._replace(store="other"), "unknown_store"),
    ],
)
def test_envelopes_that_can_never_work(envelope: Envelope, reason: str) -> None:
    with pytest.raises(Poison) as poison:
        react(envelope, EXAMPLE, CONTEXT)
    assert poison.value.reason == reason


def test_what_is_told_of_a_wrong_body_does_not_quote_it() -> None:
    with pytest.raises(Poison) as poison:
        react(ENVELOPE, b'{"context": {"shopId": {"name": "Mrs Jones"}}}', CONTEXT)
    assert "/context/shopId" in str(poison.value)
    assert "Jones" not in str(poison.value)
