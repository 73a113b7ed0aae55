"""Where the rows of an export come from: the journal's changes and the accounts' snapshots, in pages."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from cli.exporting.formats import Row
from cli.points import account_view
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


async def changes(
    history: History, store: str, units: Units, change_of: Callable[[Document], Document | None], after: str
) -> AsyncIterator[Page]:
    """Every balance change of a store by account and sequence, each account's up to when it is read."""
    first = account_stream(store, "")
    after = after or first
    while page := await history.page(after, _PAGE_WRITES, FOLDED):
        inside = [(write, entry) for write, entry in page if write.startswith(first)]
        rows = [
            _change(change, units)
            for write, entry in inside
            for event in entry["events"]
            if event["stream"] == split(write)[0] and (change := change_of(event["data"])) is not None
        ]
        after = page[-1][0]
        yield after, rows
        if len(inside) < len(page):
            return


async def balances(history: History, store: str, units: Units, after: str) -> AsyncIterator[Page]:
    """Every balance of a store by account and programme, as it is when it is read."""
    first = account_stream(store, "")
    after = after or first
    while page := await history.snapshots(after, _PAGE_STREAMS, ("version", "state")):
        inside = [each for each in page if each["_id"].startswith(first)]
        after = page[-1]["_id"]
        yield after, [row for each in inside for row in _balances(each, units)]
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


_AMOUNTS = ("balance", "booked", "pending", "debt", "held", "earned", "redeemed", "expired")


def _amount(of: Mapping[str, Any], name: str) -> Decimal:
    return from_minor(of[name], of["scale"])


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
