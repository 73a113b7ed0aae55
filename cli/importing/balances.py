"""What a row means: an opening balance, and the command that books it; pure functions."""

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from cli.importing.cells import Written, amount_of, fault_of, instant_of, misspelt, time_of
from cli.importing.kind import Refused
from cli.importing.reading import Layout, Row
from schemas.points import Adjust
from schemas.programme import Programme, ProgrammeState
from schemas.text import LINE, REASON_CHARS_MAX
from shared.decider import Document
from shared.money import to_minor

LAYOUT = Layout(
    ("account_number", "programme", "value", "expires_at", "active_from", "reason"),
    ("account_number", "programme", "value"),
)
REASON = "opening balance"


class Key(NamedTuple):
    """What rows are told apart by; times as the row writes them, so that a programme's new zone changes no id."""

    account_number: str
    programme: str
    expires_at: str
    active_from: str


class Opening(NamedTuple):
    """A row that can be read: `value` in whole units, `decimals` as it was written in text, None for a JSON number."""

    key: Key
    value: Decimal
    decimals: int | None
    expires_at: date | None
    active_from: date | None
    reason: str


def key_of(row: Row) -> Key | None:
    """The row's key, whatever else may be wrong with it; None when there is none."""
    found = [row.fields.get(name, "") for name in Key._fields]
    if row.fault is not None or not all(isinstance(each, str) for each in found) or not all(found[:2]):
        return None
    return Key(*found)


def opening_of(row: Row) -> Opening | Refused:
    """Read a row without knowing its programme."""
    if refused := fault_of(row, LAYOUT, "value", ("account_number", "programme")):
        return refused
    value = _credit(row.fields["value"])
    if isinstance(value, Refused):
        return value
    expires_at, active_from = time_of(row, "expires_at"), time_of(row, "active_from")
    if isinstance(expires_at, Refused):
        return expires_at
    if isinstance(active_from, Refused):
        return active_from
    reason = row.fields.get("reason", REASON).strip() or REASON
    if fault := misspelt(reason, LINE, REASON_CHARS_MAX):
        return Refused(f"reason {fault}")
    key = Key(*(row.fields.get(name, "") for name in Key._fields))
    return Opening(key, *value, expires_at, active_from, reason)


def command_of(opening: Opening, programme: Programme) -> Adjust | Refused:
    """The correction that books the balance, by the programme's scale and zone."""
    written = opening.decimals or 0
    if written > programme.scale or to_minor(opening.value, programme.scale) is None:
        has = f"{programme.id} has {programme.scale} decimals" if programme.scale else f"{programme.id} has no decimals"
        return Refused(f"value has too many decimals: {has}")
    return Adjust(
        account_number=opening.key.account_number,
        programme=programme.id,
        value=opening.value,
        reason=opening.reason,
        active_from=instant_of(opening.active_from, programme.zone, days=0),
        expires_at=instant_of(opening.expires_at, programme.zone, days=1),
    )


def refused_now(adjust: Adjust, programme: Programme, now: datetime) -> Refused | None:
    """Whether it is too late to book it; a row that is in already is not asked."""
    if programme.state is ProgrammeState.RETIRED:
        return Refused(f"{programme.id} is retired: it books no more credits")
    if adjust.expires_at is not None:
        if adjust.expires_at <= now:
            return Refused("expires_at is in the past")
        if adjust.active_from is not None and adjust.expires_at <= adjust.active_from:
            return Refused("expires_at is not later than active_from")
    return None


def booked_by(entry: Document) -> int | None:
    """What the journal's entry of an import credited, in the smallest unit; None when it does not say."""
    for event in entry.get("events", ()):
        data = event["data"]
        if data.get("operation") == 0 and ("delta" in data or "amount" in data):
            return int(data["delta"] if "delta" in data else data["amount"])
    return None


def _credit(given: str | Decimal) -> Written | Refused:
    value = amount_of("value", given)
    if isinstance(value, Written) and value.given <= 0:
        return Refused("value must be greater than zero")
    return value
