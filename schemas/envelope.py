"""The envelope of every record: CloudEvents 1.0, Kafka binding, binary mode.

Every attribute is a header `ce_<name>`; the record's value is the JSON payload alone.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

Headers = Sequence[tuple[str, bytes | None]]

SPECVERSION = "1.0"
REQUIRED = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject")
ATTRIBUTE_CHARS_MAX = 256
_DIGITS_MAX = 18
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})")
STORE = r"^[A-Za-z0-9][A-Za-z0-9._\-]{0,63}$"
"""What a store may be called: the names of streams have it in them, so that a slash would lead into another's."""

_STORE = re.compile(STORE)


class EnvelopeError(ValueError):
    """The headers are no envelope: something is missing, null, empty, too long, or not UTF-8."""


class Envelope(NamedTuple):
    """Who says what about which aggregate. Ids are UUIDs in text, except in inputs, where they are the caller's.

    `not_after` is milliseconds since the epoch; `sequence` the account's; `request_hash` hexadecimal (P3).
    `input_*` say of a command which record of another system it was translated from: its topic, without the
    installation's prefix, and its own source and id. `actor` is who had a command sent, `client:<id>`: it goes along
    with the commands that this one causes, and is never published. `signature` shows that a service of ours sent it.
    """

    id: str
    type: str
    source: str
    subject: str
    time: str | None = None
    store: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    sequence: int | None = None
    reply_to: str | None = None
    reply_partition: int | None = None
    not_after: int | None = None
    request_hash: str | None = None
    input_topic: str | None = None
    input_source: str | None = None
    input_id: str | None = None
    actor: str | None = None
    signature: str | None = None

    def headers(self) -> list[tuple[str, bytes]]:
        """The envelope as Kafka headers, absent attributes left out."""
        return [
            ("ce_specversion", b"1.0"),
            *((header, str(value).encode()) for header, value in zip(_HEADERS, self, strict=True) if value is not None),
        ]

    @classmethod
    def from_headers(cls, headers: Headers) -> "Envelope":
        """Read an envelope.

        :raises EnvelopeError: naming the first header that is wrong.
        """
        known = _decode(headers)
        get = known.get
        id_, type_, source, subject = get("ce_id"), get("ce_type"), get("ce_source"), get("ce_subject")
        if not (id_ and type_ and source and subject and get("ce_specversion")):
            missing = next(name for name in REQUIRED if not get(name))
            raise EnvelopeError(f"header {missing} is missing")
        if (store := get("ce_store")) is not None and not _STORE.fullmatch(store):
            raise EnvelopeError("ce_store has 1 to 64 letters, digits, dots, dashes and underscores")
        if known["ce_specversion"] != SPECVERSION:
            raise EnvelopeError(f"ce_specversion must be {SPECVERSION}")
        return cls(
            id_,
            type_,
            source,
            subject,
            _time(known),
            get("ce_store"),
            get("ce_correlationid"),
            get("ce_causationid"),
            _int(known, "ce_sequence"),
            get("ce_replyto"),
            _int(known, "ce_replypartition"),
            _int(known, "ce_notafter"),
            get("ce_requesthash"),
            get("ce_inputtopic"),
            get("ce_inputsource"),
            get("ce_inputid"),
            get("ce_actor"),
            get("ce_signature"),
        )


# In the order of the envelope's fields.
_HEADERS = (
    "ce_id",
    "ce_type",
    "ce_source",
    "ce_subject",
    "ce_time",
    "ce_store",
    "ce_correlationid",
    "ce_causationid",
    "ce_sequence",
    "ce_replyto",
    "ce_replypartition",
    "ce_notafter",
    "ce_requesthash",
    "ce_inputtopic",
    "ce_inputsource",
    "ce_inputid",
    "ce_actor",
    "ce_signature",
)


def _decode(headers: Headers) -> dict[str, str]:
    """The `ce_` headers as text; others belong to somebody else and are not looked at."""
    try:
        known = {name: raw.decode() for name, raw in headers if name.startswith("ce_")}  # type: ignore[union-attr]
        if max(map(len, known.values()), default=0) <= ATTRIBUTE_CHARS_MAX:
            return known
    except (AttributeError, UnicodeDecodeError):
        pass
    raise EnvelopeError(_complaint(headers))


def _complaint(headers: Headers) -> str:
    """What is wrong with headers of which one is."""
    for name, raw in headers:
        if name.startswith("ce_"):
            if raw is None:
                return f"header {name} is null"
            try:
                text = raw.decode()
            except UnicodeDecodeError:
                return f"header {name} is not UTF-8"
            if len(text) > ATTRIBUTE_CHARS_MAX:
                return f"header {name} is longer than {ATTRIBUTE_CHARS_MAX} characters"
    raise AssertionError("the headers are well")


def _int(known: dict[str, str], name: str) -> int | None:
    if name not in known:
        return None
    text = known[name]
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS_MAX:
        raise EnvelopeError(f"header {name} is not a whole number of at most {_DIGITS_MAX} digits")
    return int(text)


def _time(known: dict[str, str]) -> str | None:
    text = known.get("ce_time")
    if text is None:
        return None
    try:
        if _TIME.fullmatch(text):
            datetime.fromisoformat(text.upper())
            return text
    except ValueError:  # A day or an hour that there is not.
        pass
    raise EnvelopeError("header ce_time is no time as in RFC 3339, such as 2026-11-22T10:00:00Z")
