"""Random transactions and reversals over points and vouchers: both services against a small plain model (rules 4.2)."""

from collections import Counter
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from services.points.decider import DECIDER as POINTS
from services.points.identities import check_state
from services.points.streams import account_stream
from services.voucher.decider import DECIDER as VOUCHER
from services.voucher.state import voucher_stream
from shared.decider import Accepted, Rejected
from shared.ids import account_id
from tests.unit.saga_model import NUMBERS, PRICE, SERIALS, T0, Asked, Model
from tests.unit.saga_world import STORE, Both, Message

PROGRAMME = {"id": "P", "descriptions": {"en": "P"}, "purchases": [{"voucherId": "V", "price": PRICE}]}
DEFINITION = {"code": "V", "titles": {"en": "A voucher"}, "defaultLanguage": "en", "bearer": True}


def begun(random: Random) -> Both:
    both = Both(random)
    for number, (service, type_, subject, payload) in enumerate(
        [
            ("points", "points.put_programme.v1", "P", {"programme": PROGRAMME}),
            ("voucher", "voucher.put_definition.v1", "V", {"definition": DEFINITION}),
            *(("voucher", "voucher.issue.v1", *issuing(serial)) for serial in SERIALS),
        ]
    ):
        assert isinstance(both.send(Message(service, f"begin-{number}", type_, subject, payload), T0), Accepted)
    return both


def issuing(serial: str) -> tuple[str, dict[str, Any]]:
    """The subject and the body of the command that issues a voucher: to bearer, or to the account in its serial."""
    body = {"voucherId": "V", "serialId": serial, "reason": "a test"}
    number = serial.removeprefix("of-")
    if number == serial:
        return serial, body
    account = account_id(STORE, number)
    return account, {**body, "accountNumber": number, "account": account}


def random_asked(random: Random, model: Model) -> Asked:
    number = random.choice(NUMBERS)
    own = [serial for serial, owner in model.owners.items() if owner == number and model.vouchers[serial] == "issued"]
    asked = Asked(
        number,
        [random.randrange(1, 120) for _ in range(random.randrange(3))],
        [random.randrange(1, 40) for _ in range(random.randrange(2))],
        [random.random() < 0.5 for _ in range(random.choice([0, 0, 1, 1, 2]))],
        [
            (random.choice(own if own and random.random() < 0.5 else [*model.vouchers]), random.random() < 0.2)
            for _ in range(random.choice([0, 0, 0, 1, 2]))
        ],
    )
    if random.random() < 0.1:
        asked.used.append(("nobody's", False))
    return asked if asked.bought or asked.used else random_asked(random, model)


def random_reversal(random: Random, model: Model) -> tuple[str, dict[int, int | None]]:
    """A transaction and what to undo of it: all, or some operations, some in part."""
    transaction = random.choice([*model.asked])
    if random.random() < 0.4:
        return transaction, {}
    operations = len(model.asked[transaction].kinds())
    named = random.sample(range(operations + 1), k=min(operations, random.choice([1, 1, 2, 3])))
    return transaction, {each: random.choice([None, None, random.randrange(1, 60)]) for each in named}


def history(seed: int) -> Model:
    """Play one, comparing both services with the model after each step; the model at its end."""
    random = Random(seed)
    both, model, now = begun(random), Model(), T0
    for number in range(300):
        now += timedelta(seconds=random.randrange(6))
        choice = random.random()
        if choice < 0.22:
            asked, id_ = random_asked(random, model), f"id-{number}"
            outcome = both.send(_to_points(id_, "points.post_transaction.v1", asked.number, asked.body()), now)
            assert isinstance(outcome, Accepted) == model.post(id_, asked, now)
        elif choice < 0.34 and model.asked:
            reverse(both, model, random, f"undo-{number}", now)
        elif choice < 0.4:
            for late in [id_ for id_, it in model.asked.items() if not it.closed and now >= it.deadline]:
                cancel(both, model, f"late-{number}-{late}", late, now)
        else:
            follow(both, model, now)
        compare(both, model)
    while both.waiting:
        follow(both, model, now)
    for late in [id_ for id_, it in model.asked.items() if not it.closed]:
        now = max(now, model.asked[late].deadline) + timedelta(hours=1)
        cancel(both, model, f"end-{late}", late, now)
        while both.waiting:
            follow(both, model, now)
    compare(both, model)
    return model


@pytest.mark.parametrize("seed", range(30))
def test_both_services_agree_with_the_model(seed: int) -> None:
    model = history(seed)
    assert all(asked.closed for asked in model.asked.values())
    assert {asked.decision for asked in model.asked.values()} >= {"executed", "refused"}
    assert all(undoing.closed or not undoing.vouchers for undoing in model.undoing.values())


def test_the_histories_undo_and_are_refused_in_every_way() -> None:
    seen: Counter[tuple[bool, str | None]] = Counter()
    for seed in range(100, 115):
        seen.update((bool(each.vouchers), each.decision) for each in history(seed).undoing.values())
    assert min(seen[True, "executed"], seen[True, "refused"], seen[False, None]) > 5, seen


def _to_points(id_: str, type_: str, number: str, body: dict[str, Any]) -> Message:
    return Message("points", id_, type_, account_id(STORE, number), body)


def cancel(both: Both, model: Model, id_: str, late: str, now: datetime) -> None:
    both.send(_to_points(id_, "points.cancel_held.v1", model.asked[late].number, {"transactionId": late}), now)


def reverse(both: Both, model: Model, random: Random, id_: str, now: datetime) -> None:
    transaction, named = random_reversal(random, model)
    number = model.asked[transaction].number
    operations = [{"operation": at} | ({} if value is None else {"value": value}) for at, value in named.items()]
    body = {"accountNumber": number, "transactionId": transaction, "operations": operations, "reason": "a test"}
    outcome = both.send(_to_points(id_, "points.reverse.v1", number, body), now)
    assert isinstance(outcome, Accepted) == model.reverse(id_, transaction, named), (outcome, named)


def follow(both: Both, model: Model, now: datetime) -> None:
    """Let any message have its effect, on both sides."""
    delivered = both.deliver(now)
    if delivered is None:
        return
    message, outcome = delivered
    assert not isinstance(outcome, Rejected), outcome
    body = message.payload
    match message.type:
        case "voucher.execute.v1" | "voucher.cancel.v1":
            issued = _issued(both, body["transactionId"])
            model.decide(body["transactionId"], now, message.type == "voucher.cancel.v1", issued)
        case "points.close_transaction.v1":
            assert body["decision"] == model.asked[body["transactionId"]].decision
            model.close(body["transactionId"])
        case "voucher.reverse.v1":
            model.decide_reversal(body["reversalId"])
        case "points.close_reversal.v1":
            assert body["decision"] == model.undoing[body["reversalId"]].decision
            model.close_reversal(body["reversalId"])


def _issued(both: Both, transaction: str) -> list[str]:
    """The serials that a transaction bought, in order of its operations."""
    pivot = both.services["voucher"].states[f"transaction/{STORE}/{transaction}"].decision
    return [each.serial_id for each in getattr(pivot, "issued", ())]


def compare(both: Both, model: Model) -> None:
    points, vouchers = both.services["points"].states, both.services["voucher"].states
    for number in NUMBERS:
        account = points.get(account_stream(STORE, account_id(STORE, number)))
        balance = None if account is None else account.balances.get("P")
        seen = (0, 0) if balance is None else (balance.booked, balance.spendable)
        assert seen == (model.points[number], model.spendable(number))
        assert account is None or not list(check_state(account))
        opened = {id_ for id_, it in model.asked.items() if it.number == number and not it.closed}
        opened |= {it.reversing for it in model.asked.values() if it.number == number and it.reversing is not None}
        assert set(() if account is None else account.holds) == opened
    for serial, state in model.vouchers.items():
        voucher = vouchers[voucher_stream(STORE, serial)]
        assert (voucher.state, voucher.redeemed_in) == (state, model.redeemed_by.get(serial))
    for name, state in points.items():
        kind, _, id_ = name.split("/", 2)
        if kind == "transaction":
            assert POINTS.closed(state) == model.asked[id_].closed
        elif kind == "reversals":
            assert POINTS.closed(state) == (model.asked[id_].reversing is None)
    assert all(VOUCHER.closed(each) == name.startswith("transaction/") for name, each in vouchers.items())
    known = {name for name, each in vouchers.items() if name.startswith("voucher/") and each.issued is not None}
    assert known == {voucher_stream(STORE, serial) for serial in model.vouchers}
