"""The AsyncAPI 3.0 document: the table of topics, the envelope, and every registered type.

Written by hand rather than by a framework, because the frameworks leave out headers, keys and replies.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from schemas._envelope_schema import envelope_schema
from schemas._registry import WireType
from schemas.envelope import SPECVERSION
from schemas.topics import TOPICS, Kind, Topic

BINDING_VERSION = "0.5.0"
DESCRIPTION = """\
Every record is a CloudEvents 1.0 event in binary mode: attributes are headers `ce_<name>`, the value is the JSON \
payload alone. Topic names take the installation's prefix, which is empty by default. Only `<service>.commands` \
changes a service's state. Every event is published at least once, always with the same id and content, its first \
appearance in order per key; a reader that keeps the last `ce_sequence` of each account together with its own effect \
sees each change exactly once.
"""
_ACCOUNT_NUMBER = "6299000000000000017"
_ID, _AGGREGATE = "0199d2a5-7c00-7000-8000-000000000001", "0b1f3c5e-7c00-5000-8000-00000000000a"
_TIME = "2026-11-22T10:00:01.123Z"
_RECEIVED = (Kind.COMMANDS, Kind.INPUT)
_KEYS = {
    "account": "The subject: the id of the account, or of a programme; in one partition, in order.",
    "holder": "The subject: the id of the account, else the voucher's serial or the definition's code.",
    "voucher": "The subject: the voucher's serial, the definition's code, or the id of what was decided on.",
    "card": "The subject: the id of the gift card, or of a card type; in one partition, in order.",
    "customer": "The subject: the id of the customer, or the name of a claim; in one partition, in order.",
    "stream": "The stream of the aggregate; compaction keeps its latest state. Ticks have their own.",
    "command": "The id of the command that is answered.",
    "record": "Topic, partition and offset of the record that could not work.",
    "order": "The order number: what is told of one order is read in the order in which it was told.",
    "anything": "Any key of the sender's choice; it only decides the order among the sender's own records.",
}

Document = dict[str, Any]


def asyncapi(types: Mapping[str, WireType], schemas: Mapping[str, Document], partitions: int, host: str) -> Document:
    """The whole document, from the viewpoint of Fealty: it receives commands and inputs, and sends the rest."""
    by_topic = {name: [wire_type for wire_type in types.values() if name in wire_type.topics] for name in TOPICS}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Fealty", "version": "1", "description": DESCRIPTION},
        "defaultContentType": "application/json",
        "servers": {"kafka": {"host": host, "protocol": "kafka", "description": "The broker of a local installation."}},
        "channels": {topic.name: _channel(topic, by_topic[topic.name], partitions) for topic in TOPICS.values()},
        "operations": {
            _operation_id(topic): _operation(topic, by_topic[topic.name])
            for topic in TOPICS.values()
            if topic.kind is not Kind.REPLIES
        },
        "components": {
            "messages": {
                _message_id(topic, wire_type): _message(topic, wire_type, schemas[wire_type.name])
                for topic in TOPICS.values()
                for wire_type in by_topic[topic.name]
            },
            "schemas": {_headers_id(kind): envelope_schema(kind) for kind in Kind},
        },
    }


def _channel(topic: Topic, types: Iterable[WireType], partitions: int) -> Document:
    return {
        "address": topic.name,
        "title": topic.name,
        "description": topic.description,
        "messages": {
            wire_type.name: {"$ref": f"#/components/messages/{_message_id(topic, wire_type)}"} for wire_type in types
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": partitions,
                "topicConfiguration": _configuration(topic),
                "bindingVersion": BINDING_VERSION,
            }
        },
    }


def _configuration(topic: Topic) -> Document:
    """The broker's settings with the types that the binding asks for."""
    config: Document = {
        name: int(value) if value.lstrip("-").isdigit() else value for name, value in topic.config.items()
    }
    config["cleanup.policy"] = topic.config.get("cleanup.policy", "delete").split(",")
    return config


def _operation(topic: Topic, types: Iterable[WireType]) -> Document:
    operation: Document = {
        "action": "receive" if topic.kind in _RECEIVED else "send",
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": topic.description,
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{wire_type.name}"} for wire_type in types],
    }
    if topic.kind is Kind.COMMANDS:
        (replies,) = (other.name for other in TOPICS.values() if other.kind is Kind.REPLIES)
        operation["description"] = (
            "A command with `ce_replyto` (the topic of replies) and `ce_replypartition` is answered in that "
            "partition, with the command's `ce_correlationid`; without them nothing is answered."
        )
        operation["reply"] = {
            "channel": {"$ref": f"#/channels/{replies}"},
            "messages": [{"$ref": f"#/channels/{replies}/messages/fealty.reply.v1"}],
        }
    return operation


def _message(topic: Topic, wire_type: WireType, schema: Document) -> Document:
    message: Document = {
        "name": wire_type.name,
        "title": wire_type.name,
        "contentType": "application/json",
        "description": schema.get("description", wire_type.name),
        "headers": {"$ref": f"#/components/schemas/{_headers_id(topic.kind)}"},
        "payload": {"$ref": f"./json/{wire_type.name}.json"},
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": _KEYS[topic.keyed_by]},
                "bindingVersion": BINDING_VERSION,
            }
        },
    }
    if wire_type.example is not None:
        message["examples"] = [{"headers": _headers_example(topic.kind, wire_type), "payload": dict(wire_type.example)}]
    return message


def _headers_example(kind: Kind, wire_type: WireType) -> Document:
    """The headers of an example; an input's subject is the order number, or of a transaction the account number."""
    assert wire_type.example is not None
    given = {"ce_specversion": SPECVERSION, "ce_type": wire_type.name}
    match kind:
        case Kind.INPUT:
            sender = "/oms" if wire_type.topics == ("oms.fulfilments",) else "/webshop"
            subject = wire_type.example.get("order", _ACCOUNT_NUMBER)
            return {**given, "ce_id": "f-1001", "ce_source": sender, "ce_subject": subject}
        case Kind.COMMANDS:
            return {**given, "ce_id": _ID, "ce_source": "/edge", "ce_subject": _AGGREGATE, "ce_time": _TIME}
        case _:
            return {
                **given,
                "ce_id": _ID,
                "ce_source": "/points",
                "ce_subject": _AGGREGATE,
                "ce_time": _TIME,
                "ce_store": "default",
                "ce_correlationid": _ID,
                "ce_causationid": _ID,
                "ce_sequence": str(wire_type.example["sequence"]),
            }


def _operation_id(topic: Topic) -> str:
    return f"{'receive' if topic.kind in _RECEIVED else 'send'}.{topic.name}"


def _message_id(topic: Topic, wire_type: WireType) -> str:
    """A type on several topics is a message on each, since headers and key differ."""
    return wire_type.name if len(wire_type.topics) == 1 else f"{topic.name}.{wire_type.name}"


def _headers_id(kind: Kind) -> str:
    return f"envelope.{kind}"
