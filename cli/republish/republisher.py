"""From a service's store to its topics once more: the same ids, headers and values as the first time.

It may run beside the service's workers. A change that is repeated says what it said, in order per account; a snapshot
that a worker overtook while it was on its way is published again, until the newest record of each key is the newest
version.
"""

from collections.abc import Callable
from datetime import datetime

from shared.decider import Document
from shared.runtime.history import PUBLISHED, History
from shared.runtime.journal import Stored
from shared.runtime.kafka import Producer, Record
from shared.runtime.publish import RecordBuilder
from shared.runtime.service import Service
from shared.settings import Settings
from shared.writes import split

_PAGE_WRITES = 500
_PAGE_STREAMS = 200

Progress = Callable[[int], None]


class Republisher:
    """One service's. `since` leaves out what was booked before that instant; `progress` hears of records published.

    Every method raises :class:`Unavailable` when a server is away; what was published until then stays so, and the
    whole can be repeated.
    """

    def __init__(
        self, service: Service, settings: Settings, history: History, producer: Producer, since: datetime | None
    ) -> None:
        self._decider = service.decider
        self._build = RecordBuilder(service, settings)
        self._history = history
        self._producer = producer
        self._since = since

    async def changes(self, progress: Progress) -> int:
        """Publish every change that the journal has, stream by stream in its order; how many there were."""
        count, after = 0, ""
        while page := await self._history.page(after, _PAGE_WRITES, PUBLISHED):
            after = page[-1][0]
            records = [
                record
                for write, entry in page
                if self._wanted(entry["at"])
                for record in self._build.movements(entry, split(write)[0])
            ]
            await self._producer.publish(records)
            count += len(records)
            progress(count)
        return count

    async def snapshots(self, progress: Progress) -> int:
        """Publish the current snapshot of every stream that has a view; how many records it took."""
        count, after = 0, ""
        while page := await self._history.snapshots(after, _PAGE_STREAMS, ("booked_at",)):
            after = page[-1]["_id"]
            count += await self._current([each["_id"] for each in page if self._wanted(each["booked_at"])])
            progress(count)
        return count

    async def _current(self, streams: list[str]) -> int:
        """Publish these streams as they are, and again those that moved on before it was acknowledged.

        Whoever moves one on after that look publishes it later than we did.
        """
        count, published = 0, dict[str, int]()
        while streams:
            stored = await self._history.streams(streams)
            moved = {name: each for name, each in stored.items() if published.get(name) != each.version}
            records = [record for name, each in moved.items() for record in self._snapshot(name, each)]
            await self._producer.publish(records)
            published |= {name: each.version for name, each in moved.items()}
            count += len(records)
            streams = list(moved)
        return count

    def _snapshot(self, stream: str, stored: Stored) -> list[Record]:
        document: Document = stored.document
        view = self._decider.views(self._decider.load_state(stream, document["state"]))
        return [] if view is None else [self._build.snapshot(stream, stored.version, view)]

    def _wanted(self, booked_at: datetime) -> bool:
        return self._since is None or booked_at >= self._since
