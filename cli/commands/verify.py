"""`fealty verify`: recompute, compare, and show what is off."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cli.commands.console import out
from cli.commands.output import Form, Sheet, print_json
from cli.commands.output import show as print_sheet
from cli.commands.progress import progress_bar
from cli.commands.stores import journal_of, service_of
from cli.verify import Checks, Finding, Report, verify
from cli.verify.payments import verify_payments
from cli.verify.published import PublishedReport, verify_published
from cli.verify.transactions import Side, verify_both
from shared.runtime.archive import closed_before
from shared.runtime.history import History
from shared.settings import Settings

_CLOCKS = timedelta(minutes=5)
"""The clock here and that of the service may differ by so much."""


def checks_of(service: str, settings: Settings) -> Checks:
    """How a service is verified.

    :raises Failure: there is no such service, or it keeps no journal.
    """
    found = service_of(service, settings)
    return Checks(
        decider=found.decider,
        event=found.check_event,
        state=found.check_state,
        closed_before=lambda: closed_before(settings) + _CLOCKS,
    )


async def verify_service(
    service: str, settings: Settings, progress: Callable[[int, int], None] = lambda done, total: None
) -> Report:
    """Verify a service's store; `progress` hears of writes done and about how many there are.

    :raises Unavailable: the database is away or too slow.
    """
    checks = checks_of(service, settings)
    async with journal_of(service, settings) as journal:
        return await verify(History(journal), checks, progress)


async def verify_with_progress(service: str, settings: Settings) -> Report:
    """The same, with a progress bar on standard error."""
    with progress_bar("verifying") as progress:
        return await verify_service(service, settings, progress)


async def verify_transactions(
    settings: Settings, progress: Callable[[int, int], None] = lambda done, total: None
) -> Report:
    """Hold points, vouchers and gift cards against each other; `progress` hears of transactions done.

    :raises Unavailable: a database is away or too slow.
    """
    async with (
        journal_of("points", settings) as points,
        journal_of("voucher", settings) as vouchers,
        journal_of("giftcard", settings) as cards,
    ):
        of_points, of_vouchers, of_cards = (
            Side(journal, checks_of(name, settings))
            for name, journal in (("points", points), ("voucher", vouchers), ("giftcard", cards))
        )
        report = await verify_both(of_points, of_vouchers, progress=progress)
        await verify_payments(of_points, of_cards, History(cards), report)
        return report


async def verify_transactions_with_progress(settings: Settings) -> Report:
    """The same, with a progress bar on standard error."""
    with progress_bar("comparing points, vouchers and gift cards") as progress:
        return await verify_transactions(settings, progress)


async def verify_topics(service: str, settings: Settings) -> PublishedReport:
    """Hold what a service has published against its journal, with a progress bar on standard error.

    :raises Failure: there is no such service.
    :raises Unavailable: a server is away or too slow.
    """
    found = service_of(service, settings)
    with progress_bar("reading topics") as progress:
        async with journal_of(service, settings) as journal:
            return await verify_published(found, settings, History(journal), progress)


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that was verified: what was counted, how much of it is off, and what is off with it, as far as listed.

    `where` names what a finding is about; `off` is told in `failure`.
    """

    what: str
    where: str
    ok: bool
    counts: dict[str, int]
    off: int
    failure: str
    findings: list[Finding]


def of_streams(report: Report) -> Part:
    """The states of one service."""
    counts = {"streams": report.streams, "versions": report.writes, "events": report.events}
    failure = f"{report.streams_off} of {report.streams} streams differ"
    return Part("streams", "stream", report.ok, counts, report.streams_off, failure, report.findings)


def of_transactions(report: Report) -> Part:
    """Transactions over points, vouchers and gift cards."""
    counts = {"transactions over points, vouchers and gift cards": report.streams}
    failure = f"{report.streams_off} transactions or vouchers differ between points, vouchers and gift cards"
    return Part("transactions", "stream", report.ok, counts, report.streams_off, failure, report.findings)


def of_topics(report: PublishedReport) -> Part:
    """What was published."""
    counts = {"published records": report.records}
    failure = f"{report.off} of {report.records} published records differ"
    return Part("topics", "record", report.ok, counts, report.off, failure, report.findings)


def show(part: Part) -> None:
    """Print `ok` with counts, or a table of what is off; of transactions nothing when there are none."""
    counts = ", ".join(f"{count:,} {name}" for name, count in part.counts.items())
    if part.ok:
        if part.what != "transactions" or any(part.counts.values()):
            out().print(f"ok: {counts}")
        return
    shown = Sheet((part.where, "what", "expected", "found"), title=f"different: {part.off:,} of {counts}")
    for finding in part.findings:
        difference = finding.difference
        shown.add(finding.stream, difference.what, difference.expected, difference.found)
    print_sheet(shown, Form.TABLE)


def show_json(parts: Sequence[Part]) -> None:
    """Print all parts as one JSON document."""
    documents = [
        {
            "what": part.what,
            "ok": part.ok,
            "counts": part.counts,
            "off": part.off,
            "findings": [
                {
                    "where": each.stream,
                    **{name: getattr(each.difference, name) for name in ("what", "expected", "found")},
                }
                for each in part.findings
            ],
        }
        for part in parts
    ]
    print_json({"ok": all(part.ok for part in parts), "parts": documents})
