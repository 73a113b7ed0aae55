"""`python -m bench.stages [REQUESTS]`: where the time of a transaction over HTTP goes, until its answer is heard.

An edge and a points worker, as in production but for the notes that they take of when what happened; one clock serves
all processes of a machine. Each stage begins where the one before it ends, so that means add up. The notes cost some
microseconds a request.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise
from pathlib import Path
from statistics import mean, quantiles
from time import perf_counter
from typing import Any

import orjson
import uvloop

from bench.arena import new_arena
from bench.asking import access_token
from bench.http_transactions import prepare
from bench.pacing import moments, offered
from bench.stack import LOGS, fresh_stack
from bench.tills import Tills, places
from bench.workers import processes
from services.edge import main as edge
from services.edge.http.metrics import RequestMetrics
from services.edge.views.views import Views
from services.points import main as points
from shared.runtime import process
from shared.runtime.requests import Requester
from shared.settings import Settings

Notes = dict[str, Any]
"""When what happened, in seconds, to one request or one batch."""

STAGES = {
    "due": "",
    "asked": "the asker comes late",
    "arrived": "to the edge: HTTP, and its loop is busy",
    "sending": "token, body, command",
    "polled": "published, and fetched when the batch before is done",
    "decode": "decode",
    "load": "load",
    "decide": "decide",
    "settled": "offset commit of the batch before",
    "append": "transaction",
    "replied": "published, and fetched by the edge",
    "applied": "views",
    "answered": "answer",
    "heard": "back to the asker",
}
"""What a stage ends with, and what it is."""

_RATE, _LEAD = 100, 200
_request: ContextVar[Notes] = ContextVar("request")


def note_edge(taken: dict[str, Notes]) -> None:
    """Have an edge in this process note its requests, by idempotency key."""
    call, send, apply = RequestMetrics.__call__, Requester.send, Views.apply

    async def called(self: Any, scope: Any, receive: Any, send: Any) -> None:
        key = dict(scope.get("headers", ())).get(b"idempotency-key", b"").decode()
        notes = taken[key] = {"arrived": perf_counter()}
        _request.set(notes)
        await call(self, scope, receive, send)
        notes["answered"] = perf_counter()

    async def sent(self: Any, request: Any) -> Any:
        _request.get().update(sending=perf_counter(), command=request.command_id)
        return await send(self, request)

    async def applied(self: Any, *came: Any) -> bool:
        _request.get()["replied"] = perf_counter()
        visible = await apply(self, *came)
        _request.get()["applied"] = perf_counter()
        return visible

    for owner, name, noted in (
        (RequestMetrics, "__call__", called),
        (Requester, "send", sent),
        (Views, "apply", applied),
    ):
        setattr(owner, name, noted)


def note_worker(taken: dict[str, Notes]) -> None:
    """Have a worker in this process note its batches, by the ids of their commands."""
    handle, batch_notes = process.Processor.handle, Notes()

    async def handled(self: Any, batch: Any) -> None:
        batch_notes.clear()
        batch_notes.update(polled=perf_counter(), records=len(batch.records))
        await handle(self, batch)
        done = dict(batch_notes)
        taken.update((dict(record.headers)["ce_id"].decode(), done) for record in batch.records)

    @contextmanager
    def timed(step: str) -> Iterator[None]:
        if step == "append":
            batch_notes["settled"] = perf_counter()
        yield
        batch_notes[step] = perf_counter()

    for owner, name, noted in ((process.Processor, "handle", handled), (process, "timed", timed)):
        setattr(owner, name, noted)


def run(service: str, path: Path) -> None:
    """Run a service that takes notes, and write them down when it is told to stop."""
    taken: dict[str, Notes] = {}
    note, start = {"edge": (note_edge, edge.run), "points": (note_worker, points.run)}[service]
    note(taken)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # The server ends by it, and raises it again.
    try:
        start(Settings())
    finally:
        path.write_bytes(orjson.dumps(taken))


async def main(requests: int) -> None:
    """Offer transactions as the benchmark does, and show the table."""
    files = {name: LOGS / f"stages-{name}.json" for name in ("points", "edge")}
    argv = {name: [sys.executable, "-m", "bench.stages", name, str(path)] for name, path in files.items()}
    asked: dict[str, Notes] = {}
    async with fresh_stack() as stack, new_arena(stack) as arena:
        async with processes(arena, argv) as team:
            port = team["edge"].port
            tills = Tills(port, await access_token(arena.settings, port, "api_loyalty"), False, places(12))
            await prepare(arena, tills, 0, print)

            async def ask(number: int) -> None:
                notes = asked[f"bench-{number}"] = {"asked": perf_counter()}
                await tills.ask(number)
                notes["heard"] = perf_counter()

            due_s = [*moments(_RATE, _LEAD + requests, seed=0)]
            started_s = perf_counter()
            await offered(ask, 0, due_s)
            later = {key for key, _, _ in tills.open}
            await tills.finish()
        for number, after_s in enumerate(due_s):
            asked[f"bench-{number}"]["due"] = started_s + after_s
    at_edge, at_worker = (orjson.loads(files[name].read_bytes()) for name in ("edge", "points"))
    counted = [(key, notes) for key, notes in asked.items() if key not in later][_LEAD:]
    show([{**at_worker[at_edge[key]["command"]], **at_edge[key], **notes} for key, notes in counted])
    print(f"{len(later)} were not answered in time, and are left out")


def show(requests: list[Notes]) -> None:
    """Mean, median and 99th percentile of each stage, in ms, and of all together."""
    rows = [(told, _ms(requests, *ends)) for ends, told in zip(pairwise(STAGES), [*STAGES.values()][1:], strict=True)]
    for told, found in [*rows, ("all", _ms(requests, "due", "heard"))]:
        cuts = quantiles(found, n=100, method="inclusive")
        print(f"{told:<55}{mean(found):>8.2f}{cuts[49]:>8.2f}{cuts[98]:>8.2f}")
    print(f"{mean(notes['records'] for notes in requests):.1f} commands in a request's batch")


def _ms(requests: list[Notes], begin: str, end: str) -> list[float]:
    return [(notes[end] - notes[begin]) * 1e3 for notes in requests]


if __name__ == "__main__":
    if len(sys.argv) == 3:
        run(sys.argv[1], Path(sys.argv[2]))
    else:
        uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_500))
