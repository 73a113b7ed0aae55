"""What a real worker wrote and published, as patterns for the bare loop: same documents, same records, other ids."""

from pathlib import Path
from typing import Any

import bson
from bson.codec_options import CodecOptions

from bench.arena import COMMANDS, Arena

Document = dict[str, Any]

KINDS = ("open", "load", "redeem")
TOPICS = ("points.events", "points.changes", "points.snapshots")
REPLIES = "edge.replies"

CATALOGUE = "catalogue/default/all"
"""What every command on an account reads besides its account."""

_SAMPLE = 4_000


def kind_of(entry: Document) -> str:
    """What a journal entry did: opened an account and loaded, loaded, or redeemed."""
    types = [event["data"]["type"] for event in entry["events"]]
    if len(types) > 1:
        return "open"
    return "redeem" if types == ["points.redeemed.v1"] else "load"


async def sample(arena: Arena) -> Document:
    """What a run left behind: an entry of each kind, an account's snapshot, the catalogue, and records of each topic.

    Each is the one of median size among those looked at, so that sizes agree on average.
    """
    journal = arena.database["journal"]
    entries = [entry async for entry in journal.find({"type": "points.post_transaction.v1"}).limit(_SAMPLE)]
    snapshots = arena.database["snapshots"]
    accounts = [account async for account in snapshots.find({"_id": {"$regex": "^account/"}}).limit(_SAMPLE)]
    return {
        "entries": {kind: _median([entry for entry in entries if kind_of(entry) == kind]) for kind in KINDS},
        "account": _median(accounts),
        "catalogue": await snapshots.find_one({"_id": CATALOGUE}),
        "records": {topic: await _records(arena, topic) for topic in TOPICS},
    }


async def sample_round_trip(arena: Arena, events: int = 2) -> Document:
    """The same of transactions over HTTP that book so many events, with the command and the reply beside.

    Most accounts have had several, so that what is of median size is not of one that opened its account.
    """
    journal, snapshots = arena.database["journal"], arena.database["snapshots"]
    wanted = {"type": "points.post_transaction.v1", "events": {"$size": events}}
    entry = _median([entry async for entry in journal.find(wanted).limit(_SAMPLE)])
    accounts = [account async for account in snapshots.find({"_id": {"$regex": "^account/"}}).limit(_SAMPLE)]
    return {
        "entries": dict.fromkeys(KINDS, entry),
        "account": _median(accounts),
        "catalogue": await snapshots.find_one({"_id": CATALOGUE}),
        "records": {topic: await _records(arena, topic) for topic in (*TOPICS, COMMANDS, REPLIES)},
    }


def save(templates: Document, path: Path) -> None:
    """Keep the templates for the bare processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bson.encode(templates))


def load(path: Path) -> Document:
    """The templates in the file."""
    codec: CodecOptions[Document] = CodecOptions(tz_aware=True)
    return bson.decode(path.read_bytes(), codec)


def _median(documents: list[Document]) -> Document:
    return sorted(documents, key=lambda document: len(bson.encode(document)))[len(documents) // 2]


async def _records(arena: Arena, topic: str) -> Document:
    """By type of record: its headers, key and value, of median size."""
    by_type: dict[str, list[Document]] = {}
    async with arena.reader(topic) as (consumer, ends):
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    headers = dict(record.headers)
                    by_type.setdefault(headers["ce_type"].decode(), []).append(
                        {"key": record.key, "value": record.value, "headers": headers}
                    )
    return {name.replace(".", "/"): _median(found) for name, found in by_type.items()}
