"""What must hold of every voucher and decision (rules 4.2.2, 4.3.1).

A voucher is issued once, used, voided or expired only while it is issued, and made usable again only when it was
redeemed; it is not used outside of its time. A transaction is decided once.
"""

from collections.abc import Iterator

from schemas.vouchers import (
    VoucherExpired,
    VoucherIssued,
    VoucherRedeemed,
    VoucherRestored,
    VoucherState,
    VoucherVoided,
)
from services.voucher.state import DecisionEvent, Event, LifeEvent, Pivot, State, Voucher
from shared.findings import Difference

_BEFORE: dict[type[LifeEvent], str | None] = {
    VoucherIssued: None,
    VoucherRedeemed: VoucherState.ISSUED,
    VoucherVoided: VoucherState.ISSUED,
    VoucherExpired: VoucherState.ISSUED,
    VoucherRestored: VoucherState.REDEEMED,
}
"""The state that each event finds the voucher in; None is that of one that was never issued."""


def check_event(state: State, event: Event) -> Iterator[Difference]:
    """What is wrong with `event`, which comes next on `state`."""
    if isinstance(state, Pivot) and isinstance(event, DecisionEvent) and state.decision is not None:
        yield Difference("decision", state.decision.type, event.type)
    if not isinstance(state, Voucher) or not isinstance(event, LifeEvent):
        return
    expected, found = _BEFORE[type(event)], None if state.issued is None else state.state.value
    if found != expected:
        yield Difference(f"state before {event.type}", str(expected), str(found))
    elif isinstance(event, VoucherRedeemed | VoucherVoided) and state.is_due(event.booked_at):
        yield Difference(f"expiry before {event.type}", "none", str(state.expires_at))
    elif isinstance(event, VoucherExpired) and not state.is_due(event.booked_at):
        yield Difference("time of expiry", str(state.expires_at), str(event.booked_at))


def check_state(state: State) -> Iterator[Difference]:
    """What is wrong with a voucher as it stands; definitions and decisions have no identities."""
    if isinstance(state, Voucher) and (state.state is VoucherState.REDEEMED) != (state.redeemed_in is not None):
        yield Difference("redeemed in", state.state.value, str(state.redeemed_in))
