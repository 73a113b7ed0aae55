"""Folding: what one event makes of one stream's state."""

from typing import assert_never

from schemas.vouchers import (
    DefinitionPut,
    VoucherExpired,
    VoucherIssued,
    VoucherRedeemed,
    VoucherRestored,
    VoucherState,
    VoucherVoided,
)
from services.voucher.state import DecisionEvent, Definition, Event, LifeEvent, Pivot, State, Voucher


def evolve(state: State, event: Event) -> State:
    """The state after `event`.

    :raises TypeError: when the event does not belong to such a stream.
    """
    match state:
        case Voucher() if isinstance(event, LifeEvent):
            return evolve_voucher(state, event)
        case Pivot() if isinstance(event, DecisionEvent):
            return Pivot(state.id, event)
        case Definition() if isinstance(event, DefinitionPut):
            return Definition(state.code, event.definition, event.version)
        case _:
            raise TypeError(f"{event.type} does not happen to a {type(state).__name__}")


def evolve_voucher(voucher: Voucher, event: LifeEvent) -> Voucher:
    """The voucher after `event`."""
    voucher = voucher._replace(changed_at=event.booked_at, sequence=voucher.sequence + 1)
    match event:
        case VoucherIssued():
            return voucher._replace(
                serial_id=event.serial_id, issued=event, state=VoucherState.ISSUED, expires_at=event.expires_at
            )
        case VoucherRedeemed():
            return voucher._replace(
                state=VoucherState.REDEEMED,
                redeemed_in=event.transaction_id,
                redeemed_by=event.redeemed_by,
            )
        case VoucherVoided():
            return voucher._replace(state=VoucherState.VOID)
        case VoucherExpired():
            return voucher._replace(state=VoucherState.EXPIRED)
        case VoucherRestored():
            return voucher._replace(
                state=VoucherState.ISSUED,
                expires_at=event.expires_at,
                redeemed_in=None,
                redeemed_by=None,
            )
        case _:
            assert_never(event)
