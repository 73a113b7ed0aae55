"""Bringing what a reply has into the views, as the next read sees it."""

from collections.abc import Sequence

from schemas.replies import SnapshotPart
from services.edge.views.views import Views
from shared.decider import Document

_TRIES = 20


async def bring(
    views: Views, parts: Sequence[SnapshotPart], values: Sequence[Document] = (), store: str = "default"
) -> None:
    """Write these snapshots and changes; what was too slow for a reply once more, as the feeds would."""
    for _ in range(_TRIES):
        if await views.apply(parts, values, store):
            return
    raise TimeoutError(f"{len(parts)} snapshots were not written in {_TRIES} tries")
