"""What every command on an order ends with: its points are settled, and the order as it stands is answered."""

from collections.abc import Mapping
from types import MappingProxyType

from services.points.booking import Booking
from services.points.desk import Outcome, accepted
from services.points.orders.file import OrderFile
from services.points.orders.settle import settle
from services.points.orders.state import Order
from services.points.state import State
from services.points.thresholds import too_often
from shared.decider import Document


def settled(file: OrderFile, before: Order, reason: str, states: Mapping[str, State] = MappingProxyType({})) -> Outcome:
    """Let the facts that waited have their effect, and book what the order's points come to now.

    `states` are streams written beside the order, as the command leaves them.
    """
    file.release()
    refused = settle(file, before, reason) or too_often(file.booking, {})
    if refused is not None:
        return refused
    return answer(file.booking, file.order, {**states, file.stream: file.order})


def answer(booking: Booking, order: Order, states: Mapping[str, State] | None = None) -> Outcome:
    """The order as it stands, and the balances that it earns in."""
    more: Document = {
        "order": order.id,
        "revision": order.revision,
        "waiting": list(order.waiting),
        "entitlements": [
            {
                "programme": award.programme,
                "awarded": award.awarded,
                "activated": award.activated,
                "dropped": award.dropped,
                "revoked": award.revoked,
                "scale": award.scale,
                **({"withheld": award.withheld} if award.withheld else {}),
            }
            for award in order.awards.values()
        ],
    }
    programmes = [booking.catalogue.programmes[name] for name in order.awards]
    return accepted(booking, programmes, more=more, states=states)
