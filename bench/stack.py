"""The servers of a benchmark: the embedded stack on data of its own, which it starts without."""

import logging
from pathlib import Path

from shared.embedded.stack import Stack

ROOT = Path(__file__).parent.parent / ".fealty" / "bench"
LOGS = ROOT / "logs"


def fresh_stack() -> Stack:
    """A stack that starts with nothing; use it as `async with fresh_stack() as stack:`."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # fresh topics are refused once and tried again
    return Stack(ROOT, fresh=True)
