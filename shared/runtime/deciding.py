"""Step 4 for one command that is new: its verdict, its entry, and what it would publish; nothing is folded."""

from typing import Any, NamedTuple

from schemas.replies import Reply, Status
from shared.decider import Accepted, Forwarded, Rejected
from shared.runtime.batch import Plan, States
from shared.runtime.decode import Incoming, Preview
from shared.runtime.entries import JournalEntry
from shared.runtime.kafka import Record
from shared.runtime.outcomes import entry_of, refused_as_too_large
from shared.runtime.publish import RecordBuilder
from shared.runtime.service import Service


class Decided(NamedTuple):
    """What a command comes to. `item` has the instant of deciding."""

    item: Incoming
    verdict: Accepted[Any] | Rejected | Forwarded
    entry: JournalEntry
    records: list[Record]


class Deciding:
    """Decides commands of one service on what a batch has loaded, and changes nothing of it."""

    def __init__(self, service: Service, build: RecordBuilder, record_bytes_max: int) -> None:
        self._service = service
        self._build = build
        self._record_bytes_max = record_bytes_max

    def decide(self, plan: Plan, item: Incoming) -> Decided:
        """Decide one command, and size-check what it would publish."""
        decider, command = self._service.decider, item.command
        booked_at = max([plan.stream(stream).booked_at for stream in item.streams.writes])
        if booked_at > command.now:
            command = command._replace(now=booked_at)
            item = item._replace(command=command)
        verdict: Accepted[Any] | Rejected | Forwarded = decider.decide(command, States(plan))
        decided = self._kept(plan, item, verdict)
        if any(len(record.value) > self._record_bytes_max for record in decided.records):
            decided = self._kept(plan, item, refused_as_too_large(self._record_bytes_max))
        return decided

    def preview(self, plan: Plan, asked: Preview) -> None:
        """Decide a command and answer what it would come to, or its refusal, as it is; nothing of it is kept.

        A command that belongs to another subject is asked for there.
        """
        item = asked.incoming
        envelope = item.envelope
        if envelope.not_after is not None and item.record.timestamp > envelope.not_after:
            plan.count("too_late")
            plan.reply(item, Reply(command_id=envelope.id, status=Status.TOO_LATE))
            return
        plan.count("previewed")
        item, verdict, _, _ = self.decide(plan, item)
        match verdict:
            case Rejected():
                refusal = {"code": str(verdict.code), "detail": verdict.detail, "pointer": verdict.pointer}
                plan.reply(item, Reply(command_id=envelope.id, status=Status.REJECTED, **refusal))
            case Forwarded():
                plan.records.append(self._build.passed_on(asked, verdict.subject))
            case Accepted():
                shown = asked.show(item.command, States(plan), verdict)
                plan.reply(item, Reply(command_id=envelope.id, status=Status.ACCEPTED, result=shown))

    def _kept(self, plan: Plan, item: Incoming, verdict: Accepted[Any] | Rejected | Forwarded) -> Decided:
        service = self._service
        entry = entry_of(item, item.command.now, verdict, plan, service.decider, service.concerns)
        return Decided(item, verdict, entry, self._build.entry(entry))
