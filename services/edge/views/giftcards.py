"""The collection of gift cards, one document each, found by card id or by serial number."""

from pydantic import TypeAdapter
from pymongo import ASCENDING, IndexModel

from schemas.giftcards import CARD_VIEW, CardView
from services.edge.views.shapes import GIFT_CARD
from services.edge.views.view import SnapshotType, Stored, View
from shared.decider import Document

GIFT_CARDS = "giftcards"

_SERIAL = "view.serialNumber"
INDEXES = (IndexModel([(_SERIAL, ASCENDING), ("_id", ASCENDING)], name="serial_number"),)


class GiftCards(View):
    """Reads give `CardView`s, which say how the scratch code is checked: no answer shows that."""

    collections = (Stored(GIFT_CARDS, INDEXES),)
    snapshots = (SnapshotType(CARD_VIEW, TypeAdapter(CardView), GIFT_CARDS, GIFT_CARD),)

    async def one(self, store: str, card_id: str) -> Document | None:
        """The card with this id; None when no snapshot of it came yet."""
        return await self._find({"_id": f"card/{store}/{card_id}"})

    async def with_serial_number(self, store: str, serial_number: str) -> Document | None:
        """The card with this serial number, which is unique in a store; None when no snapshot of it came yet."""
        within = {"$gt": f"card/{store}/", "$lt": f"card/{store}0"}  # '0' comes after '/', which no id has.
        return await self._find({_SERIAL: serial_number, "_id": within})

    async def _find(self, wanted: Document) -> Document | None:
        async with self._connection.reading() as database:
            document = await database[GIFT_CARDS].find_one(wanted)
        return None if document is None else GIFT_CARD.upgrade(document).get("view")
