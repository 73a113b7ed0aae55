"""Removing documents by age: an index of MongoDB's, changed where an earlier start has made it with another age."""

from datetime import timedelta
from typing import Any, Final

from pymongo import ASCENDING
from pymongo.errors import OperationFailure

_OTHER_OPTIONS: Final = 85
_NEVER_S: Final = 2**31 - 1
"""What an index that is there already can be changed to, so that nothing expires by it."""


async def expire(collection: Any, field: str, kept: timedelta | None) -> None:
    """Have the server remove documents whose `field` is longer ago than `kept`, or with None index them alone.

    Done at each start, by several processes at once too.
    """
    kept_s = None if kept is None else int(kept.total_seconds())
    try:
        await collection.create_index(
            [(field, ASCENDING)], **({} if kept_s is None else {"expireAfterSeconds": kept_s})
        )
    except OperationFailure as error:
        if error.code != _OTHER_OPTIONS:
            raise
        index = {"keyPattern": {field: ASCENDING}, "expireAfterSeconds": _NEVER_S if kept_s is None else kept_s}
        await collection.database.command("collMod", collection.name, index=index)
