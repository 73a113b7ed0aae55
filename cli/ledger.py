"""Reading the books of one service: movements summed by day, snapshots of one kind, an account's last entries.

Reads what the journal and the snapshots hold and writes nothing; see :mod:`shared.runtime.journal` for the documents.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple

from shared.decider import Document
from shared.runtime.journal import Journal, Stored, translated
from shared.runtime.stored import DEAD_LETTER, ENTRY, SNAPSHOT
from shared.writes import write_of

_PAGE_STREAMS = 500
_PAGE_VERSIONS = 50
_MOVED = {"v": 1, "writes": 1, "events": 1}

BEFORE, AFTER = "", "~"
"""In place of a day: all days before the first asked for, and all after the last."""


class Movements(NamedTuple):
    """Which fields of a service's events name the book that a movement belongs to, its kind, and its unit if any."""

    book: str
    kind: str = "kind"
    unit: str | None = None


class Moved(NamedTuple):
    """What movements of one kind and sign came to on one local day of a book, in its smallest unit."""

    book: str
    day: str
    kind: str
    scale: int
    delta: int
    pending_delta: int = 0
    unit: str = ""


class Ledger:
    """One service's books at one moment: what is read from it belongs together, whatever is booked meanwhile.

    The moment lasts as long as the server keeps its history, five minutes unless it is told otherwise.
    """

    def __init__(self, journal: Journal, session: Any) -> None:
        self._journal = journal
        self._session = session

    async def streams(self, prefix: str) -> AsyncIterator[tuple[str, Stored]]:
        """All streams whose names begin so, in order of their names.

        :raises Unavailable: the database is away or too slow.
        """
        within = {"$gte": prefix, "$lt": f"{prefix[:-1]}{chr(ord(prefix[-1]) + 1)}"}
        async with translated():
            cursor = self._journal.snapshots.find({"_id": within}, session=self._session)
            async for document in cursor.sort("_id", 1).batch_size(_PAGE_STREAMS):
                yield document["_id"], Stored(document["version"], SNAPSHOT.upgrade(document))

    async def moved(
        self,
        store: str,
        movements: Movements,
        zones: Mapping[str, str],
        first: str | None = None,
        last: str | None = None,
    ) -> AsyncIterator[Moved]:
        """The movements of a store, summed by the server by book, unit, local day, kind and sign, in that order.

        `zones` has the books' zones, UTC where there is none; `first` and `last` are days (2026-01-31), outside of
        which all movements are summed as `BEFORE` and `AFTER`.

        :raises Unavailable: the database is away or too slow.
        """
        async with translated():
            cursor = self._journal.entries.aggregate(
                _moved(store, movements, zones, first, last), allowDiskUse=True, session=self._session
            )
            async for found in cursor:
                key = found["_id"]
                sums = (found["scale"], found["delta"], found["pending"])
                yield Moved(key["book"], key["day"], key["kind"], *sums, key["unit"])


@asynccontextmanager
async def ledger(journal: Journal) -> AsyncIterator[Ledger]:
    """The books as they stand now.

    :raises Unavailable: the database is away.
    """
    async with translated():
        session = await journal.database.client.start_session(snapshot=True)
    async with session:
        yield Ledger(journal, session)


async def last_movements(journal: Journal, stream: str, version: int, count: int) -> list[Document]:
    """The last `count` movements of a stream that has this version, the newest first.

    By the names of its writes, backwards, so that a long history costs no more than a short one.

    :raises Unavailable: the database is away or too slow.
    """
    found: list[Document] = []
    while version > 0 and len(found) < count:
        writes = [write_of(stream, each) for each in range(version, max(0, version - _PAGE_VERSIONS), -1)]
        async with translated():
            entries = await journal.entries.find({"writes": {"$in": writes}}, _MOVED).to_list(None)
        events = [
            event["data"]
            for entry in map(ENTRY.upgrade, entries)
            for event in entry["events"]
            if event["stream"] == stream
        ]
        found += sorted((event for event in events if "sequence" in event), key=_sequence, reverse=True)
        version -= _PAGE_VERSIONS
    return found[:count]


async def opened_at(journal: Journal, stream: str) -> datetime | None:
    """When the first command was booked on a stream.

    :raises Unavailable: the database is away or too slow.
    """
    async with translated():
        entry = await journal.entries.find_one({"writes": write_of(stream, 1)}, {"v": 1, "at": 1})
    return None if entry is None else ENTRY.upgrade(entry)["at"]


async def letters_of(journal: Journal, names: Sequence[str], limit: int) -> list[Document]:
    """The latest dead letters of records that have one of these names as their key or subject, without their bodies.

    :raises Unavailable: the database is away or too slow.
    """
    raw = [name.encode() for name in names]
    subjects = [["ce_subject", each] for each in raw]
    query = {"$or": [{"key": {"$in": raw}}, {"headers": {"$in": subjects}}]}
    parts = {"key": 0, "value": 0, "headers": 0, "trace": 0}
    async with translated():
        found = await journal.dead_letters.find(query, parts).sort("at", -1).limit(limit).to_list(None)
    return [DEAD_LETTER.upgrade(letter) for letter in found]


def _sequence(event: Document) -> int:
    return int(event["sequence"])


def _moved(
    store: str, movements: Movements, zones: Mapping[str, str], first: str | None, last: str | None
) -> list[Document]:
    movement = "$events.data"
    book = f"{movement}.{movements.book}"
    key = {
        "book": book,
        "unit": {"$literal": ""} if movements.unit is None else f"{movement}.{movements.unit}",
        "day": _day(f"{movement}.bookedAt", _zone(book, zones), first, last),
        "kind": f"{movement}.{movements.kind}",
        "up": {"$gte": [f"{movement}.delta", 0]},
    }
    return [
        {"$match": {"store": store, "writes": {"$exists": True}}},
        {"$project": {"events.data": 1}},
        {"$unwind": "$events"},
        {"$match": {"events.data.sequence": {"$exists": True}}},
        {
            "$group": {
                "_id": key,
                "scale": {"$max": f"{movement}.scale"},
                "delta": {"$sum": f"{movement}.delta"},
                "pending": {"$sum": f"{movement}.pendingDelta"},
            }
        },
        {"$sort": {"_id": 1}},
    ]


def _zone(book: str, zones: Mapping[str, str]) -> Any:
    """The zone of a movement's book, as an expression."""
    by_zone: dict[str, list[str]] = {}
    for name, zone in zones.items():
        by_zone.setdefault(zone, []).append(name)
    if not by_zone:
        return "UTC"
    branches = [
        {"case": {"$in": [book, {"$literal": names}]}, "then": {"$literal": zone}}
        for zone, names in sorted(by_zone.items())
    ]
    return {"$switch": {"branches": branches, "default": "UTC"}}


def _day(booked_at: str, zone: Any, first: str | None, last: str | None) -> Any:
    """The local day of a movement, or on which side of the days asked for it lies, as an expression."""
    at = {"$dateFromString": {"dateString": booked_at}}
    day = {"$dateToString": {"date": at, "format": "%Y-%m-%d", "timezone": zone}}
    outside: list[Document] = []
    if first is not None:
        outside.append({"case": {"$lt": ["$$day", first]}, "then": BEFORE})
    if last is not None:
        outside.append({"case": {"$gt": ["$$day", last]}, "then": AFTER})
    if not outside:
        return day
    return {"$let": {"vars": {"day": day}, "in": {"$switch": {"branches": outside, "default": "$$day"}}}}
