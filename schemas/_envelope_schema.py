"""The headers of a record as JSON Schema, by what its topic is for (schemas/envelope.py)."""

from typing import Any

from schemas.envelope import ATTRIBUTE_CHARS_MAX, REQUIRED, SPECVERSION, STORE
from schemas.topics import Kind

_UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_NUMBER = "^[0-9]{1,18}$"

_ATTRIBUTES: dict[str, dict[str, Any]] = {
    "ce_specversion": {"const": SPECVERSION, "description": "The version of CloudEvents."},
    "ce_id": {"minLength": 1, "description": "Unique within the source; a repeat is recognised by it."},
    "ce_source": {"minLength": 1, "description": "Who says it."},
    "ce_type": {"minLength": 1, "description": "The type of the value, with its version."},
    "ce_subject": {"minLength": 1, "description": "The aggregate that it is about."},
    "ce_time": {"format": "date-time", "description": "When it happened, in RFC 3339."},
    "ce_store": {"pattern": STORE, "description": "The tenant; without it the installation's default store."},
    "ce_correlationid": {"description": "The same in everything that one request causes."},
    "ce_causationid": {"description": "The id of the command or input that caused it, or that is asked about."},
}
_SEQUENCE = {"ce_sequence": {"pattern": _NUMBER, "description": "Runs 1, 2, 3, … over the whole aggregate."}}
_REPLY = {
    "ce_replyto": {"description": "The topic of replies, when the sender wants one."},
    "ce_replypartition": {"pattern": _NUMBER, "description": "The partition of it that the sender reads."},
    "ce_notafter": {
        "pattern": _NUMBER,
        "description": "Milliseconds since the epoch: a command appended later is dropped with the reply `too_late`.",
    },
    "ce_requesthash": {"description": "The edge's keyed hash over what the caller said."},
    "ce_actor": {"description": "Who had it sent, `client:<id>`; on commands alone, and kept in the journal."},
    "ce_signature": {
        "description": "The services' keyed hash over a command that one of them sends on its own; "
        "what names a service as its `ce_source` without it is a dead letter."
    },
}
_INPUT = {
    "ce_inputtopic": {"description": "The topic of the input that this command was translated from."},
    "ce_inputsource": {"description": "The `ce_source` of that input."},
    "ce_inputid": {"description": "The `ce_id` of that input."},
}
_OURS = (*REQUIRED, "ce_time", "ce_store", "ce_correlationid", "ce_causationid")

_KINDS: dict[Kind, tuple[tuple[str, ...], dict[str, dict[str, Any]]]] = {
    Kind.INPUT: (REQUIRED, {}),
    Kind.COMMANDS: (REQUIRED, {**_REPLY, **_INPUT, "ce_id": {**_ATTRIBUTES["ce_id"], "pattern": _UUID}}),
    Kind.EVENTS: (_OURS, _SEQUENCE),
    Kind.CHANGES: ((*_OURS, "ce_sequence"), _SEQUENCE),
    Kind.SNAPSHOTS: (REQUIRED, {}),
    Kind.REPLIES: ((*REQUIRED, "ce_causationid"), {}),
    Kind.DEAD_LETTERS: (REQUIRED, {}),
}


def envelope_schema(kind: Kind) -> dict[str, Any]:
    """The headers of a record on a topic of this kind: UTF-8 text, each at most ATTRIBUTE_CHARS_MAX bytes."""
    required, further = _KINDS[kind]
    attributes = {**_ATTRIBUTES, **further}
    return {
        "type": "object",
        "description": f"The CloudEvents envelope on a topic of {kind}.",
        "required": sorted(required),
        "properties": {
            name: {"type": "string", "maxLength": ATTRIBUTE_CHARS_MAX, **details}
            for name, details in attributes.items()
        },
    }
