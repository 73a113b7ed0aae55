"""`fealty republish`: a service's snapshots and public changes, published once more."""

from datetime import datetime

from cli.commands.console import out
from cli.commands.progress import progress_bar
from cli.commands.stores import journal_of, service_of
from cli.republish import Republisher
from shared.runtime.history import History
from shared.runtime.kafka import Producer
from shared.settings import Settings


async def republish(name: str, settings: Settings, *, snapshots: bool, changes: bool, since: datetime | None) -> None:
    """Publish changes, then snapshots, with a progress bar, and print how many there were.

    :raises Failure: there is no such service.
    :raises Unavailable: a server is away; the whole can be repeated.
    """
    service = service_of(name, settings)
    producer = Producer(settings)
    counts = dict.fromkeys(("changes", "snapshots"), 0)
    try:
        with progress_bar("republishing") as progress:
            async with journal_of(name, settings) as journal:
                republisher = Republisher(service, settings, History(journal), producer, since)
                if changes and service.changed:
                    counts["changes"] = await republisher.changes(lambda count: progress(count, None))
                if snapshots:
                    before = counts["changes"]
                    counts["snapshots"] = await republisher.snapshots(lambda count: progress(before + count, None))
    finally:
        await producer.stop()
    out().print(f"republished: {counts['changes']:,} changes, {counts['snapshots']:,} snapshots")
