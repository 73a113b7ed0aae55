"""`fealty verify`: recompute, compare, and show what is off."""

import importlib
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from shared.commands.console import Failure, out, table
from shared.runtime.journal import Journal
from shared.settings import Settings
from shared.verify import Checks, Report, verify

SERVICES = {
    "points": ("services.points.decider", "services.points.identities"),
}
"""Every service that can be verified: the modules of its `DECIDER`, and of its `check_event` and `check_state`."""


def checks_of(service: str) -> Checks:
    """How a service is verified.

    :raises Failure: there is no such service, or it keeps no journal.
    """
    modules = SERVICES.get(service)
    if modules is None:
        raise Failure(f"{service!r} cannot be verified; {', '.join(SERVICES)} can")
    decider, identities = map(importlib.import_module, modules)
    return Checks(decider=decider.DECIDER, event=identities.check_event, state=identities.check_state)


async def verify_service(
    service: str, settings: Settings, progress: Callable[[int, int], None] = lambda done, total: None
) -> Report:
    """Verify a service's store; `progress` hears of writes done and about how many there are.

    :raises Unavailable: the database is away or too slow.
    """
    checks = checks_of(service)
    journal = Journal(settings.mongodb, settings.database(service), settings.request_timeout_ms)
    try:
        return await verify(journal, checks, progress)
    finally:
        journal.close()


async def verify_with_progress(service: str, settings: Settings) -> Report:
    """The same, with a progress bar on standard error."""
    columns = (TextColumn("verifying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("verify", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        return await verify_service(service, settings, progress)


def show(report: Report) -> None:
    """Print `ok` with counts, or a table of what is off."""
    counts = f"{report.streams:,} streams, {report.writes:,} versions, {report.events:,} events"
    if report.ok:
        out().print(f"ok: {counts}")
        return
    shown = table("stream", "what", "expected", "found", title=f"off: {report.streams_off:,} of {counts}")
    for finding in report.findings:
        difference = finding.difference
        shown.add_row(finding.stream, difference.what, difference.expected, difference.found)
    out().print(shown)
