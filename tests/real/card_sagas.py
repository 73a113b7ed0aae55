"""Random transactions over points, vouchers and gift cards, and what must hold when all have ended (rules 4.2.2)."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cli.commands.verify import verify_service, verify_topics, verify_transactions
from services.giftcard.decider import DECIDER as CARDS
from services.points.decider import DECIDER as POINTS
from services.points.reversals import Reversals
from tests.harness import Command, Installation, eventually
from tests.real.saga import PROGRAMME, START, id_of, number_of, open_ones, prepare, states
from tests.real.test_giftcards import issue, issuing

ACCOUNTS, CARD_COUNT, LOADED, BEARERS = 8, 12, 120, 40


@dataclass
class CardSagas:
    """What was sent: each transaction's account, points and cards with amounts in cents; reversals by transaction."""

    random: Random
    sent: dict[str, tuple[int, int, list[tuple[str, int]]]] = field(default_factory=dict)
    reversals: dict[str, str] = field(default_factory=dict)

    def transaction(self) -> Command:
        """Points of an account, one or two cards, every other time a voucher; some of it more than there is."""
        random, account = self.random, self.random.randrange(ACCOUNTS)
        spent = random.randrange(1, 30)
        paid = [
            (f"card-{random.randrange(CARD_COUNT)}", random.randrange(50, 1500))
            for _ in range(random.choice([1, 2, 2]))
        ]
        body: dict[str, Any] = {
            "accountNumber": number_of(account),
            "loyaltyPrograms": [{"loyaltyPointDefinitionId": PROGRAMME, "redemptions": [{"value": spent}]}],
            "giftcards": [{"cardId": card, "amount": cents / 100} for card, cents in paid],
            "context": {"shopId": "12"},
        }
        if random.random() < 0.5:
            body["voucherRedemptions"] = [{"serialId": f"bearer-{random.randrange(BEARERS)}"}]
        command = Command("points.post_transaction.v1", id_of(account), body)
        self.sent[command.id] = (account, -spent, paid)
        return command

    def reversal(self) -> Command:
        """All of a transaction that was sent."""
        transaction = self.random.choice([*self.sent])
        account = self.sent[transaction][0]
        body = {"accountNumber": number_of(account), "transactionId": transaction, "reason": "a test"}
        command = Command("points.reverse.v1", id_of(account), body)
        self.reversals[command.id] = transaction
        return command


async def begin(installation: Installation) -> None:
    await prepare(installation, ACCOUNTS)
    await issue(installation, *(issuing(f"card-{number}", LOADED) for number in range(CARD_COUNT)))


async def all_ended(installation: Installation) -> None:
    """Wait until all three services have dealt with everything."""

    async def left() -> int:
        lags = [await installation.lag(name, f"{name}.commands") for name in ("points", "voucher", "giftcard")]
        return sum(lags) + await open_ones(installation)

    await eventually(left, 0, 90)


async def check(installation: Installation, sagas: CardSagas) -> Counter[str]:
    """Every transaction is booked whole or not at all, in points and on cards; how many ended how."""
    holds = await states(installation, "points", "transaction", POINTS)
    undone = await states(installation, "points", "reversals", POINTS)
    accounts = await states(installation, "points", "account", POINTS)
    cards = await states(installation, "giftcard", "card", CARDS)
    outcomes: Counter[str] = Counter()
    points, balances = (
        dict.fromkeys(range(ACCOUNTS), START),
        Counter({f"card-{n}": LOADED * 100 for n in range(CARD_COUNT)}),
    )
    for id_, (account, moves, paid) in sagas.sent.items():
        hold = holds.get(id_)
        outcomes["refused by points" if hold is None else hold.decision] += 1
        if hold is None or hold.decision != "executed":
            continue
        back = undone.get(id_, Reversals(id_))
        reversed_ = bool(back.undone)
        assert (len(back.cards) == len(paid)) == reversed_, "points come back with all cards, or none"
        outcomes["reversed"] += reversed_
        if not reversed_:
            points[account] += moves
            balances.subtract(dict_of(paid))
    by_id = {getattr(card, "card_id", ""): card for card in cards.values()}
    assert {name: by_id[name].balance for name in balances} == dict(balances)
    assert all(card.holds == () for card in by_id.values())
    for number in range(ACCOUNTS):
        account_ = accounts[id_of(number)]
        balance = account_.balances[PROGRAMME]
        assert (balance.booked, balance.held, account_.holds) == (points[number], 0, ())
    for service in ("points", "voucher", "giftcard"):
        report = await verify_service(service, installation.settings)
        assert report.ok, report.findings[:3]
    assert (await verify_topics("giftcard", installation.settings)).ok
    report = await verify_transactions(installation.settings)
    assert report.ok, report.findings[:3]
    return outcomes


def dict_of(paid: list[tuple[str, int]]) -> Counter[str]:
    taken: Counter[str] = Counter()
    for card, cents in paid:
        taken[card] += cents
    return taken
