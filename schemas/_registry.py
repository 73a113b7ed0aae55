"""Every type on the wire, with the topics that carry it. The documents are generated from this list alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from schemas import (
    accounts,
    changes,
    customer_views,
    customers,
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


def registry() -> dict[str, WireType]:
    """All published and accepted types by their type string, in alphabetical order."""
    parts = (_inputs(), _points(), _vouchers(), _customer(), _previews(), _runtime())
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


def _points() -> Iterable[WireType]:
    posted = {"accountNumber": "6299000000000000017", **transaction.example()}
    yield from _commands("points", points.COMMANDS, {"points.post_transaction.v1": posted})
    yield from _events("points", points.EVENTS)
    yield from _refusals("points", points.REJECTIONS, refusals.PointsRejected, refusals.PointsRefusal)
    yield WireType(changes.CHANGED, changes.PointsChanged, "published", ("points.changes",), example=changes.example())
    for name, view in (
        (points.ACCOUNT_VIEW, accounts.AccountView),
        (points.PROGRAMME_VIEW, points.ProgrammeView),
        (points.CATALOGUE_VIEW, points.CatalogueView),
    ):
        yield WireType(name, view, "published", ("points.snapshots",), versioned=True)


def _vouchers() -> Iterable[WireType]:
    yield from _commands("voucher", vouchers.COMMANDS, {})
    yield from _events("voucher", vouchers.EVENTS)
    yield from _refusals("voucher", vouchers.REJECTIONS, refusals.VoucherRejected, refusals.VoucherRefusal)
    yield WireType(vouchers.CHANGED, vouchers.VoucherChanged, "published", ("voucher.changes",))
    for name, view in (
        (vouchers.VOUCHER_VIEW, vouchers.VoucherView),
        (vouchers.DEFINITION_VIEW, vouchers.DefinitionView),
    ):
        yield WireType(name, view, "published", ("voucher.snapshots",), versioned=True)


def _customer() -> Iterable[WireType]:
    created = {"customerInfo": {"firstName": "Ada", "emailAddress": "ada@example.org", "dateOfBirth": "1990-09-11"}}
    yield from _commands("customer", customers.COMMANDS, {"customer.create.v1": created})
    yield from _events("customer", customers.EVENTS)
    yield from _refusals("customer", customers.REJECTIONS, customers.CustomerRejected, customers.CustomerRefusal)
    view = customer_views.CustomerView
    yield WireType(customer_views.CUSTOMER_VIEW, view, "published", ("customer.snapshots",), versioned=True)


def _previews() -> Iterable[WireType]:
    for name, (command, model) in previews.PREVIEWS.items():
        note = f"Asks what `{command}` with this value would come to; a reply says so, and nothing is done."
        yield WireType(name, model, "accepted", (f"{name.partition('.')[0]}.commands",), note)


def _runtime() -> Iterable[WireType]:
    yield WireType(replies.REPLY, replies.Reply, "published", _topics(Kind.REPLIES))
    yield WireType(replies.GET_OUTCOME, GetOutcome, "accepted", _topics(Kind.COMMANDS))
    yield WireType(replies.TICK, Tick, "published", _topics(Kind.SNAPSHOTS))
    yield WireType(DEAD_LETTERED, DeadLettered, "published", _topics(Kind.DEAD_LETTERS))


def _commands(
    service: str, commands: Mapping[str, type[Wire]], examples: Mapping[str, Mapping[str, Any]]
) -> Iterable[WireType]:
    for name, model in commands.items():
        yield WireType(name, model, "accepted", (f"{service}.commands",), example=examples.get(name))


def _events(service: str, events: Mapping[str, type[Published]]) -> Iterable[WireType]:
    for name, model in events.items():
        yield WireType(name, model, "published", (f"{service}.events",))


def _refusals(
    service: str, rejections: Mapping[str, str], model: type[Published], codes: type[StrEnum]
) -> Iterable[WireType]:
    listed = ", ".join(f"`{code}`" for code in sorted((*codes, TOO_LARGE)))
    for refused in sorted(set(rejections.values())):
        causes = ", ".join(f"`{command}`" for command, rejection in rejections.items() if rejection == refused)
        note = f"Refuses {causes}. The codes, to which later versions may add: {listed}."
        yield WireType(refused, model, "published", (f"{service}.events",), note)


def _topics(kind: Kind) -> tuple[str, ...]:
    return tuple(topic.name for topic in TOPICS.values() if topic.kind is kind)
