"""Who had an account corrected: the edge's own memory of it, one document an adjustment or reversal.

The journal has the same; but what the services publish is read by the shop's systems too, and does not say it. A
movement carries the id of the command that booked it, which is another one where the command was forwarded.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pymongo import ASCENDING, IndexModel

from services.edge.views.shapes import ATTRIBUTION
from services.edge.views.view import Stored, View
from shared.runtime.publish import forward_id

ATTRIBUTIONS = "attributions"
CORRECTIONS = frozenset({"points.adjust.v1", "points.reverse.v1"})
"""The commands whose movements are shown with who sent them."""

_FORWARDS = 2
"""A replaced number leads to its account at once; one more, for an account that was closed for another."""


class Attributions(View):
    """No topic brings them: they are written before a correction is sent."""

    collections = (Stored(ATTRIBUTIONS, [IndexModel([("transactions", ASCENDING)], unique=True)]),)

    async def remember(self, command_id: str, actor: str) -> None:
        """Keep who sends a correction. A repeat is the same client's, since its id is derived from the client."""
        ids = [command_id]
        for _ in range(_FORWARDS):
            ids.append(forward_id(ids[-1]))
        document = ATTRIBUTION.stamp({"transactions": ids, "actor": actor})
        async with self._connection.keeping() as database:
            await database[ATTRIBUTIONS].update_one({"_id": command_id}, {"$setOnInsert": document}, upsert=True)

    async def actors(self, changes: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """Who had the corrections among these movements booked, by transaction; every correction has a reason."""
        wanted = {each["transactionId"] for each in changes if corrected(each)}
        if not wanted:
            return {}
        async with self._connection.reading() as database:
            found = await database[ATTRIBUTIONS].find({"transactions": {"$in": [*wanted]}}).to_list(None)
        return {name: each["actor"] for each in map(ATTRIBUTION.upgrade, found) for name in each["transactions"]}


def corrected(change: Mapping[str, Any]) -> bool:
    """Whether a movement can be a correction's own, and not what fell due before it."""
    return change["reason"] is not None and change["operation"] >= 0
