"""Where the rows of an export come from: the journal's changes, and the snapshots of accounts and cards, in pages."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from cli.exporting.formats import Row
from cli.giftcards import card_view
from cli.points import account_view
from services.giftcard.state import card_stream
from services.points.streams import account_stream
from shared.decider import Document
from shared.money import from_minor
from shared.runtime.history import FOLDED, History
from shared.runtime.journal import Stored
from shared.writes import split

_PAGE_WRITES = 500
_PAGE_STREAMS = 200

Page = tuple[str, list[Row]]
"""The place up to which everything has been read, and its rows."""

Units = Mapping[str, str]
"""What each programme counts; of changes, those that were booked before their unit was recorded need it."""


ChangeOf = Callable[[Document], Document | None]
"""The public change that a stored event is, if it is one."""


def changes(history: History, store: str, units: Units, change_of: ChangeOf, after: str) -> AsyncIterator[Page]:
    """Every balance change of a store by account and sequence, each account's up to when it is read."""
    return _journal(history, account_stream(store, ""), change_of, lambda change: _change(change, units), after)


def card_changes(history: History, store: str, change_of: ChangeOf, after: str) -> AsyncIterator[Page]:
    """Every change of a store's gift cards by card and sequence, each card's up to when it is read."""
    return _journal(history, card_stream(store, ""), change_of, _card_change, after)


def balances(history: History, store: str, units: Units, after: str) -> AsyncIterator[Page]:
    """Every balance of a store by account and programme, as it is when it is read."""
    return _snapshots(history, account_stream(store, ""), lambda snapshot: _balances(snapshot, units), after)


def cards(history: History, store: str, after: str) -> AsyncIterator[Page]:
    """Every gift card of a store, as it is when it is read."""
    return _snapshots(history, card_stream(store, ""), _cards, after)


async def _journal(
    history: History, first: str, change_of: ChangeOf, row_of: Callable[[Document], Row], after: str
) -> AsyncIterator[Page]:
    """The changes on all streams whose names begin with `first`."""
    after = after or first
    while page := await history.page(after, _PAGE_WRITES, FOLDED):
        inside = [(write, entry) for write, entry in page if write.startswith(first)]
        rows = [
            row_of(change)
            for write, entry in inside
            for event in entry["events"]
            if event["stream"] == split(write)[0] and (change := change_of(event["data"])) is not None
        ]
        after = page[-1][0]
        yield after, rows
        if len(inside) < len(page):
            return


async def _snapshots(
    history: History, first: str, rows_of: Callable[[Document], Iterator[Row]], after: str
) -> AsyncIterator[Page]:
    """What the snapshots of all streams say whose names begin with `first`."""
    after = after or first
    while page := await history.snapshots(after, _PAGE_STREAMS, ("version", "state")):
        inside = [each for each in page if each["_id"].startswith(first)]
        after = page[-1]["_id"]
        yield after, [row for each in inside for row in rows_of(each)]
        if len(inside) < len(page):
            return


def _change(change: Document, units: Units) -> Row:
    source = change["source"]
    amounts = [_amount(change, name) for name in ("delta", "pendingDelta", "booked", "pending")]
    return (
        *(change[name] for name in ("account", "sequence", "accountNumber", "programme", "programmeVersion")),
        change.get("unit") or units.get(change["programme"]),
        change["kind"],
        *amounts,
        change["transactionId"],
        change["operation"],
        *(source[name] for name in ("order", "receipt", "shop", "till", "operator")),
        change["reason"],
        _time(change["occurredAt"]),
        _time(change["bookedAt"]),
    )


def _balances(snapshot: Document, units: Units) -> Iterator[Row]:
    view = account_view(snapshot["_id"], Stored(snapshot["version"], snapshot))
    if view is None:
        return
    for balance in view["balances"]:
        next_ = next(iter(balance["expiring"]), None)
        yield (
            *(view[name] for name in ("account", "accountNumber", "state")),
            balance["programme"],
            units.get(balance["programme"]),
            *(_amount(balance, name) for name in _AMOUNTS),
            None if next_ is None else _time(next_["at"]),
            None if next_ is None or next_["at"] is None else from_minor(next_["amount"], balance["scale"]),
            view["sequence"],
            _time(view["bookedAt"]),
        )


def _card_change(change: Document) -> Row:
    source = change["source"]
    return (
        *(change[name] for name in ("cardId", "sequence", "serialNumber", "cardType", "currency", "kind")),
        *(change[name] for name in ("oldStatus", "newStatus")),
        *(_amount(change, name) for name in ("delta", "balance")),
        _time(change["expiresAt"]),
        *(change[name] for name in ("transactionId", "cancels")),
        *(source[name] for name in ("order", "receipt", "shop", "till", "operator")),
        *(change[name] for name in ("comment", "reason")),
        _time(change["occurredAt"]),
        _time(change["bookedAt"]),
    )


def _cards(snapshot: Document) -> Iterator[Row]:
    view = card_view(snapshot["_id"], Stored(snapshot["version"], snapshot))
    if view is None:
        return
    yield (
        *(view[name] for name in ("cardId", "serialNumber", "cardType", "currency", "status")),
        _amount(view, "balance"),
        _time(view["expiresAt"]),
        *(view[name] for name in ("articleSetCode", "switchId", "sequence")),
        _time(view["changedAt"]),
    )


_AMOUNTS = ("balance", "booked", "pending", "debt", "held", "earned", "redeemed", "expired")


def _amount(of: Mapping[str, Any], name: str) -> Decimal:
    return from_minor(of[name], of["scale"])


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
