"""States as they are published to `points.snapshots`."""

from datetime import datetime
from typing import assert_never

from schemas.base import format_instant
from schemas.points import ACCOUNT_VIEW, CATALOGUE_VIEW, PROGRAMME_VIEW
from services.points.held import Hold
from services.points.orders.state import Order
from services.points.receipts import Receipt
from services.points.reversals import Reversals
from services.points.state import (
    Account,
    Balance,
    Catalogue,
    ProgrammeRules,
    Standing,
    State,
)
from services.points.tiers import measure_of
from shared.calendar import unless_never
from shared.decider import Document, View


def views(state: State) -> View | None:
    """An `AccountView`, `ProgrammeView` or `CatalogueView`; None as long as there is nothing to show.

    Orders, receipts, reversals and held transactions are not published: what they come to is on the accounts.
    """
    match state:
        case Account():
            return _account(state)
        case ProgrammeRules():
            return _programme(state)
        case Catalogue():
            return _catalogue(state)
        case Order() | Receipt() | Reversals() | Hold():
            return None
        case _:
            assert_never(state)


def _account(account: Account) -> View | None:
    if account.account_number is None or account.booked_at is None:
        return None
    value = {
        "account": account.account,
        "accountNumber": account.account_number,
        "state": account.state.value,
        "numbers": list(account.numbers),
        "forwardsTo": account.forwards_to,
        "sequence": account.sequence,
        "balances": [_balance(balance) for balance in account.balances.values()],
        "tiers": [_tier(standing, account) for standing in account.tiers.values()],
        "bookedAt": format_instant(account.booked_at),
    }
    return View(ACCOUNT_VIEW, account.account, value)


def _tier(standing: Standing, account: Account) -> Document:
    balance = account.balances.get(standing.programme)
    return {
        "tierSet": standing.tier_set,
        "code": standing.code,
        "since": _text(standing.since or standing.anchor),
        "pinned": standing.pinned,
        "measure": measure_of(standing, balance),
        "scale": standing.scale,
        "periodEndsAt": _text(standing.ends_at),
        "downAt": _text(standing.down_at),
        "downTo": standing.down_to,
    }


def _balance(balance: Balance) -> Document:
    return {
        "programme": balance.programme,
        "scale": balance.scale,
        "balance": balance.spendable,
        "booked": balance.booked,
        "pending": balance.pending,
        "debt": balance.debt,
        "held": balance.held,
        "earned": balance.earned,
        "redeemed": balance.redeemed,
        "expired": balance.expired,
        "adjustedUp": balance.adjusted_up,
        "adjustedDown": balance.adjusted_down,
        "revoked": balance.revoked,
        "givenBack": balance.given_back,
        "expiring": _dated([(unless_never(lot.expires_at), lot.amount) for lot in balance.lots]),
        "scheduled": _dated([(lot.active_from, lot.amount) for lot in balance.scheduled]),
        "accountExpiresAt": _text(unless_never(balance.account_expires_at)),
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


def _catalogue(catalogue: Catalogue) -> View:
    earning = [
        rules.id
        for rules in catalogue.programmes.values()
        if rules.programme is not None and rules.programme.earn_from == "orders"
    ]
    value = {
        "tierSets": [each.model_dump(mode="json", by_alias=True) for each in catalogue.tier_sets.values()],
        "orderProgrammes": earning,
        "orderNumbersUniquePer": catalogue.order_numbers,
    }
    return View(CATALOGUE_VIEW, catalogue.id, value)


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)
