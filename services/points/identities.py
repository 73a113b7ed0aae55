"""The identities of RULES 4.1.7, as pure functions: what must hold of every movement and of every account.

booked = Σ lots = earned + adjusted_up − redeemed − expired − adjusted_down; `sequence` runs 1, 2, 3, … over the
account; the running `booked` of movements is the sum of their deltas; no lot and no balance is negative.
"""

from collections.abc import Iterator
from typing import get_args

from schemas.points import Movement
from services.points.state import Account, Balance, Event, State
from shared.verify.findings import Difference

_MOVEMENTS = get_args(Movement)


def check_event(state: State, event: Event) -> Iterator[Difference]:
    """What is wrong with `event`, which comes next on the account `state`; amounts in the smallest unit."""
    if not isinstance(state, Account) or not isinstance(event, _MOVEMENTS):
        return
    what = f"movement {event.sequence}"
    if event.sequence != state.sequence + 1:
        yield Difference("sequence", str(state.sequence + 1), str(event.sequence))
    before = state.balances.get(event.programme)
    booked = (0 if before is None else before.booked) + event.delta
    if event.booked != booked:
        yield Difference(f"{what}, booked of {event.programme}: sum of deltas", str(booked), str(event.booked))
    moved = sum(part.amount for part in event.lots)
    if moved != abs(event.delta):
        yield Difference(f"{what}, delta of {event.programme}: sum of its lots", str(moved), str(abs(event.delta)))


def check_state(state: State) -> Iterator[Difference]:
    """What is wrong with an account as it stands; a programme's rules have no identities."""
    if isinstance(state, Account):
        for balance in state.balances.values():
            yield from _check_balance(balance)


def _check_balance(balance: Balance) -> Iterator[Difference]:
    name, booked = balance.programme, str(balance.booked)
    counted = balance.earned + balance.adjusted_up - balance.redeemed - balance.expired - balance.adjusted_down
    if counted != balance.booked:
        what = f"booked of {name}: earned + adjusted_up - redeemed - expired - adjusted_down"
        yield Difference(what, str(counted), booked)
    if (in_lots := sum(lot.amount for lot in balance.lots)) != balance.booked:
        yield Difference(f"booked of {name}: sum of lots", str(in_lots), booked)
    if balance.booked < 0:
        yield Difference(f"booked of {name}", "zero or more", booked)
    for lot in (*balance.lots, *balance.scheduled):
        if lot.amount < 0:
            yield Difference(f"lot {lot.id} of {name}", "zero or more", str(lot.amount))
