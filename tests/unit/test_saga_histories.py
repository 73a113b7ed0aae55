"""Random transactions over points and vouchers: both services against a small plain model of the two (RULES 4.2)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from services.points.identities import check_state
from services.points.state import account_stream
from services.voucher.state import voucher_stream
from shared.decider import Accepted, Rejected
from shared.ids import account_id
from tests.unit.saga_world import STORE, Both, Message

PRICE = 50
T0 = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
NUMBERS = [f"6299{number}" for number in range(3)]
SERIALS = [*(f"bearer-{number}" for number in range(6)), *(f"of-{number}" for number in NUMBERS)]
PROGRAMME = {"id": "P", "descriptions": {"en": "P"}, "purchases": [{"voucherId": "V", "price": PRICE}]}
DEFINITION = {"code": "V", "titles": {"en": "A voucher"}, "defaultLanguage": "en", "bearer": True}


@dataclass
class Asked:
    """A transaction: whose, and what it does."""

    number: str
    loads: list[int]
    spends: list[int]
    bought: list[bool]
    used: list[tuple[str, bool]]
    deadline: datetime = T0
    reserved: int = 0
    decision: str | None = None
    closed: bool = False

    @property
    def takes(self) -> int:
        return sum(self.spends) + PRICE * len(self.bought)

    def body(self) -> dict[str, Any]:
        part = {
            "loyaltyPointDefinitionId": "P",
            "loads": [{"value": each} for each in self.loads],
            "redemptions": [{"value": each} for each in self.spends],
            "purchases": [{"voucherId": "V", "use": use} for use in self.bought],
        }
        used = [{"serialId": serial, "void": void} for serial, void in self.used]
        return {"accountNumber": self.number, "loyaltyPrograms": [part], "voucherRedemptions": used}


@dataclass
class Model:
    """Balances, vouchers by serial with their owners, and the transactions, in the words of the rules."""

    points: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NUMBERS, 0))
    vouchers: dict[str, str] = field(default_factory=lambda: dict.fromkeys(SERIALS, "issued"))
    bought: dict[str, list[str]] = field(default_factory=lambda: {number: [] for number in NUMBERS})
    asked: dict[str, Asked] = field(default_factory=dict)

    def spendable(self, number: str) -> int:
        open_ones = [it for it in self.asked.values() if it.number == number and not it.closed]
        return self.points[number] - sum(each.reserved for each in open_ones)

    def post(self, id_: str, asked: Asked, now: datetime) -> bool:
        """Whether points hold it."""
        free = self.spendable(asked.number)
        if asked.takes > free + sum(asked.loads):
            return False
        asked.deadline, asked.reserved = now + timedelta(seconds=30), min(free, asked.takes)
        self.asked[id_] = asked
        return True

    def decide(self, id_: str, now: datetime, cancel: bool) -> None:
        """The voucher service's first decision is final."""
        asked = self.asked[id_]
        if asked.decision is None:
            asked.decision = "cancelled" if cancel else "refused" if now > asked.deadline else self._execute(asked)

    def _execute(self, asked: Asked) -> str:
        after = dict(self.vouchers)
        for serial, void in asked.used:
            owner = serial.removeprefix("of-") if serial.startswith("of-") else asked.number
            if after.get(serial) != "issued" or owner != asked.number:
                return "refused"
            after[serial] = "void" if void else "redeemed"
        self.vouchers = after
        self.bought[asked.number] += ["redeemed" if use else "issued" for use in asked.bought]
        return "executed"

    def close(self, id_: str) -> None:
        """What was decided takes effect on the points."""
        asked = self.asked[id_]
        if not asked.closed and asked.decision == "executed":
            self.points[asked.number] += sum(asked.loads) - asked.takes
        asked.closed = True


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


def random_asked(random: Random) -> Asked:
    asked = Asked(
        random.choice(NUMBERS),
        [random.randrange(1, 120) for _ in range(random.randrange(3))],
        [random.randrange(1, 40) for _ in range(random.randrange(2))],
        [random.random() < 0.5 for _ in range(random.choice([0, 0, 1, 1, 2]))],
        [(random.choice(SERIALS), random.random() < 0.2) for _ in range(random.choice([0, 0, 0, 1, 2]))],
    )
    if random.random() < 0.1:
        asked.used.append(("nobody's", False))
    return asked if asked.bought or asked.used else random_asked(random)


@pytest.mark.parametrize("seed", range(30))
def test_both_services_agree_with_the_model(seed: int) -> None:
    random = Random(seed)
    both, model, now = begun(random), Model(), T0
    for number in range(250):
        now += timedelta(seconds=random.randrange(6))
        if random.random() < 0.25:
            asked, id_ = random_asked(random), f"id-{number}"
            message = Message(
                "points", id_, "points.post_transaction.v1", account_id(STORE, asked.number), asked.body()
            )
            outcome = both.send(message, now)
            assert isinstance(outcome, Accepted) == model.post(id_, asked, now)
        elif random.random() < 0.1:
            for late in [id_ for id_, it in model.asked.items() if not it.closed and now >= it.deadline]:
                body = {"transactionId": late}
                subject = account_id(STORE, model.asked[late].number)
                both.send(Message("points", f"late-{number}-{late}", "points.cancel_held.v1", subject, body), now)
        else:
            follow(both, model, now)
        compare(both, model)
    while both.waiting:
        follow(both, model, now)
    for late in [id_ for id_, it in model.asked.items() if not it.closed]:
        subject = account_id(STORE, model.asked[late].number)
        now = max(now, model.asked[late].deadline) + timedelta(hours=1)
        both.send(Message("points", f"end-{late}", "points.cancel_held.v1", subject, {"transactionId": late}), now)
        while both.waiting:
            follow(both, model, now)
    compare(both, model)
    assert all(asked.closed for asked in model.asked.values())
    assert {asked.decision for asked in model.asked.values()} >= {"executed", "refused"}


def follow(both: Both, model: Model, now: datetime) -> None:
    """Let any message have its effect, on both sides."""
    delivered = both.deliver(now)
    if delivered is None:
        return
    message, outcome = delivered
    assert not isinstance(outcome, Rejected), outcome
    match message.type:
        case "voucher.execute.v1" | "voucher.cancel.v1":
            model.decide(message.payload["transactionId"], now, message.type == "voucher.cancel.v1")
        case "points.close_transaction.v1":
            assert message.payload["decision"] == model.asked[message.payload["transactionId"]].decision
            model.close(message.payload["transactionId"])


def compare(both: Both, model: Model) -> None:
    points, vouchers = both.services["points"].states, both.services["voucher"].states
    for number in NUMBERS:
        account = points.get(account_stream(STORE, account_id(STORE, number)))
        balance = None if account is None else account.balances.get("P")
        seen = (0, 0) if balance is None else (balance.booked, balance.spendable)
        assert seen == (model.points[number], model.spendable(number))
        assert account is None or not list(check_state(account))
    for serial, state in model.vouchers.items():
        assert vouchers[voucher_stream(STORE, serial)].state == state
    for number in NUMBERS:
        owned = [
            each.state.value
            for name, each in vouchers.items()
            if name.startswith("voucher/")
            and each.issued.account == account_id(STORE, number)
            and each.serial_id not in SERIALS
        ]
        assert sorted(owned) == sorted(model.bought[number])
