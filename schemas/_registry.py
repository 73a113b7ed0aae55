"""Every type on the wire, with the topics that carry it. The documents are generated from this list alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from schemas import (
    accounts,
    changes,
    customer_views,
    customers,
    giftcard_batches,
    giftcards,
    inputs,
    order_examples,
    points,
    previews,
    refusals,
    replies,
    transaction,
    vouchers,
)
from schemas.base import Published, Wire
from schemas.compatibility import Direction
from schemas.topics import TOPICS, Kind

DEAD_LETTERED = "fealty.dead_lettered.v1"
TOO_LARGE = "too_large"
"""The one code of a refusal that is the runtime's and not the rules'."""


@dataclass(frozen=True, slots=True)
class WireType:
    """A type string with its model. `accepted` is what others send to us, `published` what others read from us.

    Beside the fields of its model, a `versioned` type carries the version of its stream, which the runtime adds.
    """

    name: str
    model: type[BaseModel]
    direction: Direction
    topics: tuple[str, ...]
    note: str = ""
    versioned: bool = False
    example: Mapping[str, Any] | None = None


class GetOutcome(Published):
    """`fealty.get_outcome.v1`: asks for the outcome of an earlier command, in that command's partition (protocol P8).

    The value is not looked at. The header `ce_causationid` names the command, `ce_notafter` is that of the command,
    and the answer is a reply.
    """


class Tick(Published):
    """`fealty.tick.v1`: keeps a quiet partition's compaction going (protocol P10). Readers skip it."""


class DeadLettered(Published):
    """`fealty.dead_lettered.v1`: a record that can never work was put aside; where it stood, and why (protocol P6)."""

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    attempts: int
    command_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceWire:
    """All that a stateful service has on the wire: what it is told, what it tells, and how it refuses.

    `views` are the states in its snapshots; `changed` is the type of its stream of changes, if it has one.
    """

    name: str
    commands: Mapping[str, type[Wire]]
    events: Mapping[str, type[Published]]
    rejections: Mapping[str, str]
    rejected: type[Published]
    codes: type[StrEnum]
    views: Mapping[str, type[BaseModel]]
    changed: tuple[str, type[Published]] | None = None
    examples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


SERVICES = (
    ServiceWire(
        name="points",
        commands=points.COMMANDS,
        events=points.EVENTS,
        rejections=points.REJECTIONS,
        rejected=refusals.PointsRejected,
        codes=refusals.PointsRefusal,
        views={
            points.ACCOUNT_VIEW: accounts.AccountView,
            points.PROGRAMME_VIEW: points.ProgrammeView,
            points.CATALOGUE_VIEW: points.CatalogueView,
        },
        changed=(changes.CHANGED, changes.PointsChanged),
        examples={
            "points.post_transaction.v1": {"accountNumber": "6299000000000000017", **transaction.example()},
            changes.CHANGED: changes.example(),
        },
    ),
    ServiceWire(
        name="voucher",
        commands=vouchers.COMMANDS,
        events=vouchers.EVENTS,
        rejections=vouchers.REJECTIONS,
        rejected=refusals.VoucherRejected,
        codes=refusals.VoucherRefusal,
        views={vouchers.VOUCHER_VIEW: vouchers.VoucherView, vouchers.DEFINITION_VIEW: vouchers.DefinitionView},
        changed=(vouchers.CHANGED, vouchers.VoucherChanged),
    ),
    ServiceWire(
        name="giftcard",
        commands=giftcards.COMMANDS,
        events=giftcards.EVENTS,
        rejections=giftcards.REJECTIONS,
        rejected=giftcards.CardRejected,
        codes=giftcards.CardRefusal,
        views={
            giftcards.CARD_VIEW: giftcards.CardView,
            giftcards.CARD_TYPE_VIEW: giftcards.CardTypeView,
            giftcard_batches.BATCH_VIEW: giftcard_batches.BatchView,
        },
        changed=(giftcards.CHANGED, giftcards.CardChanged),
    ),
    ServiceWire(
        name="customer",
        commands=customers.COMMANDS,
        events=customers.EVENTS,
        rejections=customers.REJECTIONS,
        rejected=customers.CustomerRejected,
        codes=customers.CustomerRefusal,
        views={customer_views.CUSTOMER_VIEW: customer_views.CustomerView},
        examples={
            "customer.create.v1": {
                "customerInfo": {"firstName": "Ada", "emailAddress": "ada@example.org", "dateOfBirth": "1990-09-11"}
            }
        },
    ),
)
"""A row for each stateful service."""


def registry() -> dict[str, WireType]:
    """All published and accepted types by their type string, in alphabetical order."""
    parts = (_inputs(), *map(_service, SERVICES), _previews(), _runtime())
    types = sorted((each for part in parts for each in part), key=lambda wire_type: wire_type.name)
    by_name = {wire_type.name: wire_type for wire_type in types}
    if len(by_name) != len(types):
        raise ValueError("a type string is registered twice")
    return by_name


def _inputs() -> Iterable[WireType]:
    placed = order_examples.placement_example()
    examples = {
        "loyalty.transaction.v1": transaction.example(),
        "order.placed.v1": placed,
        "order.amended.v1": {**placed, "revision": 2},
        "order.fulfilled.v1": order_examples.fact_example("F-1"),
        "order.cancelled.v1": order_examples.fact_example("C-1"),
        "order.returned.v1": order_examples.fact_example("R-1"),
    }
    for topic, types in (("oms.fulfilments", inputs.FULFILMENTS), ("webshop.orders", inputs.ORDERS)):
        for name, model in types.items():
            yield WireType(name, model, "accepted", (topic,), example=examples[name])


def _service(service: ServiceWire) -> Iterable[WireType]:
    """The types of a service, on the topics that it has (`schemas.topics`)."""

    def on(kind: str, name: str, model: type[BaseModel], direction: Direction, note: str = "") -> WireType:
        example, versioned = service.examples.get(name), kind == "snapshots"
        return WireType(name, model, direction, (f"{service.name}.{kind}",), note, versioned, example)

    for name, command in service.commands.items():
        yield on("commands", name, command, "accepted")
    for name, event in service.events.items():
        yield on("events", name, event, "published")
    codes = ", ".join(f"`{code}`" for code in sorted((*service.codes, TOO_LARGE)))
    for refused in sorted(set(service.rejections.values())):
        causes = ", ".join(f"`{command}`" for command, rejection in service.rejections.items() if rejection == refused)
        note = f"Refuses {causes}. The codes, to which later versions may add: {codes}."
        yield on("events", refused, service.rejected, "published", note)
    if service.changed is not None:
        yield on("changes", *service.changed, "published")
    for name, view in service.views.items():
        yield on("snapshots", name, view, "published")


def _previews() -> Iterable[WireType]:
    for name, (command, model) in previews.PREVIEWS.items():
        note = f"Asks what `{command}` with this value would come to; a reply says so, and nothing is done."
        yield WireType(name, model, "accepted", (f"{name.partition('.')[0]}.commands",), note)


def _runtime() -> Iterable[WireType]:
    yield WireType(replies.REPLY, replies.Reply, "published", _topics(Kind.REPLIES))
    yield WireType(replies.GET_OUTCOME, GetOutcome, "accepted", _topics(Kind.COMMANDS))
    yield WireType(replies.TICK, Tick, "published", _topics(Kind.SNAPSHOTS))
    yield WireType(DEAD_LETTERED, DeadLettered, "published", _topics(Kind.DEAD_LETTERS))


def _topics(kind: Kind) -> tuple[str, ...]:
    return tuple(topic.name for topic in TOPICS.values() if topic.kind is kind)
