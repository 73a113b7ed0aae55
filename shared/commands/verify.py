"""`fealty verify`: recompute, compare, and show what is off."""

import importlib
from collections.abc import Callable

from shared.commands.console import out, table
from shared.commands.progress import progress_bar
from shared.commands.stores import journal_of, service_of
from shared.runtime.history import History
from shared.settings import Settings
from shared.verify import Checks, Finding, Report, verify
from shared.verify.published import PublishedReport, verify_published
from shared.verify.transactions import Side, verify_both


def checks_of(service: str, settings: Settings) -> Checks:
    """How a service is verified: by its decider, and the `check_event` and `check_state` of its `identities`.

    :raises Failure: there is no such service, or it keeps no journal.
    """
    decider = service_of(service, settings).decider
    identities = importlib.import_module(f"services.{service}.identities")
    return Checks(decider=decider, event=identities.check_event, state=identities.check_state)


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
    """Hold points and vouchers against each other; `progress` hears of transactions done.

    :raises Unavailable: a database is away or too slow.
    """
    async with journal_of("points", settings) as points, journal_of("voucher", settings) as vouchers:
        sides = (
            Side(History(points), checks_of("points", settings).decider),
            Side(History(vouchers), checks_of("voucher", settings).decider),
        )
        return await verify_both(*sides, progress=progress)


async def verify_transactions_with_progress(settings: Settings) -> Report:
    """The same, with a progress bar on standard error."""
    with progress_bar("comparing points and vouchers") as progress:
        return await verify_transactions(settings, progress)


async def verify_topics(service: str, settings: Settings) -> PublishedReport:
    """Hold what a service has published against its journal, with a progress bar on standard error.

    :raises Failure: there is no such service.
    :raises Unavailable: a server is away or too slow.
    """
    found = service_of(service, settings)
    async with journal_of(service, settings) as journal:
        with progress_bar("reading topics") as progress:
            return await verify_published(found, settings, History(journal), progress)


def show(report: Report) -> None:
    """Print `ok` with counts, or a table of what is off."""
    counts = f"{report.streams:,} streams, {report.writes:,} versions, {report.events:,} events"
    _show(report.ok, counts, report.streams_off, "stream", report.findings)


def show_transactions(report: Report) -> None:
    """The same of transactions over points and vouchers; nothing when there are none."""
    if report.streams or not report.ok:
        counts = f"{report.streams:,} transactions over points and vouchers"
        _show(report.ok, counts, report.streams_off, "stream", report.findings)


def show_topics(report: PublishedReport) -> None:
    """The same of what was published."""
    _show(report.ok, f"{report.records:,} published records", report.off, "record", report.findings)


def _show(ok: bool, counts: str, off: int, where: str, findings: list[Finding]) -> None:
    if ok:
        out().print(f"ok: {counts}")
        return
    shown = table(where, "what", "expected", "found", title=f"off: {off:,} of {counts}")
    for finding in findings:
        difference = finding.difference
        shown.add_row(finding.stream, difference.what, difference.expected, difference.found)
    out().print(shown)
