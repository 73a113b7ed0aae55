"""A process of a service as the tests start it: the real thing, with a probe at its crash points.

`PROBE=<point>:<action>:<count>`: at the count-th pass of the point, `kill` (SIGKILL) or `stop` (SIGSTOP) itself; or
several, with commas between them.
Points are those of the runtime, and `in_transaction`: everything written, nothing committed.
"""

import importlib
import os
import signal
import sys
from collections import Counter
from typing import Any

import uvloop

from shared.runtime import journal
from shared.runtime.app import ServiceApp
from shared.settings import Settings

_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


class Misbehaviour:
    """Sends this process a signal at one pass of a point, or of each of several."""

    def __init__(self, wanted: str) -> None:
        self.wanted = {
            (point, int(count)): _SIGNALS[action]
            for point, action, count in (each.split(":") for each in wanted.split(","))
        }
        self.passed: Counter[str] = Counter()

    def __call__(self, point: str) -> None:
        self.passed[point] += 1
        wanted = self.wanted.get((point, self.passed[point]))
        if wanted is not None:
            os.kill(os.getpid(), wanted)


def main() -> None:
    """Run the service named by the first argument."""
    module = importlib.import_module(f"services.{sys.argv[1]}.main")
    probe = os.environ.get("PROBE")
    if probe is None:
        module.run(Settings())
    else:
        settings, misbehave = Settings(), Misbehaviour(probe)
        commit = journal._commit

        async def probed(session: Any) -> None:
            misbehave("in_transaction")
            await commit(session)

        journal._commit = probed
        sys.exit(uvloop.run(ServiceApp(module.service(settings), settings, misbehave).serve()))


if __name__ == "__main__":
    main()
