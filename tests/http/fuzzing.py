"""Runs schemathesis against an edge: every operation of the document, with valid and invalid requests."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.generate import HERE as SCHEMAS
from tests.http.shop import Shop

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@dataclass(frozen=True)
class Fuzzed:
    """The result of a run: the number of calls, and each kind of finding with its operations."""

    calls: int
    operations: int
    findings: dict[str, Any]


async def fuzz(shop: Shop, directory: Path, *, seed: int, phases: str, examples: int) -> Fuzzed:
    """Call all operations, `examples` times each and in each phase; the same calls for the same seed.

    The coverage phase goes once over each bound and each keyword; the fuzzing phase draws at random.
    """
    report = directory / f"fuzz-{seed}.json"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml")),
        *("run", str(SCHEMAS / "openapi.json"), "--url", str(shop.client.base_url).rstrip("/")),
        *("--header", f"Authorization: {shop.client.headers['Authorization']}"),
        *("--phases", phases, "--max-examples", str(examples), "--seed", str(seed)),
        *("--workers", "1", "--no-shrink", "--continue-on-failure", "--no-color", "--generation-database", "none"),
        *("--suppress-health-check", "all", "--report", "json", "--report-json-path", str(report)),
    ]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.http.fuzz_hooks", "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=directory, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert report.exists(), output.decode()
    said = json.loads(report.read_text())
    findings = {each["title"]: each["operations"] for each in (*said["failures"], *said["errors"])}
    if findings:
        sys.stdout.write(output.decode())
    return Fuzzed(said["test_cases"]["generated"], said["operations"]["tested"], findings)
