"""Writing snapshots to the views: those of a feed durably and in portions, those of a reply at once."""

import asyncio
from collections.abc import Sequence

from schemas.replies import SnapshotPart
from services.edge.views.applying import Applier, Portions, applied
from services.edge.views.catalogue import Catalogue
from services.edge.views.composing import compose
from services.edge.views.connection import Connection
from services.edge.views.customers import CUSTOMERS
from services.edge.views.snapshots import SNAPSHOTS, of_part, of_record
from services.edge.views.upserts import Upsert, newest, replace_older
from services.edge.views.vouchers import VOUCHERS
from shared.runtime.consumer import Batch

_DECLARED = {each.name for each in Catalogue.collections}


class SnapshotWriter:
    """Puts snapshots of all types where the table of views wants them, and customers together."""

    def __init__(self, connection: Connection, catalogue: Catalogue) -> None:
        self._connection = connection
        self._catalogue = catalogue
        self._apply = Applier(self._write_seen)
        self._portions = Portions()

    async def feed(self, batch: Batch) -> None:
        """Upsert the snapshots of a batch; what is no snapshot is skipped, what is unreadable logged and counted.

        :raises Unavailable: when the server is away or slow; the batch is to be fed again.
        """
        upserts = [upsert for record in batch.records if (upsert := of_record(record)) is not None]
        latest = newest(upserts)
        await self._portions.write(latest, self.write_durably)
        await self._heed(latest)
        SNAPSHOTS.labels("fed").inc(len(upserts))

    async def apply(self, parts: Sequence[SnapshotPart]) -> bool:
        """Write the snapshots that came with a reply; True when the next read sees them all."""
        upserts = [upsert for part in parts if (upsert := of_part(part)) is not None]
        return await applied(self._apply, upserts, SNAPSHOTS)

    async def write_durably(self, upserts: Sequence[Upsert]) -> None:
        """Write one portion of a feed, as it is and then with the customers."""
        async with self._connection.feeding() as database:
            await replace_older(database, _whole(upserts))
            await compose(database, upserts)

    async def _write_seen(self, upserts: list[Upsert]) -> None:
        """At once: should a customer and its account come in two replies at the same time, the feed joins them."""
        latest = newest(upserts)
        vouchers = [each for each in latest if each.collection == VOUCHERS]
        others = [each for each in _whole(latest) if each.collection != VOUCHERS]
        async with self._connection.applying() as database:
            await replace_older(database, vouchers)  # What their customers show of them is read there.
            await asyncio.gather(replace_older(database, others), compose(database, latest))
        await self._heed(latest)

    async def _heed(self, upserts: Sequence[Upsert]) -> None:
        """Know at once what has been declared."""
        if any(upsert.collection in _DECLARED for upsert in upserts):
            await self._catalogue.read()


def _whole(upserts: Sequence[Upsert]) -> list[Upsert]:
    """Those that are documents by themselves; a customer's document has other parts, too."""
    return [each for each in upserts if each.collection != CUSTOMERS]
