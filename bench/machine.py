"""What the figures were measured on."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from pymongo import AsyncMongoClient

from shared.embedded.locate import locate_kafka
from shared.embedded.stack import Stack
from shared.servers import mongodb_options

_LIBRARIES = ("aiokafka", "faststream", "motor", "pymongo", "orjson", "pydantic", "uvloop")


async def machine(stack: Stack) -> dict[str, Any]:
    """Cores, processor, memory, versions, date; without anything that names the machine."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": _commit(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "mongodb": await _mongodb(stack),
        "kafka": _kafka(),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def _processor() -> str:
    found = Path("/proc/cpuinfo")
    if found.exists():
        for line in found.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str | None:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return done.stdout.strip() or None


async def _mongodb(stack: Stack) -> str:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(**mongodb_options(stack.mongodb_url))
    try:
        return str((await client.server_info())["version"])
    finally:
        await client.close()


def _kafka() -> str:
    place = locate_kafka()
    if not isinstance(place, Path):
        return str(place)
    jars = sorted(place.glob("libs/kafka_*.jar"))
    return jars[0].stem.partition("-")[2] if jars else "unknown"
