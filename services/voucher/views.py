"""States as they are published to `voucher.snapshots`."""

from datetime import datetime
from typing import assert_never

from schemas.base import format_instant
from schemas.vouchers import DEFINITION_VIEW, VOUCHER_VIEW
from services.voucher.state import Definition, Pivot, State, Voucher
from shared.calendar import unless_never
from shared.decider import Document, View


def views(state: State) -> View | None:
    """A `VoucherView` or a `DefinitionView`; None as long as there is nothing to show.

    Decisions are not published: whoever asked for one has it, and what they came to is on the vouchers.
    """
    match state:
        case Voucher():
            return _voucher(state)
        case Definition():
            return _definition(state)
        case Pivot():
            return None
        case _:
            assert_never(state)


def _voucher(voucher: Voucher) -> View | None:
    issued = voucher.issued
    if issued is None or voucher.changed_at is None:
        return None
    value: Document = {
        "serialId": voucher.serial_id,
        "voucherId": issued.voucher_id,
        "programme": issued.programme,
        "account": issued.account,
        "accountNumber": issued.account_number,
        "state": voucher.state.value,
        "titles": issued.titles,
        "descriptions": issued.descriptions,
        "defaultLanguage": issued.default_language,
        "validFrom": format_instant(issued.valid_from),
        "validUntil": _text(unless_never(voucher.expires_at)),
        "cost": issued.cost,
        "scale": issued.scale,
        "unit": issued.unit,
        "paidIn": issued.paid_in,
        "transactionId": issued.transaction_id,
        "redeemedIn": voucher.redeemed_in,
        "redeemedBy": voucher.redeemed_by,
        "issuedAt": format_instant(issued.booked_at),
        "changedAt": format_instant(voucher.changed_at),
        "benefit": None if issued.benefit is None else issued.benefit.model_dump(mode="json", by_alias=True),
    }
    return View(VOUCHER_VIEW, voucher.serial_id, value)


def _text(at: datetime | None) -> str | None:
    return None if at is None else format_instant(at)


def _definition(definition: Definition) -> View | None:
    if definition.definition is None:
        return None
    value = {
        "definition": definition.definition.model_dump(mode="json", by_alias=True),
        "version": definition.version,
        "state": definition.definition.state.value,
    }
    return View(DEFINITION_VIEW, definition.code, value)
