"""How far the views are fed: the next offset of each partition, in the same database, so that a restore takes both.

It is written after what it stands for, without waiting for the disk: when it is lost, some records are read again.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pymongo import UpdateOne, WriteConcern
from pymongo.asynchronous.database import AsyncDatabase

from services.edge.views.shapes import OFFSET
from shared.runtime.kafka import TopicPartition

_LAZY = WriteConcern(w=1, j=False)


async def fed_until(
    database: AsyncDatabase[dict[str, Any]], places: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    """Where to go on reading, of those partitions that have been fed before."""
    ids = {_id(place): place for place in places}
    found = await database["offsets"].find({"_id": {"$in": [*ids]}}).to_list(None)
    return {ids[each["_id"]]: each["next"] for each in map(OFFSET.upgrade, found)}


async def keep(database: AsyncDatabase[dict[str, Any]], offsets: Mapping[TopicPartition, int]) -> None:
    """Note where to go on reading. Of several edges the last counts: it may be behind, and may have begun anew."""
    writes = [
        UpdateOne({"_id": _id(place)}, {"$set": OFFSET.stamp({"next": next_})}, upsert=True)
        for place, next_ in offsets.items()
    ]
    await database["offsets"].with_options(write_concern=_LAZY).bulk_write(writes, ordered=False)


def _id(place: TopicPartition) -> str:
    return f"{place.topic}/{place.partition}"
