"""Putting a record among the dead letters (P6): with the answer to whoever waits, in the transaction of its batch."""

from typing import NamedTuple

import structlog

from schemas.replies import Reply, Status
from shared.errors import Poison, Stopped
from shared.runtime.batch import Plan
from shared.runtime.dead_letters import announcement, dead_letter
from shared.runtime.decode import Incoming, Undecodable
from shared.runtime.publish import RecordBuilder
from shared.runtime.signing import FOLLOW_UP_SOURCES
from shared.settings import Settings

log = structlog.get_logger()


class Burial(NamedTuple):
    """A record that failed alone, and after how many attempts. Without an envelope nobody is answered."""

    item: Undecodable
    attempts: int


def bury(plan: Plan, burial: Burial, service: str, settings: Settings, build: RecordBuilder) -> None:
    """Add a dead letter, its announcement, and the answer to `plan`.

    :raises Stopped: the record is one of our own follow-ups, which are never dead letters: its partition stops.
    """
    item, record = burial.item, burial.item.record
    if item.envelope is not None and item.envelope.source in FOLLOW_UP_SOURCES:
        log.error("a follow-up command failed", offset=record.offset, topic=record.topic, exc_info=item.error)
        raise Stopped(record.topic, record.partition, record.offset, str(item.error))
    letter = dead_letter(record, item.error, burial.attempts)
    plan.dead_letters.append(letter)
    place = record.partition % settings.partitions
    plan.records.append(announcement(letter, settings.topic(f"{service}.dead-letters"), f"/{service}", place))
    plan.count("dead_lettered")
    if item.envelope is not None:
        answer = Reply(
            command_id=item.envelope.id, status=Status.DEAD_LETTERED, code=letter["reason"], detail=letter["detail"]
        )
        plan.records.extend(build.reply(item.record, item.envelope, answer))


def reused(item: Incoming) -> Undecodable | None:
    """What becomes of a known id with another body, which nobody waits to be told: a dead letter.

    None where somebody waits, who is answered; and for our own follow-ups, whose first body is the journal's.
    """
    envelope = item.envelope
    if envelope.reply_to is not None or envelope.source in FOLLOW_UP_SOURCES:
        return None
    id_, source = envelope.input_id or envelope.id, envelope.input_source or envelope.source
    told = f"ce_id {id_} of ce_source {source} was used before with another body, which counts; use a new ce_id"
    return Undecodable(item.record, envelope, Poison("id_reused", told))
