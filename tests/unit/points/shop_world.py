"""What the specifications of shops that number their own orders are written with: W-1 of several shops."""

from typing import Any

from schemas.order_numbers import OrderNumbersApplied
from schemas.points import PostTransaction
from services.points.decider import DECIDER
from services.points.orders.state import Order
from services.points.streams import order_stream
from tests.unit.points.world import CATALOGUE, NUMBER, STORE, T0, Given, does, transaction

PER_SHOP = OrderNumbersApplied(unique_per="shop", version=1, booked_at=T0)
RECEIPT = "W-1"


def told_by(shop: str | None, body: Any) -> Any:
    """The same of that shop."""
    if isinstance(body, PostTransaction):
        return body.model_copy(update={"context": body.context.model_copy(update={"shop_id": shop})})
    return body.model_copy(update={"shop": shop})


def load_for(shop: str | None, value: int = 50, number: str = NUMBER) -> PostTransaction:
    """A load in ORD for the receipt W-1 of that shop."""
    context = {"receiptNr": RECEIPT} | ({} if shop is None else {"shopId": shop})
    return transaction(does("ORD", loads=[value]), number=number, context=context)


def per_shop(world: Given) -> Given:
    """The world with shops that number their own orders from now on."""
    declared = DECIDER.evolve(world.states[CATALOGUE], PER_SHOP)
    return Given({**world.states, CATALOGUE: declared}, world.entries)


def order_of(world: Given, shop: str | None) -> Order:
    """The shop's order W-1, or the one that is known by its number alone."""
    state = world.states.get(order_stream(STORE, RECEIPT, shop), Order(RECEIPT))
    assert isinstance(state, Order)
    return state


def awarded(world: Given, shop: str | None) -> int:
    """What it promises, in all programmes."""
    return sum(award.awarded for award in order_of(world, shop).awards.values())
