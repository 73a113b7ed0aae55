"""Step 2: from bytes to an envelope and a payload, or to poison."""

import re
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from schemas.envelope import Envelope, EnvelopeError
from schemas.replies import GET_OUTCOME
from schemas.text import STORED
from schemas.topics import TOPICS, Kind
from shared.clock import instant
from shared.decider import Command, Streams
from shared.errors import Poison
from shared.hashing import request_hash
from shared.runtime.kafka import ConsumerRecord
from shared.runtime.service import Service, Show
from shared.runtime.signing import is_forged
from shared.settings import Settings

OUR_SOURCES = frozenset(
    {"/edge", "/cli"}
    | {
        f"/{topic.owner}{part}"
        for topic in TOPICS.values()
        if topic.kind is Kind.COMMANDS
        for part in ("", "/sweep", "/reactions")
    }
)
"""Who sends what a door has checked: an identifier that was taken once is never refused on the way."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Incoming(NamedTuple):
    """A decoded command, with the record that carried it and the streams that it names.

    The command's `now` is the broker's time of appending until step 4 sets it (P4).
    """

    record: ConsumerRecord[bytes, bytes]
    envelope: Envelope
    command: Command
    streams: Streams
    request_hash: str


class Query(NamedTuple):
    """A poll for the outcome of the command `command_id` of a store (P8)."""

    record: ConsumerRecord[bytes, bytes]
    envelope: Envelope
    command_id: str
    store: str


class Preview(NamedTuple):
    """A command to decide and not to do; `show` makes the answer of what it would book, `type` was asked for."""

    incoming: Incoming
    type: str
    show: Show


class Undecodable(NamedTuple):
    """A record that can never be a command; the envelope is there when at least that could be read."""

    record: ConsumerRecord[bytes, bytes]
    envelope: Envelope | None
    error: Exception


class Decoder:
    """Decodes the commands of one service by its registry of wire models."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self._adapters: dict[str, TypeAdapter[Any]] = {
            name: TypeAdapter(model) for name, model in service.commands.items()
        }
        self._previews = service.previews
        self._streams = service.decider.streams
        self._store = settings.store
        self._secret = settings.secret.get_secret_value().encode()
        self._record_bytes_max = settings.record_bytes_max
        self._replies = settings.topic("edge.replies")
        self._partitions = settings.partitions

    def __call__(self, record: ConsumerRecord[bytes, bytes]) -> Incoming | Query | Preview | Undecodable:
        """Decode one record; never raises for what the record holds.

        Reasons: `bad_envelope`, `no_value`, `too_large`, `unknown_type`, `bad_payload`.
        """
        envelope: Envelope | None = None
        try:
            envelope = self._envelope(record)
            if envelope.type == GET_OUTCOME:
                return Query(record, envelope, envelope.causation_id or "", envelope.store or self._store)
            if (asked := self._previews.get(envelope.type)) is not None:
                command = self._command(record, envelope._replace(type=asked.command))
                return Preview(command, envelope.type, asked.show)
            return self._command(record, envelope)
        except EnvelopeError as error:
            return Undecodable(record, None, Poison("bad_envelope", str(error)))
        except Poison as error:
            return Undecodable(record, envelope, error)

    def envelope(self, record: ConsumerRecord[bytes, bytes]) -> Envelope | None:
        """The record's envelope alone; None when it is no good, and nobody can be answered."""
        try:
            return self._envelope(record)
        except EnvelopeError:
            return None

    def _envelope(self, record: ConsumerRecord[bytes, bytes]) -> Envelope:
        envelope = Envelope.from_headers(record.headers)
        if not _UUID.fullmatch(envelope.id):
            raise EnvelopeError("ce_id of a command must be a UUID in lower case")
        if is_forged(self._secret, envelope, record.value):
            raise EnvelopeError(f"ce_source is {envelope.source}, a service, and ce_signature is not its")
        if envelope.reply_to is None and envelope.reply_partition is None:
            return envelope
        if envelope.reply_to != self._replies:
            raise EnvelopeError("ce_replyto is not a topic of replies")
        if envelope.reply_partition is None or envelope.reply_partition >= self._partitions:
            raise EnvelopeError("ce_replypartition is not a partition of the topic of replies")
        return envelope

    def _command(self, record: ConsumerRecord[bytes, bytes], envelope: Envelope) -> Incoming:
        value = checked_value(record, self._record_bytes_max)
        adapter = self._adapters.get(envelope.type)
        if adapter is None:
            raise Poison("unknown_type", f"the service has no command {envelope.type[:100]!r}")
        try:
            payload = adapter.validate_json(value, context=STORED if envelope.source in OUR_SOURCES else None)
        except ValidationError as error:
            raise Poison("bad_payload", describe(error)) from error
        store = envelope.store or self._store
        now = instant(record.timestamp)
        command = Command(envelope.id, envelope.type, store, envelope.subject, payload, now, self._secret)
        hashed = envelope.request_hash or request_hash(self._secret, envelope.type, envelope.subject, value)
        return Incoming(record, envelope, command, self._streams(command), hashed)


def checked_value(record: ConsumerRecord[bytes, bytes], bytes_max: int) -> bytes:
    """The record's value.

    :raises Poison: `no_value` when it is null, `too_large` when it has more than `bytes_max` bytes.
    """
    value = record.value
    if value is None:
        raise Poison("no_value", "the value is null")
    if len(value) > bytes_max:
        raise Poison("too_large", f"the value has {len(value)} bytes, more than {bytes_max}")
    return value


def describe(error: ValidationError) -> str:
    """The first three errors, each with its place; never the input, which may be personal."""
    parts = [
        f"/{'/'.join(str(step) for step in item['loc'])}: {item['msg']}"
        for item in error.errors(include_input=False, include_url=False, include_context=False)[:3]
    ]
    more = error.error_count() - len(parts)
    return "; ".join(parts) + (f"; and {more} more" if more > 0 else "")
