"""Lock-outs: after too many wrong answers about something, nothing more is tried for a time, which doubles.

They are in the edge's database, so they survive restarts and hold over all edge processes. A document of `lockouts` is
`{_id, v, wrong, at, until, refused, forgotten_at}`: `_id` a keyed hash of its subject, `wrong` the wrong answers so
far, `at` the last time that one came, `until` the end of the lock-out, `refused` whether the last one came during it.
The server's clock counts, whichever edge asks.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pymongo import ASCENDING, IndexModel, ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection

from services.edge.views.connection import Connection
from services.edge.views.upserts import create
from shared.clock import monotonic_s
from shared.errors import Unavailable
from shared.hashing import keyed_hash
from shared.shapes import Shape

LOCKOUTS = "lockouts"
LOCKOUT = Shape("lockout")

LOCK_S, LOCK_S_MAX = 30, 3600
"""The first lock-out, and the longest."""

INDEXES = (IndexModel([("forgotten_at", ASCENDING)], name="forgotten", expireAfterSeconds=0),)

_KNOWN_MAX = 10_000
_NOW = "$$NOW"

Document = dict[str, Any]


class Limit(NamedTuple):
    """`wrong_max` wrong answers within `window_s` of the first one lock; each later one locks for twice as long."""

    wrong_max: int
    window_s: int


class Subject(NamedTuple):
    """What wrong answers are counted for: `parts` name it."""

    limit: Limit
    parts: tuple[str, ...]


class Standing(NamedTuple):
    """How subjects stand: for how many seconds they are locked, 0 for not, and which have wrong answers that count."""

    wait_s: int
    counted: frozenset[Subject] = frozenset()


class Lockouts:
    """Counts wrong answers. Every count is one atomic update, so that none is lost in a race.

    A lock-out only ends by time; so what this process knows of one it does not ask for again.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._secret = connection.settings.secret.get_secret_value().encode()
        self._known_s: OrderedDict[str, float] = OrderedDict()

    async def prepare(self) -> None:
        """Create the index by which counts are forgotten.

        :raises Unavailable: the database cannot be reached.
        """
        async with self._connection.preparing() as database:
            await create(database[LOCKOUTS], INDEXES)

    async def standing(self, subjects: Sequence[Subject]) -> Standing:
        """How these stand; the longest lock-out counts.

        :raises Unavailable: the database cannot be reached.
        """
        ids = {self._id(subject): subject for subject in subjects}
        if known_s := max(map(self._known_wait_s, ids)):
            return Standing(math.ceil(known_s))
        async with self._connection.reading() as database:
            found = await database[LOCKOUTS].find({"_id": {"$in": [*ids]}}, _WAIT).to_list(len(ids))
        waits_s = [self._learn(each["_id"], (each.get("wait_ms") or 0) / 1000) for each in found]
        return Standing(math.ceil(max(waits_s, default=0)), frozenset(ids[each["_id"]] for each in found))

    async def count(self, subjects: Sequence[Subject]) -> int:
        """Count a wrong answer for each of these; the seconds to wait if one was locked already, which is not counted.

        If it cannot be counted, nothing of it can be tried in this process for as long as the first lock-out.

        :raises Unavailable: the database cannot be reached.
        """
        try:
            async with self._connection.keeping() as database:
                collection = database[LOCKOUTS]
                waits = await asyncio.gather(*(self._count(collection, subject) for subject in subjects))
        except Unavailable:
            for subject in subjects:
                self._remember(self._id(subject), LOCK_S)
            raise
        return math.ceil(max(waits))

    async def clear(self, subject: Subject) -> None:
        """Forget the wrong answers for this one, after a right one; a lock-out that began meanwhile stays.

        :raises Unavailable: the database cannot be reached.
        """
        unlocked = {"$expr": {"$lte": [{"$ifNull": ["$until", _NOW]}, _NOW]}}
        async with self._connection.keeping() as database:
            await database[LOCKOUTS].delete_one({"_id": self._id(subject), **unlocked})

    async def _count(self, collection: AsyncCollection[Document], subject: Subject) -> float:
        counted = await collection.find_one_and_update(
            {"_id": self._id(subject)}, counting(subject.limit), upsert=True, return_document=ReturnDocument.AFTER
        )
        assert counted is not None, "it is inserted"
        left_s = (counted["until"] - counted["at"]).total_seconds() if counted.get("until") else 0.0
        self._learn(counted["_id"], left_s)
        return left_s if counted["refused"] else 0.0

    def _learn(self, id_: str, wait_s: float) -> float:
        """Remember the rest of a lock-out, unless it is over; the rest."""
        if wait_s > 0:
            self._remember(id_, wait_s)
        return max(0.0, wait_s)

    def _remember(self, id_: str, wait_s: float) -> None:
        self._known_s[id_] = max(monotonic_s() + wait_s, self._known_s.pop(id_, 0.0))
        if len(self._known_s) > _KNOWN_MAX:
            self._known_s.popitem(last=False)

    def _known_wait_s(self, id_: str) -> float:
        return max(0.0, self._known_s.get(id_, 0.0) - monotonic_s())

    def _id(self, subject: Subject) -> str:
        return keyed_hash(self._secret, "lock-out", *subject.parts)


_WAIT: Document = {"wait_ms": {"$subtract": ["$until", _NOW]}}
_LONG_AGO = datetime(1970, 1, 1)


def counting(limit: Limit) -> list[Document]:
    """The update that counts, as the server does it: what is locked stays as it is, what is forgotten begins anew."""
    begins = {"$lte": [{"$ifNull": ["$forgotten_at", _LONG_AGO]}, _NOW]}
    wrong = {"$cond": [begins, 1, {"$add": ["$wrong", 1]}]}
    forgotten_at = {"$cond": [begins, _after(limit.window_s), "$forgotten_at"]}
    lock_s = {"$min": [LOCK_S_MAX, {"$multiply": [LOCK_S, {"$pow": [2, {"$subtract": ["$wrong", limit.wrong_max]}]}]}]}
    until = {"$cond": [{"$gte": ["$wrong", limit.wrong_max]}, _after(lock_s), None]}
    return [
        {"$set": LOCKOUT.stamp({"at": _NOW, "refused": {"$gt": ["$until", _NOW]}})},
        {
            "$set": {
                "wrong": _unless_refused("wrong", wrong),
                "forgotten_at": _unless_refused("forgotten_at", forgotten_at),
            }
        },
        {"$set": {"until": _unless_refused("until", until)}},
        {"$set": {"forgotten_at": {"$max": ["$forgotten_at", "$until"]}}},
    ]


def _after(seconds: Any) -> Document:
    return {"$add": [_NOW, {"$multiply": [1000, seconds]}]}


def _unless_refused(member: str, value: Any) -> Document:
    return {"$cond": ["$refused", f"${member}", value]}
