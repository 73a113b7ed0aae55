"""`fealty rewind`: after a restore, let a service read again what its store does not know (protocol P10)."""

from collections.abc import Mapping
from datetime import datetime

from cli.commands.console import complain
from cli.commands.output import Form, Sheet, show
from cli.commands.stores import journal_of, must_be_stopped, service_of
from shared.runtime.groups import Positions, move, positions
from shared.runtime.journal import Journal, fence_id, translated
from shared.settings import Settings


async def rewind(name: str, settings: Settings, to: datetime, form: Form = Form.TABLE) -> None:
    """Move a service's groups back to the instant `to`, and print where they go on.

    Nothing ever moves forward, and commands are never read from behind where their fence stands: up to there the
    store knows them, whatever `to` says. What is read again and known is recognised, so that too early costs only time.

    :raises Failure: there is no such service, or it runs; nothing was moved.
    :raises Unavailable: a server is away; the same can be done again.
    """
    service = service_of(name, settings)
    await must_be_stopped(name, settings)
    to_ms = int(to.timestamp() * 1000)
    shown = Sheet(("topic", "partition", "old offset", "new offset", "end"))
    commands, group = settings.topic(f"{name}.commands"), settings.group(name)
    found = await positions(settings, group, commands, to_ms)
    async with journal_of(name, settings) as journal:
        fences = await _fences(journal, commands, settings.partitions)
        offsets = {number: back_to(place, fences.get(number, 0)) for number, place in found.items()}
        await _lower(journal, commands, fences, offsets)
    await _move(settings, group, commands, found, offsets, shown)
    for number, place in found.items():
        if fences.get(number, 0) < place.first:
            gone = f"offsets {fences.get(number, 0)} to {place.first - 1} of {commands}/{number}"
            complain(f"{gone} are no longer in the topic: what was booked for them since the backup is lost")
    for topic in service.reactions:
        topic, group = settings.topic(topic), settings.group(service.input_group(topic))
        found = await positions(settings, group, topic, to_ms)
        offsets = {number: back_to(place, place.end) for number, place in found.items()}
        await _move(settings, group, topic, found, offsets, shown)
    show(shown, form, "nothing to rewind: no group has read records since then")


def back_to(place: Positions, known_up_to: int) -> int:
    """The offset to go on at: that of the instant, unless the group or the store has not come so far."""
    behind = place.end if place.committed is None else place.committed
    return max(place.first, min(place.since, behind, known_up_to))


async def _fences(journal: Journal, topic: str, partitions: int) -> dict[int, int]:
    """The fences that there are, by partition; a partition without one has never been worked on."""
    names = {fence_id(topic, number): number for number in range(partitions)}
    found = (await journal.load([], list(names))).fences
    return {names[name]: offset for name, offset in found.items()}


async def _lower(journal: Journal, topic: str, fences: Mapping[int, int], offsets: Mapping[int, int]) -> None:
    """Let the fences stand where reading goes on.

    A batch moves its fence from wherever it stands, so that none would refuse what is read again. But a process that
    was frozen before the restore may still hold a batch and the fence as it was: it shall find another one.
    """
    async with translated():
        for number, stood_at in fences.items():
            fence = {"_id": fence_id(topic, number), "version": stood_at}
            await journal.snapshots.update_one(fence, {"$set": {"version": offsets[number]}})


async def _move(
    settings: Settings,
    group: str,
    topic: str,
    found: Mapping[int, Positions],
    offsets: Mapping[int, int],
    shown: Sheet,
) -> None:
    """Move a group in one topic where it has to be, and note what was moved."""
    moved = {n: offset for n, offset in offsets.items() if found[n].end and offset != found[n].committed}
    if moved:
        await move(settings, group, topic, moved)
    for number, offset in moved.items():
        place = found[number]
        shown.add(topic, number, place.committed, offset, place.end)
