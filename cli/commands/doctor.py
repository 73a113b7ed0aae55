"""`fealty doctor` and `fealty skip`: where a consumer group can't go on, why, and stepping over it.

Both look at the broker alone, so that they work whatever else runs or doesn't.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cli.commands.console import Failure, out
from cli.commands.output import Form, Sheet
from cli.commands.output import show as print_sheet
from cli.commands.stores import journal_of, must_be_empty, service_of
from schemas.topics import TOPICS
from services.registry import JOURNALED
from shared.runtime.dead_letters import announcement, dead_batch
from shared.runtime.decode import Decoder, Undecodable
from shared.runtime.groups import committed, ends, move
from shared.runtime.heads import Head, Unreadable, read_heads
from shared.runtime.kafka import Producer, TopicPartition
from shared.runtime.signing import FOLLOW_UP_SOURCES
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Stuck:
    """A group that can't get past an offset of a partition: why, and what an operator can do."""

    group: str
    place: TopicPartition
    offset: int
    reason: str
    remedy: str

    @property
    def where(self) -> str:
        """topic/partition/offset."""
        return f"{self.place.topic}/{self.place.partition}/{self.offset}"


async def diagnose(settings: Settings) -> list[Stuck]:
    """Every place where a group of this installation is stuck, or will be when it has done what stands before it.

    :raises Unavailable: the broker is away.
    """
    positions = await _positions(settings)
    bounds = await ends(settings, {place for places in positions.values() for place in places})
    found: list[Stuck] = []
    for group, places in sorted(positions.items()):
        behind = {
            place: max(offset, bounds[place][0])
            for place, offset in places.items()
            if max(offset, bounds[place][0]) < bounds[place][1]
        }
        heads = await read_heads(settings, behind) if behind else {}
        for place in sorted(heads):
            found += _stuck(settings, group, place, behind[place], heads[place])
    return found


def _stuck(settings: Settings, group: str, place: TopicPartition, offset: int, head: Head) -> Iterator[Stuck]:
    if head.unreadable is not None:
        at = head.unreadable.offset
        skip = f"stop {_reader(settings, group)}, then: fealty skip {group} {place.topic}/{place.partition}/{at}"
        yield Stuck(group, place, at, f"unreadable: {head.unreadable.reason}", skip)
    service = next((name for name in JOURNALED if settings.group(name) == group), None)
    if service is not None and head.records:
        decoded = Decoder(service_of(service, settings), settings)(head.records[0])
        if isinstance(decoded, Undecodable) and decoded.envelope and decoded.envelope.source in FOLLOW_UP_SOURCES:
            remedy = f"start the release of {service} that knows this command; it cannot be skipped"
            yield Stuck(group, place, offset, f"a follow-up command that cannot be processed: {decoded.error}", remedy)


async def _positions(settings: Settings) -> dict[str, dict[TopicPartition, int]]:
    """Where each group stands: those of the services in all their partitions, others where they have committed."""
    topics = {settings.topic(name) for name in TOPICS}
    known: dict[str, dict[TopicPartition, int]] = {}
    for name in JOURNALED:
        service = service_of(name, settings)
        reads = {settings.group(name): f"{name}.commands"}
        reads.update({settings.group(service.input_group(topic)): topic for topic in service.reactions})
        for group, topic in reads.items():
            known[group] = {TopicPartition(settings.topic(topic), number): 0 for number in range(settings.partitions)}
    for group, places in (await committed(settings)).items():
        if ours := {place: offset for place, offset in places.items() if place.topic in topics}:
            known[group] = {**_all_of(ours, settings), **known.get(group, {}), **ours}
    return known


def _all_of(places: Mapping[TopicPartition, int], settings: Settings) -> dict[TopicPartition, int]:
    """A group that has committed something in a topic reads all of it."""
    topics = {place.topic for place in places}
    return {TopicPartition(topic, number): 0 for topic in topics for number in range(settings.partitions)}


def show(found: list[Stuck], form: Form = Form.TABLE) -> None:
    """Print what is stuck, a line each, or that nothing is."""
    shown = Sheet(("topic", "partition", "offset", "group", "reason", "what to do"))
    for each in found:
        shown.add(each.place.topic, each.place.partition, each.offset, each.group, each.reason, each.remedy)
    print_sheet(shown, form, "ok: no partition is stopped")


async def skip(settings: Settings, group: str, where: str) -> None:
    """Let a group without members go on behind a batch that can't be read; the batch is kept as a dead letter.

    :raises Failure: the group has members, stands elsewhere, or could read on; nothing was moved.
    :raises Unavailable: a server is away; the same can be done again.
    """
    place, offset = _place(where, settings)
    await must_be_empty(group, _name(settings, group), settings)
    stands_at = (await _positions(settings)).get(group, {}).get(place)
    if stands_at is None:
        raise Failure(f"no group {group!r} reads {place.topic}; `fealty doctor` lists the stopped groups")
    head = (await read_heads(settings, {place: max(stands_at, (await ends(settings, [place]))[place][0])}))[place]
    broken = head.unreadable
    if broken is None or broken.offset != offset:
        raise Failure(f"{where} can be read, or is not the position of group {group}; nothing was skipped")
    if head.records:
        raise Failure(
            f"{len(head.records)} records before {where} are not processed yet; start {_reader(settings, group)} "
            "once, stop it, and run the command again; nothing was skipped"
        )
    await _keep(settings, _owner(settings, group, place), broken)
    await move(settings, group, place.topic, {place.partition: broken.next_offset})
    out().print(f"skipped {where}: group {group} continues at {broken.next_offset}; the batch is dead letter {where}")


async def _keep(settings: Settings, service: str, broken: Unreadable) -> None:
    """Keep the batch in the service's dead letters, and announce it; before anything is moved."""
    letter = dead_batch(broken)
    producer = Producer(settings)
    try:
        async with journal_of(service, settings) as journal:
            await journal.bury([letter])
        topic, number = settings.topic(f"{service}.dead-letters"), broken.place.partition % settings.partitions
        await producer.publish([announcement(letter, topic, f"/{service}", number)])
    finally:
        await producer.stop()


def _place(where: str, settings: Settings) -> tuple[TopicPartition, int]:
    topic, _, rest = where.strip().rpartition("/")
    topic, _, number = topic.rpartition("/")
    if topic not in {settings.topic(name) for name in TOPICS} or not (number.isdecimal() and rest.isdecimal()):
        raise Failure(f"{where!r} is not a topic/partition/offset of this installation, as `fealty doctor` shows it")
    return TopicPartition(topic, int(number)), int(rest)


def _service(settings: Settings, group: str) -> str | None:
    """The service whose commands or inputs a group reads."""
    return next((name for name in JOURNALED if f"{group}.".startswith(f"{settings.group(name)}.")), None)


def _name(settings: Settings, group: str) -> str:
    """Whose processes are in a group: a service, or the edge."""
    return _service(settings, group) or group.removeprefix(settings.prefix).partition(".")[0]


def _reader(settings: Settings, group: str) -> str:
    return f"the processes of {_name(settings, group)}"


def _owner(settings: Settings, group: str, place: TopicPartition) -> str:
    """The service whose dead letters take what a group can't read."""
    service = _service(settings, group)
    owner = service or TOPICS[place.topic.removeprefix(settings.prefix)].owner
    return owner if owner in JOURNALED else next(iter(JOURNALED))
