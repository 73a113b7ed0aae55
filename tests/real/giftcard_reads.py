"""Every read and write of the gift card views, among 100,000 cards and histories of all lengths."""

from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from services.edge.views import giftcard_history, statements
from services.edge.views.views import Views
from tests.http.cards import card_change, card_snapshot
from tests.real.filling import COUNT, insert

STORES = ("default", "s", "t")
"""Each has cards with the same serial numbers."""


async def fill_giftcards(database: AsyncDatabase[Any]) -> None:
    """Cards of several stores with the same serial numbers; one card with a long history, and many with a short one."""
    cards = []
    for number in range(COUNT):
        part = card_snapshot(f"{number // len(STORES):06}", 1, STORES[number % len(STORES)])
        cards.append({"_id": part.stream, "version": 1, "view": part.value})
    await insert(database, "giftcards", cards)
    changes = [card_change("000007", sequence) for sequence in range(1, 20_001)]
    changes += [card_change(f"{number:06}", 1) for number in range(8, 20_000)]
    mutations = [giftcard_history.of_value("default", each) for each in changes]
    await insert(database, "giftcard_history", [each.document for each in mutations if each is not None])


def of_giftcards(views: Views, database: AsyncDatabase[Any]) -> dict[str, Any]:
    """Every call of the views of gift cards, by name."""
    changes = [card_change("000007", number) for number in (5, 20_002)]
    mutations = [each for change in changes if (each := giftcard_history.of_value("default", change)) is not None]
    return {
        "GiftCardBatches.one": views.giftcard_batches.one("default", "B000007"),
        "GiftCardBatches.page": views.giftcard_batches.page("default", "B000900", 26),
        "GiftCards.one": views.giftcards.one("default", "000009"),
        "GiftCards.with_serial_number": views.giftcards.with_serial_number("s", "S-000009"),
        "GiftCards.with_serial_number of none": views.giftcards.with_serial_number("s", "S-nobody"),
        "GiftCardHistory.page": views.giftcard_history.page("default", "000007", 12_000, 101),
        "GiftCardHistory.apply": views.giftcard_history.apply("default", [card_change("000007", 20_001)]),
        "GiftCardHistory.feed": statements.insert_missing(database["giftcard_history"], mutations),
    }
