"""States as they are published to `points.snapshots`."""

from datetime import datetime

from schemas.base import format_instant
from schemas.points import ACCOUNT_VIEW, PROGRAMME_VIEW
from services.points.state import Balance, ProgrammeRules, State
from shared.decider import Document, View


def views(state: State) -> View | None:
    """An `AccountView` or a `ProgrammeView`; None as long as there is no such account or programme."""
    if isinstance(state, ProgrammeRules):
        return _programme(state)
    if state.account_number is None or state.booked_at is None:
        return None
    value = {
        "account": state.account,
        "accountNumber": state.account_number,
        "sequence": state.sequence,
        "balances": [_balance(balance) for balance in state.balances.values()],
        "bookedAt": format_instant(state.booked_at),
    }
    return View(ACCOUNT_VIEW, state.account, value)


def _balance(balance: Balance) -> Document:
    return {
        "programme": balance.programme,
        "scale": balance.scale,
        "balance": balance.booked,
        "booked": balance.booked,
        "earned": balance.earned,
        "redeemed": balance.redeemed,
        "expired": balance.expired,
        "adjustedUp": balance.adjusted_up,
        "adjustedDown": balance.adjusted_down,
        "expiring": _dated([(lot.expires_at, lot.amount) for lot in balance.lots]),
        "scheduled": _dated([(lot.active_from, lot.amount) for lot in balance.scheduled]),
        "accountExpiresAt": _text(balance.account_expires_at),
    }


def _dated(amounts: list[tuple[datetime | None, int]]) -> list[Document]:
    """What happens at each instant; equal instants stand next to each other."""
    dated: list[Document] = []
    last: datetime | None = None
    for at, amount in amounts:
        if dated and at == last:
            dated[-1]["amount"] += amount
        else:
            dated.append({"at": _text(at), "amount": amount})
            last = at
    return dated


def _programme(rules: ProgrammeRules) -> View | None:
    if rules.programme is None:
        return None
    value = {
        "programme": rules.programme.model_dump(mode="json", by_alias=True),
        "version": rules.version,
        "state": rules.programme.state.value,
    }
    return View(PROGRAMME_VIEW, rules.id, value)


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)
