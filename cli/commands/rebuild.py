"""`fealty rebuild`: all snapshots of a service, made again from its journal."""

import asyncio
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from threading import Thread

from cli.commands.console import complain, out
from cli.commands.output import Form, Sheet, print_json
from cli.commands.output import show as print_sheet
from cli.commands.progress import progress_bar
from cli.commands.stores import journal_of, must_be_stopped, service_of
from cli.rebuild import Part, Report, fold_part, rebuild
from shared.runtime.archive import closed_before
from shared.runtime.tuning import tune_memory
from shared.settings import Settings


async def rebuild_service(name: str, settings: Settings, *, force: bool, restart: bool) -> Report:
    """Rebuild a service's snapshots, with a progress bar; `force` does not ask whether it runs.

    :raises Failure: there is no such service, or it runs.
    :raises Unavailable: a server is away; the next call goes on from there.
    """
    service = service_of(name, settings)
    if not force:
        await must_be_stopped(name, settings)
    processes = os.cpu_count() or 1
    with progress_bar("rebuilding") as progress, pool_of(processes) as pool:
        async with journal_of(name, settings) as journal:
            tune_memory()

            async def elsewhere(part: Part) -> Report:
                return await asyncio.get_running_loop().run_in_executor(pool, _fold_part, name, settings, part)

            return await rebuild(
                journal,
                service.decider,
                closed_before=closed_before(settings),
                restart=restart,
                progress=progress,
                parts_max=processes,
                elsewhere=elsewhere,
            )


def pool_of(processes: int) -> ProcessPoolExecutor:
    """Processes that end with this one, however it ends and whether they are at work or idle."""
    return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=_end_with_parent)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "this is no process of a pool"

    def wait() -> None:
        parent.join()
        os._exit(1)

    Thread(target=wait, daemon=True).start()


def _fold_part(name: str, settings: Settings, part: Part) -> Report:
    """A part, in a process of its own."""

    async def fold() -> Report:
        async with journal_of(name, settings) as journal:
            decider = service_of(name, settings).decider
            return await fold_part(journal, decider, part, closed_before=closed_before(settings))

    tune_memory()
    return asyncio.run(fold())


def show(report: Report, form: Form = Form.TABLE) -> None:
    """Print counts, and the streams whose journal cannot be folded."""
    if report.going_on_after is not None:
        complain(f"continued the interrupted run after {report.going_on_after}; --restart starts from the beginning")
    if form is Form.JSON:
        names = ("streams", "writes", "events", "removed", "unfoldable")
        print_json({name: getattr(report, name) for name in names})
        return
    counts = f"{report.streams:,} streams, {report.writes:,} versions, {report.events:,} events"
    out().print(f"rebuilt: {counts}; {report.removed:,} snapshots without journal entries removed")
    if report.unfoldable:
        shown = Sheet(("stream", "why its snapshot was not rebuilt"))
        for stream, reason in report.unfoldable.items():
            shown.add(stream, reason)
        print_sheet(shown, Form.TABLE)
