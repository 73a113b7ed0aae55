"""Points against vouchers: each transaction, and each reversal, over both ended alike in both (rules 4.1.13, 4.2.2).

A transaction that gift cards alone decide is none of the voucher service's; `payments.py` compares it.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from cli.verify.replay import Checks
from shared.findings import NOTHING, Difference, Report
from shared.runtime.archive import load
from shared.runtime.history import History
from shared.runtime.journal import Journal, Stored
from shared.writes import split

_TRANSACTION, _REVERSALS, _VOUCHER = "transaction/", "reversals/", "voucher/"
_PAGE = 200


class Side:
    """One of both services: its store, and how its states are read."""

    def __init__(self, journal: Journal, checks: Checks) -> None:
        self._journal = journal
        self._closed_before = checks.closed_before
        self._history = History(journal)
        self._decider = checks.decider

    async def pages(self, prefix: str) -> AsyncIterator[dict[str, Any]]:
        """All states of streams whose names begin so, page by page, each stream where the journal begins it."""
        after = prefix
        while page := await self._history.page(after, _PAGE, ("v", "writes")):
            after = page[-1][0]
            begun = [stream for stream, version in (split(write) for write, _ in page) if version == 1]
            yield await self.states([stream for stream in begun if stream.startswith(prefix)])
            if not after.startswith(prefix):
                return

    async def states(self, names: list[str]) -> dict[str, Any]:
        """The states of these streams, of those that are; the journal gives those that the archive has taken."""
        found = (await load(self._journal, self._decider, [], names)).streams
        lost = {name for name, each in found.items() if each.archived and not self._may_be_archived(each)}
        load_state = self._decider.load_state
        return {name: load_state(name, each.document["state"]) for name, each in found.items() if name not in lost}

    def _may_be_archived(self, stored: Stored) -> bool:
        closed_at = stored.document.get("closed_at")
        return closed_at is not None and closed_at <= self._closed_before()


async def verify_both(
    points: Side, vouchers: Side, progress: Callable[[int, int], None] = lambda done, total: None
) -> Report:
    """Compare what both services have of each transaction and reversal, and each voucher with what names it.

    Each time what comes first in a transaction's life is read last, so that what is decided meanwhile is no false
    alarm: what points have closed, voucher has decided before, and what voucher has decided, points have held before.

    :raises Unavailable: the database is away or too slow.
    """
    report = Report()
    async for holds in points.pages(_TRANSACTION):
        pivots = await vouchers.states(list(holds))
        for stream, hold in holds.items():
            report.streams += 1
            if _is_of_cards(hold, pivots.get(stream)):
                continue
            if hold.decision is not None and (found := [*_ended(hold, pivots.get(stream))]):
                report.add(stream, found)
        progress(report.streams, report.streams)
    async for undone in points.pages(_REVERSALS):
        await _undone(undone, vouchers, report)
    async for pivots in vouchers.pages(_TRANSACTION):
        await _decided(pivots, points, vouchers, report)
        await _reversed(pivots, points, report)
    async for page in vouchers.pages(_VOUCHER):
        await _named(page, vouchers, report)
    return report


def _is_of_cards(hold: Any, pivot: Any) -> bool:
    """Whether the voucher service was not asked, as no voucher takes part, or a gift card had refused before."""
    if hold.held is None or not hold.held.cards:
        return False
    return hold.held.card_decides is True or (pivot is None and hold.decision == "refused")


def _ended(hold: Any, pivot: Any) -> Iterator[Difference]:
    """What points closed, and what voucher decided."""
    decided = NOTHING if pivot is None else decision_of(pivot)
    if decided != hold.decision:
        yield Difference("closed as the voucher service decided", decided, hold.decision)
    elif decided == "executed":
        bought = sorted(each.operation for each in hold.held.debits if each.kind == "purchase")
        issued = sorted(each.operation for each in pivot.decision.issued)
        if bought != issued:
            yield Difference("operations that bought a voucher", str(issued), str(bought))


async def _decided(pivots: dict[str, Any], points: Side, vouchers: Side, report: Report) -> None:
    """Each decision is on a transaction that points held; and the vouchers that it names are there, and name it."""
    executed = {stream: pivot for stream, pivot in pivots.items() if decision_of(pivot) == "executed"}
    holds = await points.states(list(pivots))
    serials = {_stream(stream, each.serial_id) for stream, pivot in executed.items() for each in pivot.decision.issued}
    issued = await vouchers.states(list(serials))
    for stream, pivot in pivots.items():
        if decision_of(pivot).startswith("reversal"):
            continue
        found = []
        hold = holds.get(stream)
        if decision_of(pivot) != "cancelled" and (hold is None or hold.held is None):
            found.append(Difference("held by points", "held", NOTHING))
        for each in pivot.decision.issued if stream in executed else ():
            voucher = issued.get(_stream(stream, each.serial_id))
            if voucher is None or voucher.issued is None or voucher.issued.transaction_id != pivot.id:
                found.append(Difference(f"voucher {each.serial_id}", f"issued by {pivot.id}", NOTHING))
        if found:
            report.add(stream, found)


async def _undone(found: dict[str, Any], vouchers: Side, report: Report) -> None:
    """Each operation whose voucher points count as dealt with is one that the reversal named has dealt with."""
    pivots = await vouchers.states([_pivot(stream, by) for stream, it in found.items() for by in it.vouchers.values()])
    for stream, reversals in found.items():
        for operation, by in reversals.vouchers.items():
            if (reversals.id, operation) not in _operations(pivots.get(_pivot(stream, by))):
                what = f"voucher of operation {operation}, reversed by {by}"
                report.add(stream, [Difference(what, NOTHING, "reversed")])


async def _reversed(pivots: dict[str, Any], points: Side, report: Report) -> None:
    """Each reversal that voucher has executed is one that points have booked, or wait to."""
    done = {stream: it for stream, it in pivots.items() if decision_of(it) == "reversal_executed"}
    names = {stream: f"{_REVERSALS}{stream.split('/')[1]}/{it.decision.transaction_id}" for stream, it in done.items()}
    found = await points.states(list({*names.values()}))
    for stream, pivot in done.items():
        reversals = found.get(names[stream])
        open_one = None if reversals is None or reversals.held is None else reversals.held.reversal_id
        booked = {} if reversals is None else reversals.vouchers
        if open_one != pivot.id and any(booked.get(each) != pivot.id for _, each in _operations(pivot)):
            report.add(stream, [Difference("booked by points", "reversed", NOTHING)])


def _operations(pivot: Any) -> set[tuple[str, int]]:
    """The operations, each with its transaction, whose vouchers a reversal has dealt with."""
    if pivot is None or decision_of(pivot) != "reversal_executed":
        return set()
    decision = pivot.decision
    return {(decision.transaction_id, each.operation) for each in (*decision.restored, *decision.voided)}


def _pivot(stream: str, reversal: str) -> str:
    """The stream of a reversal's decision, in the store of the stream of what was undone."""
    return f"{_TRANSACTION}{stream.split('/')[1]}/{reversal}"


async def _named(found: dict[str, Any], vouchers: Side, report: Report) -> None:
    """Each voucher that is redeemed names a transaction that redeemed it."""
    redeemed = {stream: voucher for stream, voucher in found.items() if voucher.redeemed_in}
    names = {stream: f"{_TRANSACTION}{stream.split('/')[1]}/{it.redeemed_in}" for stream, it in redeemed.items()}
    pivots = await vouchers.states(list({*names.values()}))
    for stream, voucher in redeemed.items():
        pivot = pivots.get(names[stream])
        done = pivot.decision.redeemed if pivot is not None and decision_of(pivot) == "executed" else ()
        if all(each.serial_id != voucher.serial_id for each in done):
            report.add(stream, [Difference(f"redeemed in {voucher.redeemed_in}", "redeemed there", NOTHING)])


def decision_of(pivot: Any) -> str:
    """`executed`, `refused` or `cancelled`; of a reversal with `reversal_` before it."""
    if pivot.decision is None:
        return NOTHING
    name: str = pivot.decision.type.removeprefix("voucher.").removesuffix(".v1")
    return name.removeprefix("transaction_")


def _stream(transaction: str, serial: str) -> str:
    """The stream of a voucher in the store of a transaction's stream."""
    return f"{_VOUCHER}{transaction.split('/')[1]}/{serial}"
