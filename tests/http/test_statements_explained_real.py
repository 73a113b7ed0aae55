"""Query plans of statements examine only what they return, on an account with 100,000 movements."""

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from services.edge.views import statements
from services.edge.views.changes import of_value
from services.edge.views.statements import Place, Query
from services.edge.views.upserts import create
from shared.ids import account_id
from tests.harness import Installation, new_installation
from tests.http.ledger import START, change
from tests.servers import Servers

pytestmark = pytest.mark.real

COUNT = 100_000
PER_SECOND = 5
ACCOUNT = account_id("default", "A-1")
KINDS = ("load", "redeem", "expire", "adjust")


def movement(sequence: int) -> dict[str, Any]:
    """Five bookings in each second; Q ends at two thirds, R has but a few at the start."""
    programme = "R" if sequence < 30 else "Q" if sequence % 3 == 0 and sequence < COUNT * 2 / 3 else "P"
    kind = "rare" if sequence in (100, 101) else KINDS[sequence % len(KINDS)]
    return change("A-1", sequence, after_s=sequence // PER_SECOND, programme=programme, kind=kind)


@pytest.fixture(scope="module")
async def explained(real_servers: Servers) -> AsyncIterator[Installation]:
    """The database of an edge, with a long account and others around it."""
    async with new_installation(real_servers) as installation:
        collection = installation.collection("edge", "statements")
        await create(collection, statements.INDEXES)
        for start in range(1, COUNT + 1, 10_000):
            changes = [movement(sequence) for sequence in range(start, start + 10_000)]
            await collection.insert_many([of_value(value).document for value in changes], ordered=False)  # type: ignore[union-attr]
        yield installation


def executed(found: dict[str, Any]) -> tuple[int, int, int, str]:
    """Of an explanation: how many documents were returned, how many and how many keys examined; and the plan."""
    stages = found.get("stages")  # Of a pipeline that does more than find.
    found = found if stages is None else stages[0]["$cursor"]
    counts = found["executionStats"]
    plan = str(found["queryPlanner"]["winningPlan"])
    return counts["nReturned"], counts["totalDocsExamined"], counts["totalKeysExamined"], plan


PROGRAMMES = (None, "P", "Q", "R", "none")
SOME_KINDS: tuple[tuple[str, ...], ...] = ((), ("load",), ("expire", "rare"), ("none", *KINDS))
STARTS = (None, START + timedelta(seconds=900))
ENDS = (None, START + timedelta(seconds=901), START + timedelta(seconds=9_000))
QUERIES = [
    Query(account=ACCOUNT, programme=programme, kinds=kinds, from_=start, until=end, below=below, limit=26)
    for programme, kinds, start, end, below in itertools.product(
        PROGRAMMES, SOME_KINDS, STARTS, ENDS, (None, Place(START + timedelta(seconds=900), 4_502))
    )
    if below is None or end is None or below.at < end
]


async def test_statement_filters_examine_only_what_they_return(explained: Installation) -> None:
    collection = explained.collection("edge", "statements")
    for query in QUERIES:
        returned, documents, keys, plan = executed(await statements.find(collection, query).explain())
        assert documents == returned <= 26, (query, plan)
        # A scan needs at most two keys more to see that it has come to its end; several kinds are as many scans.
        assert keys <= returned + 2 * max(1, len(query.kinds)), (query, plan)
        assert "'SORT'" not in plan, (query, plan)


async def test_past_balances_examine_one_movement_per_programme(explained: Installation) -> None:
    database = explained.collection("edge", "statements").database
    for after_s, programmes in ((-1, 0), (0, 1), (5, 1), (600, 3), (19_000, 3), (10**6, 3)):
        pipeline = statements.standing(ACCOUNT, START + timedelta(seconds=after_s))
        command = {"aggregate": "statements", "pipeline": pipeline, "cursor": {}, "hint": statements.STANDING_INDEX}
        explanation = await database.command("explain", command, verbosity="executionStats")
        returned, documents, keys, plan = executed(explanation)
        assert documents == returned == programmes, plan
        # The scan skips to each programme, which is there to be found, and to its last movement in time.
        assert keys <= 2 * 3, plan
