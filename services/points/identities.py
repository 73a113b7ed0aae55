"""The identities of rules 4.1.7 and the formula of 4.1.8: what must hold of every movement, account and order.

booked = Σ lots + held − debt = earned + adjusted_up + given_back − redeemed − expired − adjusted_down − revoked; while
there is debt there are no active points; `sequence` runs 1, 2, 3, … over the account; the running `booked` and
`pending` of movements are the sums of their deltas; no lot is negative, nor is what is pending. Of an order, what was
activated, dropped and revoked is what its facts come to.
"""

from collections.abc import Iterator

from schemas.movements import Moved
from services.points.orders.entitlement import Entitled, entitlement, sums_of
from services.points.orders.state import Order
from services.points.state import (
    Account,
    Balance,
    Event,
    State,
)
from shared.findings import Difference


def check_event(state: State, event: Event) -> Iterator[Difference]:
    """What is wrong with `event`, which comes next on the account `state`; amounts in the smallest unit."""
    if not isinstance(state, Account) or not isinstance(event, Moved):
        return
    what = f"movement {event.sequence}"
    if event.sequence != state.sequence + 1:
        yield Difference("sequence", str(state.sequence + 1), str(event.sequence))
    before = state.balances.get(event.programme)
    booked = (0 if before is None else before.booked) + event.delta
    if event.booked != booked:
        yield Difference(f"{what}, booked of {event.programme}: sum of deltas", str(booked), str(event.booked))
    pending = (0 if before is None else before.pending) + event.pending_delta
    if event.pending != pending:
        yield Difference(f"{what}, pending of {event.programme}: sum of deltas", str(pending), str(event.pending))
    moved = sum(part.amount for part in event.lots)
    in_lots = moved if event.delta > 0 else -moved
    if in_lots - (event.debt_delta or 0) != event.delta:
        name = f"{what}, delta of {event.programme}: its lots less what it adds to the debt"
        yield Difference(name, str(in_lots - (event.debt_delta or 0)), str(event.delta))


def check_state(state: State) -> Iterator[Difference]:
    """What is wrong with an account or an order as it stands; rules and reversals have no identities."""
    if isinstance(state, Account):
        for balance in state.balances.values():
            yield from _check_balance(balance)
    elif isinstance(state, Order):
        yield from _check_order(state)


def _check_balance(balance: Balance) -> Iterator[Difference]:
    name, booked = balance.programme, str(balance.booked)
    credited = balance.earned + balance.adjusted_up + balance.given_back
    counted = credited - balance.redeemed - balance.expired - balance.adjusted_down - balance.revoked
    if counted != balance.booked:
        what = f"booked of {name}: earned + adjusted_up + given_back - redeemed - expired - adjusted_down - revoked"
        yield Difference(what, str(counted), booked)
    in_lots = sum(lot.amount for lot in balance.lots) + balance.held
    if in_lots - balance.debt != balance.booked:
        yield Difference(f"booked of {name}: sum of lots + held - debt", str(in_lots - balance.debt), booked)
    if balance.held < 0:
        yield Difference(f"held of {name}", "zero or more", str(balance.held))
    if balance.debt < 0 or (balance.debt and balance.lots):
        yield Difference(f"debt of {name}", "zero, or more without active points", str(balance.debt))
    if balance.pending < 0:
        yield Difference(f"pending of {name}", "zero or more", str(balance.pending))
    for lot in (*balance.lots, *balance.scheduled):
        if lot.amount < 0:
            yield Difference(f"lot {lot.id} of {name}", "zero or more", str(lot.amount))


def _check_order(order: Order) -> Iterator[Difference]:
    sums, gone = sums_of(order), order.gone["fulfilled"].money + order.gone["cancelled"].money
    if gone > order.eligible:
        yield Difference("fulfilled + cancelled", f"at most {order.eligible}", str(float(gone)))
    if order.gone["returned"].money > sums.fulfilled:
        what, most = float(order.gone["returned"].money), float(sums.fulfilled)
        yield Difference("returned", f"at most {most}", str(what))
    for award in order.awards.values():
        due = entitlement(award.awarded, order.eligible, sums)
        found = Entitled(award.activated, award.dropped, award.revoked)
        if due != found:
            yield Difference(f"entitlement in {award.programme}", str(tuple(due)), str(tuple(found)))
        credited = sum(amount for _, amount in award.credited)
        if credited != award.activated:
            yield Difference(f"credited in {award.programme}", str(award.activated), str(credited))
