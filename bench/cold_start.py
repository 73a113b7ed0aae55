"""From nothing to a service that works: both servers on empty data, the topics, a points worker and the edge."""

import asyncio
import importlib.util
import os

from bench.stack import LOGS, fresh_stack
from bench.workers import fetch, free_port, service_argv
from shared.embedded.process import Process, together
from shared.runtime.topics import create_topics
from shared.servers import environment_of
from shared.settings import Settings

_START_TIMEOUT_S = 120.0


async def cold_start_s() -> tuple[float, list[str]]:
    """Seconds until everything is ready, and what was started; the servers' files have been fetched before."""
    names = [name for name in ("points", "edge") if importlib.util.find_spec(f"services.{name}.main")]
    processes = [Process(f"cold-{name}", LOGS / f"cold-{name}.log") for name in names]
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    async with fresh_stack() as stack:
        try:
            settings = Settings(**stack.settings)
            await create_topics(settings)
            starts = [
                _start(name, process, environment_of(settings)) for name, process in zip(names, processes, strict=True)
            ]
            await together(*starts)
            return loop.time() - started_s, names
        finally:
            await asyncio.gather(*(process.stop(30) for process in processes))


async def _start(name: str, process: Process, servers: dict[str, str]) -> None:
    port = free_port()
    await process.start(service_argv(name), {**os.environ, **servers, "FEALTY_PORT": str(port)})

    async def ready() -> bool:
        return await fetch(port, "/health/ready") is not None

    await process.wait_ready(ready, _START_TIMEOUT_S)
