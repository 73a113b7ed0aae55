"""Points against gift cards: what a transaction took from cards, or gave back, is what the cards say (rules 4.2.2)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from cli.verify.transactions import Side
from shared.findings import NOTHING, Difference, Report
from shared.money import to_minor
from shared.runtime.history import FOLDED, History
from shared.writes import split

_TRANSACTION, _REVERSALS, _PAYMENT, _CARD = "transaction/", "reversals/", "payment/", "card/"
_PAGE = 200
_MOVES = ("giftcard.redeemed.v1", "giftcard.given_back.v1")

SETTLED_AFTER_S = 5.0
"""A card is told how a transaction ended when points have closed it; what it has not booked by then is a fault."""


async def verify_payments(points: Side, cards: Side, history: History, report: Report) -> None:
    """Compare what points and gift cards have of each transaction and reversal; `history` is that of the cards.

    :raises Unavailable: the database is away or too slow.
    """
    late: dict[str, dict[str, Any]] = {}
    async for page in points.pages(_TRANSACTION):
        late |= await _compare(cards, _closed_with(page), report)
    async for page in points.pages(_REVERSALS):
        late |= await _compare(cards, _given_back_in(page), report)
    if late:
        await asyncio.sleep(SETTLED_AFTER_S)
        await _compare(cards, late, report, again=True)
    async for page in cards.pages(_PAYMENT):
        await _known(page, points, report)
    await _booked(history, report)


def _closed_with(holds: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By the stream of each payment of a closed transaction: how it ended, the card and the amount."""
    return {
        _payment(stream, hold.id, card.operation): {"card": card, "executed": hold.decision == "executed", "of": stream}
        for stream, hold in holds.items()
        if hold.decision is not None and hold.held is not None
        for card in hold.held.cards or ()
    }


def _given_back_in(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The same of what reversals gave back; with which card, the payment itself says."""
    return {
        _payment(stream, by, operation): {"card": None, "executed": True, "of": stream}
        for stream, reversals in found.items()
        for operation, by in reversals.cards.items()
    }


async def _compare(
    cards: Side, wanted: dict[str, dict[str, Any]], report: Report, again: bool = False
) -> dict[str, dict[str, Any]]:
    """Report what differs; what is only not settled yet is returned, and reported when it is asked `again`."""
    payments = await cards.states(list(wanted))
    late = {}
    for stream, one in wanted.items():
        payment = payments.get(stream)
        unfinished = not one["executed"] if payment is None else payment.open
        if unfinished and not again:
            late[stream] = one
        elif found := [*_differences(stream, one, payment)]:
            report.add(one["of"], found)
    return late


def _differences(stream: str, wanted: dict[str, Any], payment: Any) -> Iterator[Difference]:
    what = f"gift card of operation {stream.rpartition('/')[2]}"
    executed, card = wanted["executed"], wanted["card"]
    if payment is None:
        yield Difference(what, "paid" if executed else "let go", NOTHING)
    elif payment.open:
        yield Difference(what, "paid" if executed else "let go", "held")
    elif executed != (payment.executed is True):
        yield Difference(what, "paid" if executed else "not paid", "paid" if payment.executed else "not paid")
    elif executed and card is not None:
        held = payment.decided
        wanted_amount = to_minor(card.amount, held.scale)
        if (card.card_id, wanted_amount) != (held.card_id, held.amount):
            yield Difference(what, f"{wanted_amount} of {card.card_id}", f"{held.amount} of {held.card_id}")


async def _known(payments: dict[str, Any], points: Side, report: Report) -> None:
    """Each payment that a card has held is of a transaction that points held, or of a reversal that they know."""
    held = {stream: it.decided for stream, it in payments.items() if getattr(it.decided, "amount", None) is not None}
    of = {stream: _owner(stream, decided) for stream, decided in held.items()}
    found = await points.states(list({*of.values()}))
    for stream, decided in held.items():
        owner = found.get(of[stream])
        if decided.reverses is None:
            cards = () if owner is None or owner.held is None else owner.held.cards or ()
            known = any(each.operation == decided.operation for each in cards)
        else:
            open_one = None if owner is None or owner.held is None else owner.held.reversal_id
            done = {} if owner is None else owner.cards
            let_go = payments[stream].executed is False
            known = let_go or decided.transaction_id in (open_one, done.get(decided.operation))
        if not known:
            report.add(stream, [Difference("known to points", "held", NOTHING)])


async def _booked(history: History, report: Report) -> None:
    """A card books exactly what is settled with it, in the same entry of the journal."""
    async for stream, entry in _writes(history, _CARD):
        settled = {_place(each) for each in _of_type(entry, "giftcard.payment_settled.v1") if each["executed"]}
        for each in _of_type(entry, *_MOVES):
            if each.get("operation") is not None and _place(each) not in settled:
                report.add(stream, [Difference(f"operation {each['operation']}", "settled", NOTHING)])
    async for stream, entry in _writes(history, _PAYMENT):
        moved = {_place(each) for each in _of_type(entry, *_MOVES)}
        for each in _of_type(entry, "giftcard.payment_settled.v1"):
            if each["executed"] and _place(each) not in moved:
                report.add(stream, [Difference("booked on the card", "booked", NOTHING)])


async def _writes(history: History, prefix: str) -> AsyncIterator[tuple[str, Any]]:
    after = prefix
    while page := await history.page(after, _PAGE, FOLDED):
        for write, entry in page:
            if not write.startswith(prefix):
                return
            yield split(write)[0], entry
        after = page[-1][0]


def _of_type(entry: Any, *types: str) -> Iterator[dict[str, Any]]:
    return (event["data"] for event in entry["events"] if event["data"]["type"] in types)


def _place(event: dict[str, Any]) -> tuple[str, int]:
    return event["transactionId"], event["operation"]


def _payment(stream: str, transaction: str, operation: int) -> str:
    """The stream of a payment in the store of a stream of points."""
    return f"{_PAYMENT}{stream.split('/')[1]}/{transaction}/{operation}"


def _owner(stream: str, decided: Any) -> str:
    """The stream of points that a payment belongs to."""
    store = stream.split("/")[1]
    if decided.reverses is None:
        return f"{_TRANSACTION}{store}/{decided.transaction_id}"
    return f"{_REVERSALS}{store}/{decided.reverses}"
