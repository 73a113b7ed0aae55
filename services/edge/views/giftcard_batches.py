"""The collection of batches of gift cards, one document each: one by its id, and all of a store in pages."""

from pydantic import TypeAdapter
from pymongo import ASCENDING

from schemas.giftcard_batches import BATCH_VIEW, BatchView
from services.edge.views.shapes import GIFT_CARD_BATCH
from services.edge.views.view import SnapshotType, Stored, View
from shared.decider import Document

GIFT_CARD_BATCHES = "giftcard_batches"


class GiftCardBatches(View):
    """Reads give `BatchView`s."""

    collections = (Stored(GIFT_CARD_BATCHES, ()),)
    snapshots = (SnapshotType(BATCH_VIEW, TypeAdapter(BatchView), GIFT_CARD_BATCHES, GIFT_CARD_BATCH),)

    async def one(self, store: str, batch_id: str) -> Document | None:
        """The batch with this id; None when no snapshot of it came yet."""
        async with self._connection.reading() as database:
            document = await database[GIFT_CARD_BATCHES].find_one({"_id": f"batch/{store}/{batch_id}"})
        return None if document is None else GIFT_CARD_BATCH.upgrade(document).get("view")

    async def page(self, store: str, after: str, limit: int) -> list[Document]:
        """The next batches of a store behind the id `after`, in the order of their ids."""
        wanted = {"$gt": f"batch/{store}/{after}", "$lt": f"batch/{store}0"}  # '0' comes after '/', which no id has.
        async with self._connection.reading() as database:
            cursor = database[GIFT_CARD_BATCHES].find({"_id": wanted}).sort("_id", ASCENDING).limit(limit)
            found = await cursor.to_list(limit)
        return [GIFT_CARD_BATCH.upgrade(document)["view"] for document in found]
