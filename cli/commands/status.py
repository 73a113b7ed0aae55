"""`fealty status`: what runs, how far behind it is, what lies in dead letters, and what is left of the disk."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from shutil import disk_usage
from typing import Any

from cli.commands.output import Form, Sheet, print_json, say, show
from cli.commands.stores import journal_of, service_of
from services.registry import JOURNALED
from shared.errors import Unavailable
from shared.runtime.groups import members, positions
from shared.runtime.journal import translated
from shared.settings import Settings

_PROCESSES, _LAG = "processes", "lag"


@dataclass(slots=True)
class Standing:
    """How one service stands; what could not be looked at is None, and `fault` says why.

    `behind` counts records of its commands and inputs that it has not done, `letters` dead letters never replayed.
    """

    service: str
    processes: int | None = None
    behind: int | None = None
    letters: int | None = None
    data_bytes: int | None = None
    free_bytes: int | None = None
    faults: list[str] = field(default_factory=list)


async def status(settings: Settings) -> list[Standing]:
    """How every service with a journal stands; a server that is away is told, not raised."""
    return list(await asyncio.gather(*(_standing(name, settings) for name in JOURNALED)))


async def _standing(name: str, settings: Settings) -> Standing:
    found = Standing(name)
    for look in (_broker, _database):
        try:
            await look(found, settings)
        except Unavailable as error:
            found.faults.append(str(error).partition(" (configured timeouts")[0])
    return found


async def _broker(found: Standing, settings: Settings) -> None:
    service = service_of(found.service, settings)
    found.processes = await members(settings, settings.group(found.service))
    read = {settings.group(found.service): settings.topic(f"{found.service}.commands")}
    read |= {settings.group(service.input_group(topic)): settings.topic(topic) for topic in service.reactions}
    found.behind = 0
    for group, topic in read.items():
        for place in (await positions(settings, group, topic, 0)).values():
            found.behind += place.end - (place.first if place.committed is None else place.committed)


async def _database(found: Standing, settings: Settings) -> None:
    async with journal_of(found.service, settings) as journal, translated():
        found.letters = await journal.dead_letters.count_documents({"replayed_at": None})
        stats: dict[str, Any] = await journal.database.command("dbStats")
    found.data_bytes = int(stats["storageSize"] + stats["indexSize"])
    if stats["fsTotalSize"]:  # Of a database that was never written to the server says 0 of 0.
        found.free_bytes = int(stats["fsTotalSize"] - stats["fsUsedSize"])


def show_status(found: list[Standing], root: Path, form: Form) -> None:
    """Print it, and the disks: MongoDB's, and that of the local stack where there is one."""
    free = min((each.free_bytes for each in found if each.free_bytes is not None), default=None)
    local = disk_usage(root).free if root.is_dir() else None
    if form is Form.JSON:
        services = [
            {
                "service": each.service,
                _PROCESSES: each.processes,
                _LAG: each.behind,
                "deadLetters": each.letters,
                "dataBytes": each.data_bytes,
                "faults": each.faults,
            }
            for each in found
        ]
        print_json({"services": services, "databaseFreeBytes": free, "localFreeBytes": local})
        return
    sheet = Sheet(("service", _PROCESSES, _LAG, "dead letters", "data", ""))
    for each in found:
        data = None if each.data_bytes is None else size(each.data_bytes)
        sheet.add(each.service, each.processes, each.behind, each.letters, data, "; ".join(each.faults))
    show(sheet, form)
    for what, left in (("free on MongoDB's disk", free), (f"free on the disk of {root}", local)):
        if left is not None:
            say(f"{what}: {size(left)}")


def well(found: list[Standing]) -> bool:
    """Whether every service runs and has no dead letters."""
    return all(each.processes and not each.letters and not each.faults for each in found)


def size(count: int) -> str:
    """Bytes as people write them: `4.2 GiB`."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
