"""`python -m bench.reading`: the other side of a rebuild. It reads the journal as a rebuild does, and does no more.

The same pages over the same index, the same parts of the entries, decoded by the driver.
"""

import sys
from typing import Any

from pymongo import MongoClient

from cli.rebuild import rebuilder
from shared.runtime.history import FOLDED
from shared.runtime.tuning import tune_memory
from shared.servers import mongodb_options
from shared.settings import Settings


def read(settings: Settings) -> int:
    """Read the whole journal of the points service; how many entries there were."""
    parts, page_writes = dict.fromkeys(FOLDED, 1), rebuilder._PAGE_WRITES
    entries, after = 0, ""
    with MongoClient[dict[str, Any]](**mongodb_options(settings.mongodb)) as client:
        journal = client[settings.database("points")]["journal"]
        while True:
            query = journal.find({"writes": {"$gt": after}}, parts, limit=page_writes, batch_size=page_writes)
            page = list(query.hint([("writes", 1)]))
            if not page:
                return entries
            entries += len(page)
            after = min(write for write in page[-1]["writes"] if write > after)


if __name__ == "__main__":
    tune_memory()
    sys.stdout.write(f"{read(Settings())}\n")
