"""Step 2: from bytes to an envelope and a payload, or to poison."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from schemas.envelope import Envelope, EnvelopeError
from schemas.replies import GET_OUTCOME
from shared.clock import instant
from shared.errors import Poison
from shared.hashing import request_hash
from shared.runtime.kafka import ConsumerRecord

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A decoded command with the record that carried it. `at` is the broker's time of appending (P4)."""

    record: ConsumerRecord[bytes, bytes]
    at: datetime
    envelope: Envelope
    store: str
    payload: Any
    request_hash: str


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A record that can never be a command; the envelope is there when at least that could be read."""

    record: ConsumerRecord[bytes, bytes]
    envelope: Envelope | None
    error: Exception


class Decoder:
    """Decodes the commands of one service; `commands` maps each type to its wire model."""

    def __init__(
        self, commands: Mapping[str, type[BaseModel]], store: str, secret: bytes, record_bytes_max: int, replies: str
    ) -> None:
        self._adapters: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(model) for name, model in commands.items()}
        self._store = store
        self._secret = secret
        self._record_bytes_max = record_bytes_max
        self._replies = replies

    def __call__(self, record: ConsumerRecord[bytes, bytes]) -> Incoming | Undecodable:
        """Decode one record; never raises for what the record holds.

        Reasons: `bad_envelope`, `no_value`, `too_large`, `unknown_type`, `bad_payload`.
        """
        envelope: Envelope | None = None
        try:
            envelope = Envelope.from_headers(record.headers)
            if not _UUID.fullmatch(envelope.id):
                raise EnvelopeError("ce_id of a command must be a UUID in lower case")
            if envelope.reply_to not in (None, self._replies):
                raise EnvelopeError("ce_replyto is no topic of replies")
            value = checked_value(record, self._record_bytes_max)
            payload = self._payload(envelope.type, value)
        except EnvelopeError as error:
            return Undecodable(record, None, Poison("bad_envelope", str(error)))
        except Poison as error:
            return Undecodable(record, envelope, error)
        return Incoming(
            record=record,
            at=instant(record.timestamp),
            envelope=envelope,
            store=envelope.store or self._store,
            payload=payload,
            request_hash=envelope.request_hash or request_hash(self._secret, envelope.type, envelope.subject, value),
        )

    def _payload(self, type_: str, value: bytes) -> Any:
        if type_ == GET_OUTCOME:
            return None
        adapter = self._adapters.get(type_)
        if adapter is None:
            raise Poison("unknown_type", f"no command of this service is called {type_[:100]!r}")
        try:
            return adapter.validate_json(value)
        except ValidationError as error:
            raise Poison("bad_payload", describe(error)) from error


def checked_value(record: ConsumerRecord[bytes, bytes], bytes_max: int) -> bytes:
    """The record's value.

    :raises Poison: `no_value` when it is null, `too_large` when it has more than `bytes_max` bytes.
    """
    value = record.value
    if value is None:
        raise Poison("no_value", "the value is null")
    if len(value) > bytes_max:
        raise Poison("too_large", f"{len(value)} bytes are more than {bytes_max}")
    return value


def describe(error: ValidationError) -> str:
    """The first three errors, each with its place; never the input, which may be personal."""
    parts = [
        f"/{'/'.join(str(step) for step in item['loc'])}: {item['msg']}"
        for item in error.errors(include_input=False, include_url=False, include_context=False)[:3]
    ]
    more = error.error_count() - len(parts)
    return "; ".join(parts) + (f"; and {more} more" if more > 0 else "")
