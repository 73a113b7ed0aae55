"""Issuing vouchers: bought, for a threshold, or by hand (rules 4.1.11, 4.3.1, 4.3.2)."""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from schemas.base import format_instant
from schemas.text import STORED
from schemas.vouchers import (
    DefinitionState,
    IssueThresholdVouchers,
    IssueVoucher,
    ThresholdVoucher,
    VoucherDefinition,
    VoucherRefusal,
)
from services.voucher.desk import Desk, Outcome, States, pinned, source_of
from services.voucher.state import definition_stream, streams_of_serial, voucher_streams
from shared.calendar import expiry_instant, local_date, unless_never
from shared.decider import Accepted, Command, Rejected, Streams

_NO_LANGUAGE = "und"
"""The language of a text that is in none known, by BCP 47."""

_PLACES: dict[str, str] = {
    VoucherRefusal.DEFINITION_UNKNOWN: "/voucherId",
    VoucherRefusal.DEFINITION_RETIRED: "/voucherId",
    VoucherRefusal.SERIAL_IN_USE: "/serialId",
    VoucherRefusal.EXPIRY_IN_PAST: "/expiresAt",
    VoucherRefusal.EXPIRY_BEFORE_ACTIVATION: "/expiresAt",
}
"""What is wrong in a command by hand, by the code of its refusal."""


class Wanted(NamedTuple):
    """A voucher to issue: to an account, or to bearer; `cost` was paid in the programme `paid_in`."""

    serial_id: str
    operation: int
    account: str | None
    account_number: str | None
    valid_from: datetime | None = None
    expires_at: datetime | None = None
    cost: int = 0
    scale: int = 0
    paid_in: str | None = None
    unit: str | None = None


def issue(desk: Desk, wanted: Wanted, code: str, pointer: str) -> Rejected | None:
    """Issue a voucher of the declared definition; or why it cannot be, in this order.

    `definition_unknown`, `definition_retired`, `programme_mismatch` (bought in another programme than the definition's
    own), `serial_in_use`, `expiry_in_past`, `expiry_before_activation`.
    """
    definition, version = desk.definition(code)[1:]
    if definition is None:
        return Rejected(VoucherRefusal.DEFINITION_UNKNOWN, f"there is no voucher definition {code}", pointer)
    if definition.state is DefinitionState.RETIRED:
        return Rejected(VoucherRefusal.DEFINITION_RETIRED, f"{code} is retired", pointer)
    if wanted.paid_in is not None and definition.programme not in (None, wanted.paid_in):
        detail = f"{code} belongs to the programme {definition.programme}"
        return Rejected(VoucherRefusal.PROGRAMME_MISMATCH, detail, pointer)
    if desk.voucher(wanted.serial_id).issued is not None:
        return Rejected(VoucherRefusal.SERIAL_IN_USE, "there is a voucher with this serial already", pointer)
    valid_from = wanted.valid_from or desk.now
    expires_at = _end(definition, desk.now) if wanted.expires_at is None else unless_never(wanted.expires_at)
    if expires_at is not None and expires_at <= desk.now:
        detail = f"it would have expired at {format_instant(expires_at)}"
        return Rejected(VoucherRefusal.EXPIRY_IN_PAST, detail, pointer)
    if expires_at is not None and expires_at <= valid_from:
        detail = f"it would expire at {format_instant(expires_at)}, before it is valid"
        return Rejected(VoucherRefusal.EXPIRY_BEFORE_ACTIVATION, detail, pointer)
    _issue(desk, wanted, definition, version, valid_from, expires_at)
    return None


def by_hand_streams(command: Command, payload: IssueVoucher) -> Streams:
    """The voucher, and its definition."""
    store = command.store
    return Streams(streams_of_serial(store, payload.serial_id), (definition_stream(store, payload.voucher_id),))


def issue_by_hand(command: Command, payload: IssueVoucher, states: States) -> Outcome:
    """Issue a voucher by hand; to bearer only what its definition allows that for (`bearer_not_allowed`)."""
    account, number, context = payload.account, payload.account_number, payload.context
    if (account is None) != (number is None) or command.subject.upper() != (account or payload.serial_id).upper():
        detail = "the command names an account with its number, and is addressed to it; or neither, and to the serial"
        return Rejected(VoucherRefusal.ACCOUNT_MISMATCH, detail, "/account")
    desk = Desk(command, states, command.id, source_of(context), context.occurred_at, payload.reason)
    wanted = Wanted(payload.serial_id, 0, account, number, payload.valid_from, payload.expires_at)
    if refused := issue(desk, wanted, payload.voucher_id, ""):
        return replace(refused, pointer=_PLACES.get(str(refused.code)))
    definition = desk.definition(payload.voucher_id).definition
    if account is None and definition is not None and not definition.bearer:
        detail = f"{payload.voucher_id} is not issued to bearer"
        return Rejected(VoucherRefusal.BEARER_NOT_ALLOWED, detail, "/account")
    issued = pinned(desk.voucher(payload.serial_id))
    result = {
        "serialId": issued.serial_id,
        "voucherId": issued.voucher_id,
        "validFrom": format_instant(issued.valid_from),
        "expiresAt": None if issued.expires_at is None else format_instant(issued.expires_at),
    }
    return Accepted(tuple(desk.events), result, memo=context.comment, states=desk.states)


def threshold_streams(command: Command, payload: IssueThresholdVouchers) -> Streams:
    """The vouchers, and the definitions that were not pinned."""
    store, pinned_codes = command.store, {each.code for each in payload.definitions}
    codes = dict.fromkeys(each.voucher_id for each in payload.vouchers if each.voucher_id not in pinned_codes)
    return Streams(
        voucher_streams(store, (each.serial_id for each in payload.vouchers)),
        tuple(definition_stream(store, code) for code in codes),
    )


def issue_for_threshold(command: Command, payload: IssueThresholdVouchers, states: States) -> Outcome:
    """Issue what points were deducted for. This is never refused; what was issued already is not issued again."""
    desk = Desk(command, states, payload.transaction_id, payload.source, payload.occurred_at)
    by_code = {each.code: (each, 0) for each in payload.definitions}
    taken: list[str] = []
    for each in payload.vouchers:
        there = desk.voucher(each.serial_id).issued
        if there is not None:
            if (there.account, there.transaction_id) != (payload.account, payload.transaction_id):
                taken.append(each.serial_id)
            continue
        definition, version = by_code.get(each.voucher_id) or _declared(desk, each)
        end = _end(definition, desk.now)
        wanted = Wanted(
            each.serial_id,
            each.operation,
            payload.account,
            payload.account_number,
            cost=each.cost,
            scale=each.scale,
            paid_in=each.programme,
            unit=each.unit,
        )
        # A fixed date that has passed is not applied: the points are gone, so there must be something to use.
        _issue(desk, wanted, definition, version, desk.now, None if end is not None and end <= desk.now else end)
    memo = f"other vouchers have these serials: {', '.join(taken)}" if taken else None
    issued = [event.serial_id for _, event in desk.events if hasattr(event, "serial_id")]
    return Accepted(tuple(desk.events), {"issued": issued}, memo=memo, states=desk.states)


def _declared(desk: Desk, wanted: ThresholdVoucher) -> tuple[VoucherDefinition, int]:
    """The definition as it is declared; or one that says the code alone, of the programme whose threshold it was."""
    definition, version = desk.definition(wanted.voucher_id)[1:]
    if definition is not None:
        return definition, version
    code = wanted.voucher_id
    named = {"code": code, "titles": {_NO_LANGUAGE: code}, "default_language": _NO_LANGUAGE}
    return VoucherDefinition.model_validate({**named, "programme": wanted.programme}, context=STORED), 0


def _end(definition: VoucherDefinition, now: datetime) -> datetime | None:
    """The first instant at which a voucher issued now is gone; None is never."""
    if definition.validity is None:
        return None
    return expiry_instant(definition.validity, definition.zone, local_date(now, definition.zone))


def _issue(
    desk: Desk,
    wanted: Wanted,
    definition: VoucherDefinition,
    version: int,
    valid_from: datetime,
    expires_at: datetime | None,
) -> None:
    desk.issue(
        wanted.serial_id,
        wanted.operation,
        voucher_id=definition.code,
        programme=definition.programme,
        account=wanted.account,
        account_number=wanted.account_number,
        definition_version=version,
        titles=definition.titles,
        descriptions=definition.descriptions,
        default_language=definition.default_language,
        zone=definition.zone,
        valid_from=valid_from,
        expires_at=expires_at,
        cost=wanted.cost,
        scale=wanted.scale,
        unit=wanted.unit,
        paid_in=wanted.paid_in,
        benefit=definition.benefit,
    )
