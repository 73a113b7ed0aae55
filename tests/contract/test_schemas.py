"""The committed contracts: as generated, as promised, valid, and true of what the models write and read."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from schemas import generate
from schemas._envelope_schema import envelope_schema
from schemas._registry import WireType
from schemas.envelope import REQUIRED, Envelope
from schemas.generate import HERE, catalogue, documents, registry, stale
from schemas.topics import TOPICS, Kind
from services.points.reactions import react_to_fulfilments, react_to_orders
from shared.reactions import Reaction, ReactionContext
from tests.contract.examples import ACCOUNT, COMMAND, EXAMPLES
from tests.contract.fitting import committed, complaints, payload

TYPES = registry()
INSTANCES = [(TYPES[name], value) for name, values in EXAMPLES.items() for value in values]
IDS = [wire_type.name for wire_type, _ in INSTANCES]


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON document."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(child)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


@pytest.fixture(scope="module")
def asyncapi() -> Any:
    return yaml.safe_load((HERE / "asyncapi.yaml").read_text(encoding="utf-8"))


def test_what_is_committed_is_what_is_generated() -> None:
    assert stale(documents(catalogue())) == [], "run `make schemas`"


def test_no_default_is_an_object() -> None:
    """Generators of clients refuse a model with such a default, and leave out every operation that uses it."""
    for path in (HERE / "openapi.json", *(HERE / "json").glob("*.json")):
        defaults = [each["default"] for each in nodes(json.loads(path.read_bytes())) if "default" in each]
        assert not [default for default in defaults if isinstance(default, dict)], path.name


def test_nothing_breaks_what_is_released() -> None:
    assert (HERE / generate.RELEASED).exists()
    assert generate.broken(catalogue()) == []


@pytest.mark.parametrize("name", TYPES)
def test_schema_is_valid(name: str) -> None:
    schema = committed(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == schema["title"] == name
    assert schema["description"]
    for example in schema.get("examples", ()):
        assert complaints(schema, example) == []


def test_every_type_has_an_example() -> None:
    assert sorted(EXAMPLES) == sorted(TYPES)


@pytest.mark.parametrize(("wire_type", "value"), INSTANCES, ids=IDS)
def test_example_fits_its_schema_and_comes_back(wire_type: WireType, value: BaseModel) -> None:
    assert complaints(committed(wire_type.name), payload(wire_type, value)) == []
    assert type(value).model_validate_json(json.dumps(payload(wire_type, value))) == value


@pytest.mark.parametrize(("wire_type", "value"), INSTANCES, ids=IDS)
def test_unknown_fields(wire_type: WireType, value: BaseModel) -> None:
    """What we accept is closed, for the schema as for the model; what we publish may gain fields."""
    more = {**payload(wire_type, value), "unheardOf": 1}
    closed = wire_type.direction == "accepted" and wire_type.name != "fealty.get_outcome.v1"
    assert bool(complaints(committed(wire_type.name), more)) is closed


def test_asyncapi_references_resolve(asyncapi: Any) -> None:
    for reference in references(asyncapi):
        if reference.startswith("./"):
            assert (HERE / reference).is_file(), reference
            continue
        node = asyncapi
        for step in reference.removeprefix("#/").split("/"):
            assert step in node, reference
            node = node[step]


def test_asyncapi_has_every_topic_and_type(asyncapi: Any) -> None:
    assert asyncapi["asyncapi"] == "3.0.0"
    assert set(asyncapi["channels"]) == set(TOPICS)
    carried = {(name, message) for name, channel in asyncapi["channels"].items() for message in channel["messages"]}
    assert carried == {(topic, wire_type.name) for wire_type in TYPES.values() for topic in wire_type.topics}
    for name, channel in asyncapi["channels"].items():
        kafka = channel["bindings"]["kafka"]
        assert kafka["partitions"] == 12
        assert str(kafka["topicConfiguration"].get("retention.ms")) == TOPICS[name].config.get("retention.ms", "None")
    for message in asyncapi["components"]["messages"].values():
        assert message["payload"] == {"$ref": f"./json/{message['name']}.json"}
        assert message["bindings"]["kafka"]["key"]["type"] == "string"
        assert message["headers"]


@pytest.mark.parametrize(
    ("topic", "react"), [("oms.fulfilments", react_to_fulfilments), ("webshop.orders", react_to_orders)]
)
def test_the_example_of_an_input_is_taken_with_its_headers(asyncapi: Any, topic: str, react: Reaction) -> None:
    for name in asyncapi["channels"][topic]["messages"]:
        (example,) = asyncapi["components"]["messages"][name]["examples"]
        headers = example["headers"]
        assert [*Draft202012Validator(envelope_schema(Kind.INPUT)).iter_errors(headers)] == []
        assert set(headers) == set(REQUIRED)
        envelope = Envelope.from_headers([(key, value.encode()) for key, value in headers.items()])
        assert react(envelope, json.dumps(example["payload"]).encode(), ReactionContext("default", b"secret"))


def test_asyncapi_operations(asyncapi: Any) -> None:
    operated = {}
    for operation in asyncapi["operations"].values():
        channel = operation["channel"]["$ref"].removeprefix("#/channels/")
        operated[channel] = operation["action"]
        listed = {reference["$ref"].rsplit("/", 1)[1] for reference in operation["messages"]}
        assert listed == set(asyncapi["channels"][channel]["messages"])
        assert ("reply" in operation) is (TOPICS[channel].kind is Kind.COMMANDS)
    received = {name for name, action in operated.items() if action == "receive"}
    assert received == {name for name, topic in TOPICS.items() if topic.kind in (Kind.COMMANDS, Kind.INPUT)}


@pytest.mark.parametrize("kind", Kind)
def test_envelope(kind: Kind) -> None:
    """The headers of a whole envelope are all described, and the least that its reader takes is required."""
    whole = Envelope(
        id=COMMAND,
        type="t.v1",
        source="/points",
        subject=ACCOUNT,
        time="2026-11-22T10:00:01.123Z",
        store="default",
        correlation_id=COMMAND,
        causation_id=COMMAND,
        sequence=17,
        reply_to="edge.replies",
        reply_partition=3,
        not_after=1_795_000_000_000,
        request_hash="ab" * 32,
        input_topic="webshop.orders",
        input_source="/shop/nl",
        input_id="S-1",
        actor="client:c",
        signature="cd" * 32,
    )
    headers = {name: value.decode() for name, value in whole.headers()}
    schema = envelope_schema(kind)
    assert complaints(schema, headers) == []
    described = {name for every in Kind for name in envelope_schema(every)["properties"]}
    assert described == set(headers)
    assert set(REQUIRED) <= set(schema["required"]) <= set(schema["properties"])
    for name in schema["required"]:
        assert complaints(schema, {other: text for other, text in headers.items() if other != name})


def test_every_example_has_its_headers_and_fits(asyncapi: Any) -> None:
    shown = 0
    for message in asyncapi["components"]["messages"].values():
        for example in message.get("examples", ()):
            shown += 1
            payload = json.loads((HERE / message["payload"]["$ref"]).read_text())
            headers = asyncapi["components"]["schemas"][message["headers"]["$ref"].rpartition("/")[2]]
            for schema, value in ((payload, example["payload"]), (headers, example["headers"])):
                checker = Draft202012Validator.FORMAT_CHECKER
                assert [*Draft202012Validator(schema, format_checker=checker).iter_errors(value)] == []
            assert example["headers"]["ce_type"] == message["name"]
    assert shown > 8


def test_kinds_of_changes_are_an_open_list() -> None:
    kind = json.loads((HERE / "json" / "points.changed.v1.json").read_text())["properties"]["kind"]
    assert "enum" not in kind
    assert {"load", "redeem", "expire"} <= {*kind["x-extensible-enum"]} == {*kind["examples"]}
