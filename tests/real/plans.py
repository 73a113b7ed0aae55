"""What the server examined for each operation that really ran, as its profiler tells."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

_SMALL = {"card_types", "catalogues", "clients", "definitions", "programmes", "rebuild", "signing_keys"}
"""What operators declare, of which there is little: these may be read as a whole."""
_FOUND = ("nreturned", "nMatched", "ndeleted", "ninserted", "upserted")


@dataclass
class Profile:
    """Operations since the profile began."""

    operations: list[dict[str, Any]] = field(default_factory=list)

    def wasteful(self) -> Iterator[str]:
        """Those that examined more than they found, each with its command."""
        for operation in self.operations:
            found = sum(operation.get(name, 0) for name in _FOUND)
            found += _skipped(operation["command"])
            documents, keys = operation.get("docsExamined", 0), operation.get("keysExamined", 0)
            sought = _sought(operation["command"])
            if (
                documents > 1.2 * found + 10
                or keys > 2.4 * found + sought + 10
                or ("COLLSCAN" in operation.get("planSummary", "") and operation["ns"].split(".")[-1] not in _SMALL)
            ):
                told = {name: operation.get(name) for name in ("ns", "planSummary", "command")}
                yield f"{documents} documents and {keys} keys for {found}: {str(told)[:1_000]}"


@asynccontextmanager
async def profiled(database: AsyncDatabase[Any]) -> AsyncIterator[Profile]:
    """What runs inside; filled at the end."""
    await database.drop_collection("system.profile")
    await database.create_collection("system.profile", capped=True, size=64 * 1024 * 1024)
    await database.command("profile", 2)
    profile = Profile()
    try:
        yield profile
    finally:
        await database.command("profile", 0)
    mine = {"ns": {"$not": {"$regex": r"system\.profile$"}}, "op": {"$nin": ["insert", "command"]}}
    others = {"op": "command", "command.aggregate": {"$exists": True}}
    distinct = {"op": "command", "command.distinct": {"$exists": True}}
    modified = {"op": "command", "command.findAndModify": {"$exists": True}}
    wanted = {"$or": [mine, others, distinct, modified]}
    profile.operations = await database["system.profile"].find(wanted).to_list(None)


def _skipped(command: dict[str, Any]) -> int:
    return int(command.get("skip", 0))


def _sought(value: Any) -> int:
    """How many single values a command looks for: each costs a key, be it there or not."""
    if isinstance(value, dict):
        return sum(len(each) if name == "$in" else _sought(each) for name, each in value.items())
    if isinstance(value, list):
        return sum(map(_sought, value))
    return 0
