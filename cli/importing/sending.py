"""Commands out to a service in bulk, and what became of them, read from its journal.

No replies are asked for: a reply a row would cost more than the row, and the journal is what a later run looks at too.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from shared.backoff import Backoff
from shared.clock import monotonic_s
from shared.decider import Document
from shared.errors import FealtyError, Unavailable
from shared.runtime.entries import FORWARDED
from shared.runtime.journal import Journal
from shared.runtime.kafka import Producer, Record
from shared.runtime.publish import forward_id

_TRIES = 3
_BACKOFF_MS = 500
_LOOK_INTERVAL_S = 0.02

DEAD_LETTERED = "dead_lettered"
"""In place of an entry's status, for a command that ended as a dead letter."""


class Unanswered(FealtyError):
    """The service does not come to the commands; it will book them when it does."""


async def publish(producer: Producer, records: Sequence[Record]) -> None:
    """Publish records, again when it fails: commands are known by their ids, however often they come.

    :raises Unavailable: the broker is away.
    """
    backoff = Backoff(first_ms=_BACKOFF_MS)
    for tries_left in reversed(range(_TRIES)):
        try:
            await producer.publish(records)
            return
        except Unavailable:
            if not tries_left:
                raise
            await backoff.wait()


async def outcomes(journal: Journal, ids: Iterable[str]) -> tuple[dict[str, Document], dict[str, str]]:
    """Where commands ended: entries by the ids that they were sent under, and those without one yet.

    A forwarded command ends where it was forwarded to. The second answer has, for each command without an outcome,
    the id under which it is on its way.

    :raises Unavailable: the database is away.
    """
    found: dict[str, Document] = {}
    pending: dict[str, str] = {}
    following = {each: each for each in ids}
    while following:
        entries = (await journal.load(list(following.values()), [])).entries
        forwarded: dict[str, str] = {}
        for sent, each in following.items():
            entry = entries.get(each)
            if entry is None:
                pending[sent] = each
            elif entry["status"] == FORWARDED:
                forwarded[sent] = forward_id(each)
            else:
                found[sent] = cast(Document, entry)
        following = forwarded
    return found, pending


async def letters(journal: Journal, pending: Mapping[str, str]) -> dict[str, Document]:
    """The dead letters of commands on their way, by the ids that they were sent under.

    :raises Unavailable: the database is away.
    """
    found = await journal.buried(list(pending.values()))
    return {sent: found[each] for sent, each in pending.items() if each in found}


async def settled(
    journal: Journal, ids: Sequence[str], before: Mapping[str, Document], wait_ms: int, service: str
) -> dict[str, Document]:
    """Wait until each command has an outcome: its entry, or a dead letter that it did not have `before`.

    :raises Unanswered: nothing happened for `wait_ms`.
    :raises Unavailable: the database is away.
    """
    done: dict[str, Document] = {}
    left: Iterable[str] = ids
    deadline_s = monotonic_s() + wait_ms / 1000
    while True:
        found, pending = await outcomes(journal, left)
        for sent, letter in (await letters(journal, pending)).items():
            if letter["_id"] != before.get(sent, {}).get("_id"):
                found[sent] = {"status": DEAD_LETTERED, "code": letter["reason"], "detail": letter["detail"]}
        done |= found
        left = [sent for sent in pending if sent not in found]
        if not left:
            return done
        if found:
            deadline_s = monotonic_s() + wait_ms / 1000
        elif monotonic_s() > deadline_s:
            raise Unanswered(
                f"nothing was booked for {wait_ms / 1000:g} s: check that the {service} service is running"
            )
        await asyncio.sleep(_LOOK_INTERVAL_S)
