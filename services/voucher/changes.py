"""The public stream of what happens to vouchers, `voucher.changes`."""

from schemas.changes import cause_of
from schemas.vouchers import VoucherState
from shared.decider import Document

_STEPS: dict[str, tuple[str, VoucherState | None, VoucherState]] = {
    "voucher.issued.v1": ("issue", None, VoucherState.ISSUED),
    "voucher.redeemed.v1": ("redeem", VoucherState.ISSUED, VoucherState.REDEEMED),
    "voucher.voided.v1": ("void", VoucherState.ISSUED, VoucherState.VOID),
    "voucher.expired.v1": ("expire", VoucherState.ISSUED, VoucherState.EXPIRED),
    "voucher.restored.v1": ("restore", VoucherState.REDEEMED, VoucherState.ISSUED),
}
"""Of each event the kind of its change, and the states before and after: nothing else leads from one to another."""


def changes(event: Document) -> Document | None:
    """The `VoucherChanged` that a stored event causes; None when no voucher changed.

    Every field is given, but the unit where the event has none: what earlier releases booked is published as it was.
    """
    step = _STEPS.get(event["type"])
    if step is None or "sequence" not in event:
        return None
    kind, before, after = step
    given = event.get
    return {
        "serialId": event["serialId"],
        "voucherId": event["voucherId"],
        "programme": given("programme"),
        "account": given("account"),
        "accountNumber": given("accountNumber"),
        "sequence": event["sequence"],
        "kind": kind,
        "from": before,
        "to": after,
        "validFrom": given("validFrom"),
        "validUntil": given("expiresAt"),
        "cost": given("cost"),
        "scale": given("scale"),
        **({"unit": event["unit"]} if "unit" in event else {}),
        "paidIn": given("paidIn"),
        "redeemedBy": given("redeemedBy"),
        **cause_of(event),
    }
