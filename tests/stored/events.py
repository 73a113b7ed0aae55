"""Events, whose version stands in their type: documents of every type, and of every set of members that it ever had."""

from collections.abc import Iterable

from schemas import customers, giftcards, points, vouchers
from services.customer.events import dump_event as dump_customer
from services.customer.events import load_event as load_customer
from services.customer.state import Event, Personal
from services.giftcard.events import dump_event as dump_card
from services.giftcard.events import load_event as load_card
from services.points.events import dump_event as dump_points
from services.points.events import load_event as load_points
from services.voucher.events import dump_event as dump_voucher
from services.voucher.events import load_event as load_voucher
from shared.decider import Document
from tests.contract.examples import EXAMPLES
from tests.stored.filled import filled
from tests.stored.kept import members
from tests.stored.states import GIVEN


def _points() -> list[Document]:
    return [dump_points(event) for name in points.EVENTS for event in EXAMPLES[name]]


def _vouchers() -> list[Document]:
    return [dump_voucher(event) for name in vouchers.EVENTS for event in EXAMPLES[name]]


def _cards() -> list[Document]:
    return [dump_card(event) for name in giftcards.EVENTS for event in EXAMPLES[name]]


def _customers() -> list[Document]:
    personal = filled(Personal, GIVEN)
    told = [event for name in customers.EVENTS for event in EXAMPLES[name]]
    return [dump_customer(Event(event, each)) for event in told for each in (None, personal)]


NO_LONGER_KEPT = {
    "points.order_fact_recorded.v1": frozenset({"rest"}),
    "points.order_fact_applied.v1": frozenset({"rest"}),
}
"""Members of events that earlier releases wrote and nobody reads any more: what follows from them was booked."""

EVENTS = (
    ("event.points", _points, lambda document: dump_points(load_points(document))),
    ("event.voucher", _vouchers, lambda document: dump_voucher(load_voucher(document))),
    ("event.giftcard", _cards, lambda document: dump_card(load_card(document))),
    ("event.customer", _customers, lambda document: dump_customer(load_customer(document))),
)
"""By the name under which they are kept: what today's code writes, and what it makes of what is stored."""


def missing(kept: Iterable[Document], documents: Iterable[Document]) -> list[Document]:
    """Those documents of which none with the same members is kept."""
    known = {(document["type"], *sorted(members(document))) for document in kept}
    found = []
    for document in documents:
        key = (document["type"], *sorted(members(document)))
        if key not in known:
            known.add(key)
            found.append(document)
    return found
