"""The history of a card beside the card: never torn, bounded, and for people without cancelled pairs (rules 4.4.6)."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.edge.families.giftcard.models import HistoryDetail
from services.edge.views.views import Views
from shared.decider import Document

ENTRIES_MAX = 100
"""The most entries beside a card, the newest; `/v1/giftcards/{serialNumber}/history` has all, in pages."""


async def history_of(views: Views, store: str, card: Mapping[str, Any], detail: HistoryDetail) -> list[Document] | None:
    """The newest mutations up to what the card shows, newest first; None while the views do not have them all."""
    # One more than is shown: what a cancel at the border has undone.
    changes = await views.giftcard_history.page(store, card["cardId"], card["sequence"], ENTRIES_MAX + 1)
    if changes is None:
        return None
    return regular(changes) if detail is HistoryDetail.REGULAR else condensed(changes)


def regular(changes: Sequence[Document]) -> list[Document]:
    """The mutations that are shown for bookkeeping: all of them, as far as they are shown."""
    return [*changes[:ENTRIES_MAX]]


def condensed(changes: Sequence[Document]) -> list[Document]:
    """The mutations without those that were cancelled, and without their cancels; newest first.

    A cancel undoes the mutation right before it, so each that is left follows from the one below it.
    """
    kept, at = [], 0
    while at < min(len(changes), ENTRIES_MAX):
        cancels, below = changes[at]["cancels"], changes[at + 1] if at + 1 < len(changes) else None
        if cancels is not None and below is not None and below["transactionId"] == cancels:
            at += 2
        else:
            kept.append(changes[at])
            at += 1
    return kept
