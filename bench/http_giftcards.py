"""The row `HTTP redeem`: how long a till waits for a redemption of a gift card, against a bare round trip.

As the rows `HTTP transaction`, which see: turns of a few seconds, who has none is stopped in its tracks. The bare side
copies a load of points that books one event, as a redemption does.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from bench.arena import Arena, new_arena
from bench.asking import Caller, access_token, callers
from bench.checks import read_changes, verify
from bench.contest import Say
from bench.copies import Place
from bench.http_transactions import Row, Side, alternating, bare_ask, turns_of
from bench.movements import PROGRAMME, Message, declarations, record
from bench.pacing import side_by_side
from bench.posting import Posts
from bench.round_trip import asker
from bench.templates import Document, sample_round_trip, save
from bench.tills import places
from bench.trial import Sizes, Trial
from bench.workers import Contender, services, workers
from schemas.envelope import Envelope
from shared.embedded.stack import Stack
from shared.ids import derived_id

REDEEM = "HTTP redeem"
CARDS = 200
LOADED_CENTS = 1_000_000_00
"""More than any run redeems."""

_ROW = Row(REDEEM, 50, ("giftcard",), (1.5, 2.0), (15, 60))
_CARD_TYPE = "BENCH"
_FAMILY = "/api/v1.0/Switch/giftcard/"
_TRANSACTION = "/api/v1.0/LoyaltyVault/Account/{}/Transaction"
_WARM_UP = 2 * CARDS
_LOADS = 4
_VARIETY = 50


@dataclass
class Counters(Posts):
    """Where gift cards are redeemed: requests by number, and what must be left on each card in the end, in cents."""

    cards: list[str]
    sent: int = 0
    left: Counter[str] = field(default_factory=Counter)

    async def ask(self, number: int, name: str = "bench") -> None:
        """Redeem a few euros from a card."""
        card, cents = self.cards[number % len(self.cards)], 100 + number % _VARIETY
        self.sent += 1
        self.left[card] -= cents
        body = {"cardId": card, "amount": cents / 100, "currency": "EUR"}
        await self.post(f"{name}-{number}", f"{_FAMILY}Redeem", orjson.dumps(body))

    async def warm_up(self, number: int) -> None:
        """One of the redemptions that go before."""
        await self.ask(number, "before")


async def redemptions(stack: Stack, sizes: Sizes, templates: Path, say: Say) -> list[Trial]:
    """Redemptions at a till; real, bare, real, bare, …"""
    turns_each, path = turns_of(sizes), templates.with_name("redeem.bson")
    patterns = await _patterns(stack)
    save(patterns, path)
    async with (
        new_arena(stack) as arena,
        new_arena(stack) as bare_arena,
        services(arena, *_ROW.services, "edge") as team,
    ):
        port, partitions = team["edge"].port, arena.settings.partitions
        counters = Counters(port, await access_token(arena.settings, port, "api_switch"), cards_of())
        await arena.have_done(_declaration(partitions), "giftcard")
        await arena.have_done(_issues(counters.cards, partitions), "giftcard")
        counters.left.update(dict.fromkeys(counters.cards, LOADED_CENTS))
        await side_by_side(counters.warm_up, _WARM_UP)
        counters.hang_up()
        async with workers(bare_arena, Contender.BARE, 1, path) as (worker,), asker(bare_arena, patterns) as bare:
            sides = (
                Side(arena, team, counters.ask, counters.hang_up),
                Side(bare_arena, {"worker": worker}, bare_ask(bare, places(partitions))),
            )
            await side_by_side(sides[1].ask, _WARM_UP)
            trials = await alternating(stack, _ROW, sides, sizes.rounds, turns_each, say)
        trials[0].figures |= {"answered_later": len(counters.open)}
        await counters.finish()
        async with callers(port, 1, counters.token) as (looking,):
            trials[0].wrong.extend(await check(arena, counters, looking))
    say(f"{REDEEM}, checks: {'; '.join(trials[0].wrong) or 'all is well'}")
    return trials


async def check(arena: Arena, counters: Counters, looking: Caller) -> list[str]:
    """Every answer good, every balance as it must be, each redemption published once, no gap, no dead letter."""
    wrong = [*counters.wrong[:3]]
    for card in counters.cards:
        status, answer = await looking.post(f"{_FAMILY}GetBalance", orjson.dumps({"cardId": card}), f"look-{card}")
        found = orjson.loads(answer).get("balance")
        if found is None or round(found * 100) != counters.left[card]:
            wrong.append(f"{card} has {found} euros instead of {counters.left[card] / 100} ({status})")
    if buried := await arena.database_of("giftcard")["dead_letters"].count_documents({}):
        wrong.append(f"{buried} dead letters")
    changes = await read_changes(arena, topic="giftcard.changes")
    wrong.extend(f"a gap in the change stream: {gap}" for gap in changes.gaps[:3])
    if changes.read != counters.sent + len(counters.cards):
        wrong.append(f"{changes.read} changes of {len(counters.cards)} cards and {counters.sent} redemptions")
    said = await verify(arena, "giftcard")
    return [*wrong[:10], *([said] if said is not None else [])]


def cards_of() -> list[str]:
    """The ids of the cards."""
    return [f"9905{number:015d}" for number in range(CARDS)]


async def _patterns(stack: Stack) -> Document:
    """What a points worker writes and publishes for a load over HTTP."""
    async with new_arena(stack) as arena, services(arena, "points", "edge") as team:
        port = team["edge"].port
        await arena.have_done(declarations(arena.settings.partitions))
        posts, accounts = Posts(port, await access_token(arena.settings, port, "api_loyalty")), places(12)

        async def load(number: int) -> None:
            place: Place = accounts[number % len(accounts)]
            body = {"loyaltyPrograms": [{"loyaltyPointDefinitionId": PROGRAMME, "loads": [{"value": 100}]}]}
            await posts.post(f"load-{number}", _TRANSACTION.format(place.number), orjson.dumps(body))

        await side_by_side(load, _LOADS * len(accounts))
        await posts.finish()
        return await sample_round_trip(arena, events=1)


def _declaration(partitions: int) -> Iterator[Message]:
    envelope = Envelope(
        id=derived_id("bench", _CARD_TYPE), type="giftcard.put_type.v1", source="/bench", subject=_CARD_TYPE
    )
    yield record(envelope, {"cardType": {"code": _CARD_TYPE, "currency": "EUR"}}, partitions)


def _issues(cards: list[str], partitions: int) -> Iterator[Message]:
    for card in cards:
        envelope = Envelope(id=derived_id("bench", card), type="giftcard.issue.v1", source="/bench", subject=card)
        body = {"cardId": card, "serialNumber": f"S-{card}", "cardType": _CARD_TYPE, "amount": LOADED_CENTS // 100}
        yield record(envelope, {**body, "code": {"key": "1"}}, partitions)
