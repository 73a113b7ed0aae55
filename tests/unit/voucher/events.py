"""Whole events of the voucher service with their streams, with what the specs have in common filled in.

A voucher is of OWN and belongs to the account unless it says otherwise. Constants such as `BY_HAND` and `IN_REVERSAL`
are what everything that a command books has in common.
"""

from datetime import datetime
from typing import Any

from schemas.movements import Source
from schemas.vouchers import (
    DefinitionPut,
    IssuedVoucher,
    ReversalExecuted,
    ReversalRefused,
    TransactionCancelled,
    TransactionExecuted,
    TransactionRefused,
    VoucherDefinition,
    VoucherDone,
    VoucherExpired,
    VoucherIssued,
    VoucherRedeemed,
    VoucherRestored,
    VoucherState,
    VoucherVoided,
)
from shared.decider import Document
from tests.unit.voucher.world import (
    ACCOUNT,
    ANY,
    COMMAND_ID,
    DAY,
    EARLIER_ID,
    NUMBER,
    OWN,
    REVERSAL,
    STORE,
    T0,
    TRANSACTION,
    Booked,
)


def _context(transaction: str, at: datetime = T0, shop: str | None = None, reason: str | None = None) -> Document:
    """What everything that one command books has in common."""
    source = Source(shop=shop)
    return {"transaction_id": transaction, "source": source, "reason": reason, "occurred_at": at, "booked_at": at}


BY_HAND = _context(COMMAND_ID, reason="hand")
EARLIER = _context(EARLIER_ID, T0 - DAY, reason="hand")
IN_TRANSACTION = _context(TRANSACTION, shop="Webshop")
IN_REVERSAL = _context(REVERSAL, reason="sent back")
BOUGHT = {**IN_TRANSACTION, "cost": 500, "unit": "EUR", "paid_in": "LOY"}
FOR_THRESHOLD = {**_context(TRANSACTION), "cost": 2500, "unit": "points", "paid_in": "LOY"}
TO_BEARER: Document = {"account": None, "account_number": None}


# ── definitions and lives ───────────────────────────────────────────────────────────────────────────────────────────


def put(of: VoucherDefinition = OWN, version: int = 1, **more: Any) -> Booked:
    fields = {"definition": of, "version": version, "booked_at": T0 - 30 * DAY, **more}
    return f"definition/{STORE}/{of.code}", DefinitionPut(**fields)


DECLARED = (put(OWN), put(ANY))


def issued(serial: str, of: VoucherDefinition = OWN, **more: Any) -> Booked:
    """By hand and now, to the account and for ever, unless it says otherwise."""
    fields = BY_HAND | {
        "definition_version": 1,
        "titles": of.titles,
        "descriptions": of.descriptions,
        "default_language": of.default_language,
        "zone": of.zone,
        "benefit": of.benefit,
        "valid_from": more.get("booked_at", T0),
    }
    return _life(VoucherIssued, serial, 1, of, {**fields, **more})


def there(serial: str, of: VoucherDefinition = OWN, **more: Any) -> Booked:
    """A voucher that was issued by hand a day ago."""
    return issued(serial, of, **{**EARLIER, **more})


def redeemed(serial: str, sequence: int = 2, of: VoucherDefinition = OWN, **more: Any) -> Booked:
    return _life(VoucherRedeemed, serial, sequence, of, {**IN_TRANSACTION, "redeemed_by": ACCOUNT, **more})


def voided(serial: str, sequence: int = 2, of: VoucherDefinition = OWN, **more: Any) -> Booked:
    return _life(VoucherVoided, serial, sequence, of, {**IN_TRANSACTION, **more})


def restored(serial: str, sequence: int = 3, of: VoucherDefinition = OWN, **more: Any) -> Booked:
    return _life(VoucherRestored, serial, sequence, of, {**IN_REVERSAL, **more})


def expired(serial: str, sequence: int = 2, of: VoucherDefinition = OWN, **more: Any) -> Booked:
    """What was due has operation -1, no source, and no reason."""
    return _life(VoucherExpired, serial, sequence, of, {**_context(COMMAND_ID), "operation": -1, **more})


def _life(model: type[Any], serial: str, sequence: int, of: VoucherDefinition, fields: Document) -> Booked:
    common = {
        "serial_id": serial,
        "sequence": sequence,
        "voucher_id": of.code,
        "programme": of.programme,
        "account": ACCOUNT,
        "account_number": NUMBER,
        "operation": 0,
    }
    return f"voucher/{STORE}/{serial.upper()}", model(**{**common, **fields})


# ── decisions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def done(serial: str, operation: int = 0, of: VoucherDefinition = OWN) -> VoucherDone:
    """A voucher that an operation redeemed, voided or made usable again."""
    fields = {"voucher_id": of.code, "programme": of.programme, "benefit": of.benefit}
    return VoucherDone(operation=operation, serial_id=serial, **fields)


def sold(serial: str, operation: int = 0, of: VoucherDefinition = OWN, **more: Any) -> IssuedVoucher:
    """A voucher that an operation issued."""
    fields = {"voucher_id": of.code, "programme": of.programme, "benefit": of.benefit, "valid_from": T0}
    return IssuedVoucher(
        **{"operation": operation, "serial_id": serial, "state": VoucherState.ISSUED, **fields, **more}
    )


def executed(**more: Any) -> Booked:
    return _decision(TransactionExecuted, {"transaction_id": TRANSACTION, **more})


def refused(code: str, pointer: str | None, detail: str, **more: Any) -> Booked:
    fields = {"transaction_id": TRANSACTION, "code": code, "pointer": pointer, "detail": detail}
    return _decision(TransactionRefused, {**fields, **more})


def cancelled(**more: Any) -> Booked:
    return _decision(TransactionCancelled, {"transaction_id": TRANSACTION, **more})


def reversed_(**more: Any) -> Booked:
    fields = {"reversal_id": REVERSAL, "transaction_id": TRANSACTION}
    return _decision(ReversalExecuted, {**fields, **more})


def not_reversed(code: str, pointer: str, detail: str, **more: Any) -> Booked:
    fields = {"reversal_id": REVERSAL, "transaction_id": TRANSACTION}
    return _decision(ReversalRefused, {**fields, "code": code, "pointer": pointer, "detail": detail, **more})


def _decision(model: type[Any], fields: Document) -> Booked:
    fields = {"account": ACCOUNT, "booked_at": T0, **fields}
    return f"transaction/{STORE}/{fields.get('reversal_id', fields['transaction_id'])}", model(**fields)


def at(now: datetime, *booked: Booked) -> tuple[Booked, ...]:
    """The same events, as a command books them at `now`."""
    parts = []
    for stream, event in booked:
        times = {name: now for name in ("occurred_at", "booked_at") if hasattr(event, name)}
        parts.append((stream, event.model_copy(update=times)))
    return tuple(parts)
