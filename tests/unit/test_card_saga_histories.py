"""Random transactions and reversals that gift cards take part in: what they pay is what was decided, once (rules 4.2).

Points, vouchers and gift cards, with messages in any order and some of them twice; a plain ledger has the money.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from schemas import giftcards as wire
from services.giftcard.decider import DECIDER
from services.giftcard.identities import check_state
from services.giftcard.state import Card, Payment, card_stream
from shared.decider import Accepted, Rejected
from shared.ids import account_id
from tests.unit.saga_model import NUMBERS, SERIALS, T0
from tests.unit.saga_world import STORE, Both, Message, Service
from tests.unit.test_saga_histories import begun

CARDS = [f"card-{number}" for number in range(3)]
BALANCE = 200
TYPE = {"code": "GIFT", "currency": "EUR", "reload": True}


@dataclass
class Asked:
    """A transaction: whose, what its cards pay, by operation, and how it ended; which payments were given back."""

    number: str
    cards: dict[int, tuple[str, int]]
    deadline: datetime
    decision: str | None = None
    given_back: set[int] = field(default_factory=set)
    open: set[str] = field(default_factory=set)


@dataclass
class Play:
    """A history as it goes on."""

    random: Random
    world: Both
    now: datetime = T0
    money: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CARDS, BALANCE))
    asked: dict[str, Asked] = field(default_factory=dict)
    reversals: dict[str, tuple[str, set[int]]] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)

    def step(self, number: int) -> None:
        """Do anything, and look at all cards."""
        self.now += timedelta(seconds=self.random.randrange(6))
        choice = self.random.random()
        if choice < 0.2:
            self.post(f"id-{number}")
        elif choice < 0.28 and self.asked:
            self.reverse(f"undo-{number}")
        elif choice < 0.36:
            self.book_directly(f"direct-{number}")
        elif choice < 0.42:
            for late in [id_ for id_, it in self.asked.items() if it.decision is None and self.now >= it.deadline]:
                self.to_points(f"late-{number}-{late}", "points.cancel_held.v1", late, {"transactionId": late})
        else:
            self.follow()
        self.look()

    def post(self, id_: str) -> None:
        """A transaction with cards; often with vouchers, which then decide."""
        random = self.random
        loads = [{"value": random.randrange(1, 120)} for _ in range(random.randrange(3))]
        bought = [{"voucherId": "V", "use": random.random() < 0.5} for _ in range(random.choice([0, 0, 1]))]
        used = [{"serialId": random.choice(SERIALS)} for _ in range(random.choice([0, 0, 0, 1]))]
        paid = [(random.choice(CARDS), random.randrange(1, 60)) for _ in range(random.choice([1, 1, 2, 3]))]
        body = {
            "accountNumber": random.choice(NUMBERS),
            "loyaltyPrograms": [{"loyaltyPointDefinitionId": "P", "loads": loads, "purchases": bought}],
            "voucherRedemptions": used,
            "giftcards": [{"cardId": card, "amount": amount} for card, amount in paid],
        }
        outcome = self.world.send(_to_points(id_, "points.post_transaction.v1", body["accountNumber"], body), self.now)
        if isinstance(outcome, Accepted):
            first = len(loads) + len(bought) + len(used)
            cards = dict(enumerate(paid, first))
            self.asked[id_] = Asked(str(body["accountNumber"]), cards, self.now + timedelta(seconds=30))

    def reverse(self, id_: str) -> None:
        """All that is left of a transaction, or one of its payments."""
        transaction = self.random.choice([*self.asked])
        asked = self.asked[transaction]
        named = self.random.choice([[], [self.random.choice([*asked.cards])]])
        body = {"transactionId": transaction, "operations": [{"operation": at} for at in named], "reason": "a test"}
        if isinstance(self.to_points(id_, "points.reverse.v1", transaction, body), Accepted):
            back = set(named or asked.cards) - asked.given_back
            assert asked.decision == "executed"
            assert not named or back, "nothing is given back twice"
            if back:
                self.reversals[id_] = transaction, back
                asked.open.add(id_)

    def book_directly(self, id_: str) -> None:
        """Load, redeem or void a card beside all transactions."""
        card, amount = self.random.choice(CARDS), self.random.randrange(1, 40)
        kind = self.random.choice(["activate", "activate", "redeem", "redeem", "redeem", "void"])
        if kind == "void" and self.random.random() < 0.8:
            return
        body: dict[str, Any] = {"cardId": card, **({"reason": "a test"} if kind == "void" else {"amount": amount})}
        outcome = self.world.send(Message("giftcard", id_, f"giftcard.{kind}.v1", card, body), self.now)
        if isinstance(outcome, Accepted):
            self.seen[kind] += 1
            change = {"activate": amount, "redeem": -amount, "void": -self.money[card]}[kind]
            self.money[card] += change

    def follow(self) -> None:
        """Let any message have its effect; a decision moves the money once."""
        delivered = self.world.deliver(self.now)
        if delivered is None:
            return
        message, outcome = delivered
        assert not isinstance(outcome, Rejected), outcome
        body = message.payload
        if message.type == "points.close_transaction.v1":
            self.close(self.asked[body["transactionId"]], str(body["decision"]))
        elif message.type == "points.close_reversal.v1":
            self.close_reversal(body["reversalId"], str(body["decision"]))

    def close(self, asked: Asked, decision: str) -> None:
        """The first decision stands; no later one is another, but for the reason why nothing was done."""
        if asked.decision is not None:
            assert (asked.decision == "executed") == (decision == "executed")
            return
        asked.decision = decision
        self.seen[decision] += 1
        if decision == "executed":
            for card, amount in asked.cards.values():
                self.money[card] -= amount

    def close_reversal(self, id_: str, decision: str) -> None:
        transaction, back = self.reversals.get(id_, ("", set()))
        if id_ not in self.asked.get(transaction, Asked("", {}, T0)).open:
            return
        asked = self.asked[transaction]
        asked.open.remove(id_)
        self.seen[f"reversal {decision}"] += 1
        if decision == "executed":
            asked.given_back |= back
            for operation in back:
                card, amount = asked.cards[operation]
                self.money[card] += amount

    def look(self) -> None:
        """No card has promised more than it has, ever."""
        for card in self.cards():
            assert not list(check_state(card)), card
            assert card.spendable >= 0

    def cards(self) -> list[Card]:
        found = [self.world.services["giftcard"].states[card_stream(STORE, each)] for each in CARDS]
        return [each for each in found if isinstance(each, Card)]

    def to_points(self, id_: str, type_: str, transaction: str, body: dict[str, Any]) -> Any:
        number = self.asked[transaction].number
        if type_ == "points.reverse.v1":
            body = {"accountNumber": number, **body}
        return self.world.send(_to_points(id_, type_, number, body), self.now)

    def finish(self) -> None:
        """Deliver everything; what is still open ends by its time."""
        while self.world.waiting:
            self.follow()
        for late in [id_ for id_, it in self.asked.items() if it.decision is None]:
            self.now = max(self.now, self.asked[late].deadline) + timedelta(hours=1)
            self.to_points(f"end-{late}", "points.cancel_held.v1", late, {"transactionId": late})
            while self.world.waiting:
                self.follow()
        self.look()


def _to_points(id_: str, type_: str, number: Any, body: dict[str, Any]) -> Message:
    return Message("points", id_, type_, account_id(STORE, str(number)), body)


def history(seed: int) -> Play:
    """Play one to its end."""
    random = Random(seed)
    world = begun(random)
    world.services["giftcard"] = Service(DECIDER, dict(wire.COMMANDS))
    begin = [Message("giftcard", "begin-type", "giftcard.put_type.v1", "GIFT", {"cardType": TYPE})]
    for number, card in enumerate(CARDS):
        new = {"cardId": card, "serialNumber": f"S-{number}", "cardType": "GIFT", "code": {"key": "k"}}
        body = {**new, "amount": BALANCE}
        begin.append(Message("giftcard", f"begin-{card}", "giftcard.issue.v1", card, body))
    for message in begin:
        assert isinstance(world.send(message, T0), Accepted)
    play = Play(random, world)
    for number in range(300):
        play.step(number)
    play.finish()
    return play


@pytest.mark.parametrize("seed", range(25))
def test_what_cards_have_is_what_was_decided(seed: int) -> None:
    play = history(seed)
    assert all(asked.decision is not None and not asked.open for asked in play.asked.values())
    assert {card.card_id: card.balance for card in play.cards()} == {card: 100 * it for card, it in play.money.items()}
    assert not any(card.holds for card in play.cards())
    payments = [each for each in play.world.services["giftcard"].states.values() if isinstance(each, Payment)]
    assert payments
    assert not any(each.open and each.decided is not None for each in payments)


def test_the_histories_end_in_every_way() -> None:
    seen = sum((history(seed).seen for seed in range(100, 112)), Counter[str]())
    ways = ("executed", "refused", "cancelled", "reversal executed", "reversal refused", "activate", "redeem", "void")
    assert all(seen[way] >= 3 for way in ways), seen
