"""What the specifications of orders are written with: commands on one order, W-1, and its events."""

from typing import Any

from schemas.accounts import AccountState, AccountStateChanged
from schemas.movements import Source
from schemas.orders import (
    Award,
    CancelOrder,
    Credited,
    Entitlement,
    FulfilOrder,
    LineEligible,
    OrderFactRecorded,
    OrderPlaced,
    OrderSettled,
    PlaceOrder,
    ReturnOrder,
)
from schemas.points import PointsRefusal
from services.points.decider import DECIDER
from shared.ids import account_id
from tests.unit.points.world import (
    ACCOUNT,
    DAY,
    NUMBER,
    STORE,
    T0,
    Given,
    When,
    applied,
    booked,
    given,
    programme,
    transaction,
)

Refusal = PointsRefusal
EARN = {"earnFrom": "orders", "earn": [{"on": "order", "points": 1, "per": 1}]}
ORD = applied(programme("ORD", **EARN))
WEEK = 7 * DAY
OTHER = account_id(STORE, "1")


def place(net: float = 100, quantity: float = 2, **more: Any) -> PlaceOrder:
    """The order W-1 with one line of `net` euros; `net` is the number of its points too."""
    line = {"line": "1", "quantity": quantity, "netAmount": net}
    body = {"order": "W-1", "accountNumber": NUMBER, "currency": "EUR", "placedAt": T0, "lines": [line]}
    return PlaceOrder.model_validate({**body, **more})


def fact(model: type[Any], name: str, amount: float | None = None, **more: Any) -> Any:
    body = {"order": "W-1", "accountNumber": NUMBER, "fact": name, **more}
    return model.model_validate(body if amount is None else {**body, "amount": amount})


def fulfil(amount: float | None = None, name: str = "F-1", **more: Any) -> FulfilOrder:
    made: FulfilOrder = fact(FulfilOrder, name, amount, **more)
    return made


def cancel(amount: float | None = None, name: str = "C-1", **more: Any) -> CancelOrder:
    made: CancelOrder = fact(CancelOrder, name, amount, **more)
    return made


def give_up(amount: float | None = None, name: str = "R-1", **more: Any) -> ReturnOrder:
    made: ReturnOrder = fact(ReturnOrder, name, amount, **more)
    return made


def after(*bodies: Any, start: Given | None = None) -> Given:
    """The world after these commands, all accepted."""
    world = start or given(ORD)
    for body in bodies:
        when = world.when(body)
        assert when.accepted
        world = when.world
    return world


COMMON = {"order": "W-1", "account": ACCOUNT, "account_number": NUMBER, "booked_at": T0}


def placed(when: When, awarded: int = 100, revision: int = 1, **more: Any) -> OrderPlaced:
    award = Award(programme="ORD", programme_version=1, scale=0, awarded=awarded)
    line = LineEligible(line="1", quantity="2", eligible=awarded * 100)
    fields: dict[str, Any] = {**COMMON, "revision": revision, "digest": when.order("W-1").digests[revision]}
    fields |= {"currency": "EUR", "eligible": awarded * 100, "lines": (line,), "awards": (award,), "placed_at": T0}
    return OrderPlaced(**{**fields, **more})


def recorded(what: str, name: str, amount: str | None, waiting: bool = False, **more: Any) -> OrderFactRecorded:
    fields = {**COMMON, "fact": name, "what": what, "amount": amount, "waiting": waiting, "occurred_at": T0}
    return OrderFactRecorded.model_validate({**fields, **more})


def settled(activated: int, dropped: int, revoked: int, *credited: int, spend: int = 0) -> OrderSettled:
    parts = tuple(Credited(amount=amount) for amount in credited)
    each = Entitlement(programme="ORD", activated=activated, dropped=dropped, revoked=revoked, credited=parts)
    return OrderSettled(**COMMON, entitlements=(each,), spend=spend)


def moved(model: type[Any], sequence: int, delta: int, pending_delta: int, *sums: Any, **more: Any) -> Any:
    """`sums` are the balance, what is pending, and the lots."""
    balance, pending, *parts = sums
    fields = {"programme": "ORD", "source": Source(order="W-1"), "sequence": sequence, "delta": delta, **more}
    return booked(model, *parts, **fields, pending_delta=pending_delta, booked=balance, pending=pending)


def points(world: Given) -> tuple[int, int, int]:
    """The balance in ORD, what is pending, and the debt."""
    balance = world.when(transaction()).account.balances["ORD"]
    return balance.booked, balance.pending, balance.debt


def held(state: str, world: Given) -> Given:
    """The world with the account in that state."""
    before = AccountState.ACTIVE.value
    news = AccountStateChanged(
        account=ACCOUNT, account_number=NUMBER, from_=before, to=state, reason="asked", booked_at=T0
    )
    stream = next(name for name in world.states if name.startswith("account/"))
    return Given({**world.states, stream: DECIDER.evolve(world.states[stream], news)})
