"""Polls: how a command ended, as the journal and the dead letters know it (P8)."""

from schemas.replies import Reply, Status
from shared.decider import Document
from shared.ids import closing_id
from shared.runtime.archive import load
from shared.runtime.batch import Plan
from shared.runtime.decode import Query
from shared.runtime.entries import FORWARDED, HELD, JournalEntry, Outcome
from shared.runtime.journal import Journal
from shared.runtime.outcomes import closed, written_by
from shared.runtime.publish import forward_id

_FORWARDS_MAX = 8


async def answer_poll(item: Query, plan: Plan, journal: Journal) -> None:
    """Answer a poll (P8); what its command wrote goes along as it is now, so that whoever polled sees it."""
    plan.count("queried")
    outcome = await outcome_of(item, plan, journal)
    streams = () if isinstance(outcome, Reply) else written_by(outcome)
    if unread := {*streams} - plan.names:
        plan.include(unread, (await load(journal, plan.decider, [], [*unread])).streams)
    plan.reply(item, outcome, streams)


async def outcome_of(item: Query, plan: Plan, journal: Journal) -> Reply | Outcome:
    """The answer to a poll: stored, buried, still possible, or never (definite, by the broker's clock).

    The outcome of a forwarded command is that of its forward, and pending while that has none; the outcome of a held
    one is that which closed it. Who asks for another store learns nothing: there, it was never accepted.
    """
    command_id, entry = item.command_id, plan.known(item.command_id)
    if entry is not None and entry["store"] != item.store:
        return _unheard(item)
    forwards = 0
    while entry is not None and entry["status"] == FORWARDED and forwards < _FORWARDS_MAX:
        command_id = forward_id(command_id)
        entry = await _found(command_id, plan, journal)
        forwards += 1
    if entry is not None and entry["status"] == HELD:
        outcome = closed(entry, await _found(closing_id(command_id), plan, journal))
        return _pending(item) if outcome is None else outcome
    if entry is not None and entry["status"] != FORWARDED:
        return entry
    letter = (await journal.buried([command_id])).get(command_id)
    if letter is not None and _store_of(letter) in (None, item.store):
        return Reply(command_id=command_id, status=Status.DEAD_LETTERED, code=letter["reason"], detail=letter["detail"])
    return _pending(item) if forwards else _unheard(item)


def _unheard(item: Query) -> Reply:
    """Of a command that has come to nothing yet: it may still come, or never, by the broker's clock."""
    not_after = item.envelope.not_after
    over = not_after is not None and item.record.timestamp > not_after
    return Reply(command_id=item.command_id, status=Status.NEVER_ACCEPTED) if over else _pending(item)


def _store_of(letter: Document) -> str | None:
    """The store that a dead letter names."""
    return next((value.decode("utf-8", "replace") for name, value in letter["headers"] if name == "ce_store"), None)


def _pending(item: Query) -> Reply:
    return Reply(command_id=item.command_id, status=Status.PENDING)


async def _found(command_id: str, plan: Plan, journal: Journal) -> JournalEntry | None:
    """An entry of this batch, or of the journal."""
    return plan.known(command_id) or (await journal.load([command_id], [])).entries.get(command_id)
