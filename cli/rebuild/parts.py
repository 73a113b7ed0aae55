"""A large journal in parts of whole streams, for as many processes: each folds its own, and goes on where it was."""

from typing import NamedTuple

from shared.runtime.history import History
from shared.writes import last_write

ENTRIES_A_PART_MIN = 50_000
"""A process of its own costs two seconds: smaller journals are folded by the caller."""


class Part(NamedTuple):
    """The writes behind `after`, up to `until`; both lie between two streams. No `until`: up to the end."""

    number: int = 0
    after: str = ""
    until: str | None = None


async def parts_of(history: History, parts_max: int) -> list[Part]:
    """Parts of about the same size, by a sample of the journal's streams."""
    wanted = min(parts_max, await history.size() // ENTRIES_A_PART_MIN)
    if wanted < 2:
        return [Part()]
    streams = await history.sample(wanted * 200)
    bounds = sorted({streams[len(streams) * number // wanted] for number in range(1, wanted)})
    edges = ["", *map(last_write, bounds)]
    return [
        Part(number, after, until) for number, (after, until) in enumerate(zip(edges, [*edges[1:], None], strict=True))
    ]
