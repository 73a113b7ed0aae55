"""`python -m bench.growth [LOADS] [TRANSACTIONS]`: what a movement, and a transaction with a voucher, leave behind.

Each column is of a fresh installation with the services and an edge: the bytes that every collection and topic has
gained, for a million. Of collections that is what lies on the disk once it is written out, and what their indexes take.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.commands import Command
from tests.harness import Installation, eventually, new_installation
from tests.real.saga import DEFINITION, PROGRAMME, RULES, START, all_closed, id_of, number_of
from tests.servers import servers

_ACCOUNTS = 500
_SERVICES = ("points", "voucher")
_COLLECTIONS: dict[str, tuple[str, ...]] = {
    "points": ("journal", "snapshots"),
    "voucher": ("journal", "snapshots"),
    "edge": ("statements", "accounts", "vouchers", "refusals"),
}
_TOPICS = (
    *("points.changes", "points.events", "points.snapshots", "points.commands"),
    *("voucher.changes", "voucher.events", "voucher.snapshots", "voucher.commands"),
)


async def _sizes(installation: Installation) -> dict[str, float]:
    """The bytes of each collection and topic."""
    await installation.mongo.admin.command("fsync")
    found = {}
    for service, names in _COLLECTIONS.items():
        for name in names:
            stats: Any = {"storageStats": {}}
            rows = await (await installation.collection(service, name).aggregate([{"$collStats": stats}])).to_list()
            stored = rows[0]["storageStats"]
            found[f"{service}: {name}"] = stored["storageSize"]
            found[f"{service}: {name}, in memory"] = stored["size"]
            found[f"{service}: indexes of {name}"] = stored["totalIndexSize"]
    stack = installation.servers.stack
    assert stack is not None, "topics are measured in the local broker's directory"
    for topic in _TOPICS:
        found[f"topic {topic}"] = _bytes_of(stack.root, installation.settings.topic(topic))
    return found


def _bytes_of(root: Path, topic: str) -> int:
    return sum(file.stat().st_size for log in root.rglob(f"{topic}-*") for file in log.glob("*.log"))


def _transaction(number: int, bought: int) -> Command:
    part: dict[str, Any] = {"loyaltyPointDefinitionId": PROGRAMME, "loads": [{"value": 60}]}
    if bought:
        part["purchases"] = [{"voucherId": "V", "use": True}]
    account = number % _ACCOUNTS
    body = {"accountNumber": number_of(account), "loyaltyPrograms": [part]}
    return Command("points.post_transaction.v1", id_of(account), body)


async def _gained(count: int, bought: int) -> dict[str, float]:
    """The bytes for one of `count` transactions that load, and with `bought` buy and use a voucher."""
    async with servers() as found, new_installation(found) as installation:
        declared = [Command.declaring(RULES), Command("voucher.put_definition.v1", "V", {"definition": DEFINITION})]
        async with installation.services(*_SERVICES), installation.edge():
            await installation.commands(declared)
            await installation.settled([declared[0].id])
            await installation.settled([declared[1].id], service="voucher")
            opened = [Command.transaction(number_of(each), PROGRAMME, load=START) for each in range(_ACCOUNTS)]
            await installation.commands(opened)
            await _quiet(installation)
            before = await _sizes(installation)
            for start in range(0, count, 5_000):
                await installation.commands(
                    [_transaction(each, bought) for each in range(start, min(count, start + 5_000))]
                )
                await _quiet(installation)
            after = await _sizes(installation)
    return {name: (after[name] - before[name]) / count for name in after}


async def _quiet(installation: Installation) -> None:
    """Wait until all is booked, and the edge has it."""
    await all_closed(installation, 600)
    for topic in ("points.snapshots", "points.changes", "voucher.snapshots"):
        await installation.fed(topic, 600)
    await eventually(lambda: installation.lag("points", "points.commands"), 0, 600)


async def _main(arguments: Sequence[str]) -> None:
    loads, transactions = (*map(int, arguments), *(20_000, 5_000)[len(arguments) :])
    columns = [await _gained(loads, 0), await _gained(transactions, 1)]
    print(f"{'MiB for a million of':40}{'loads':>12}{'with voucher':>14}")
    for name in columns[0]:
        if any(each[name] >= 1 for each in columns):
            print(f"{name:40}" + "".join(f"{each[name] * 1e6 / 2**20:>13,.0f}" for each in columns))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
