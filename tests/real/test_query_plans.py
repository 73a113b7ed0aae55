"""No query of a service or view scans: what every one examines, among 100,000 documents of each kind.

Each public method of what reads or writes MongoDB is called here; one that is not fails the test.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase

from cli import ledger
from cli.commands.unknown_accounts import unknown_accounts
from cli.ledger import Ledger
from cli.rebuild.store import Store
from services.edge.auth.lockouts import Lockouts, Subject
from services.edge.auth.scratch_codes import SERIAL_NUMBER
from services.edge.auth.store import Credentials
from services.edge.views import refusal_store as refusals
from services.edge.views import statements
from services.edge.views.changes import of_value
from services.edge.views.snapshots import of_part
from services.edge.views.table import VIEWS
from services.edge.views.views import Views
from services.edge.views.writing import SnapshotWriter
from services.points.main import SERVICE as POINTS
from shared.ids import account_id
from shared.runtime.archive import Archive, load
from shared.runtime.health import Health
from shared.runtime.history import History
from shared.runtime.journal import Append, Journal
from shared.settings import Settings
from shared.writes import write_of
from tests.entries import entry_of
from tests.harness import Installation, new_installation
from tests.http.cards import card_snapshot
from tests.http.ledger import START, change
from tests.http.test_customer_views_real import AT, customer, voucher
from tests.http.test_views_real import snapshot
from tests.real.filling import (
    CLOSED,
    LEFT,
    LONG,
    LONG_CLOSED,
    LONG_WRITES,
    NOW,
    OWNER,
    fill_edge,
    fill_points,
    stream,
    transaction,
)
from tests.real.giftcard_reads import fill_giftcards, of_giftcards
from tests.real.plans import profiled
from tests.servers import Servers

pytestmark = pytest.mark.real


WHOLE = {"Ledger.moved", "History.sample"}
"""These read all there is: for an operator's report, and to share a rebuild out among processes."""
AROUND = {"Lockouts.prepare", "Journal.ping", "Journal.close", "Journal.prepare", "Archive.run"}
AROUND |= {"Catalogue.check", "Catalogue.replace", "Catalogue.of", "Catalogue.known"}
"""No queries of documents."""
WRITE_ALIKE = {"SnapshotWriter.feed", "Statements.book", "Refusals.feed", "GiftCardHistory.book"}
"""These write as others that are called, or by `_id` alone."""


@dataclass
class Filled:
    """An installation with full databases."""

    installation: Installation
    journal: Journal
    views: Views

    def database(self, service: str) -> AsyncDatabase[Any]:
        """One of them."""
        return self.installation.mongo[self.installation.settings.database(service)]


@pytest.fixture(scope="module")
async def filled(real_servers: Servers) -> AsyncIterator[Filled]:
    """The databases of points and edge, with 100,000 documents in each collection that grows."""
    async with new_installation(real_servers) as installation:
        settings = installation.settings
        journal = Journal(settings.mongodb, settings.database("points"), 60_000)
        await journal.prepare()
        views = Views(settings, Health(60))
        await views.start()
        found = Filled(installation, journal, views)
        edge = found.database("edge")
        await asyncio.gather(fill_points(found.database("points")), fill_edge(edge), fill_giftcards(edge))
        yield found
        await views.stop()
        journal.close()


async def of_the_runtime(filled: Filled) -> dict[str, Any]:
    """Every call of the journal and of what operators read of it, by name."""
    journal, history, store = filled.journal, History(filled.journal), Store(filled.journal)
    names, ids = [stream(number) for number in range(50, 400)], [f"e-{number}" for number in range(50, 400)]
    found = await store.found(stream(6))
    assert found is not None
    letter = {**dead_letter_of("points.commands", 9), "at": NOW}
    entry = entry_of(_id="new", store="s", writes=[write_of(stream(5), 2)], events=[], at=NOW, partition=0)
    batch = Append(
        [entry],
        [(1, {"_id": stream(5), "version": 2, "partition": 0, "state": {}}), (0, {"_id": "account/s/n", "version": 1})],
        [(1, {"_id": "fence/points.commands/0", "version": 2})],
        [letter],
        [LONG, stream(9)],
    )

    async def books() -> list[Any]:
        async with ledger.ledger(journal) as read:
            return [each async for each in read.streams("account/s/0001")]

    left = [transaction(number) for number in range(CLOSED, CLOSED + LEFT)]
    archive = Archive(POINTS, Settings(), journal, lambda: [0, 1, 2])
    snapshots = [{"_id": stream(number), "version": 1, "partition": 0, "state": {}} for number in (20, 21)]
    return {
        "Journal.load": journal.load([*ids, "none", "nor this"], [*names, "fence/points.commands/1", "none"]),
        "archive.load": load(journal, POINTS.decider, [], [transaction(9), "transaction/s/none", *names]),
        "archive.load of what has left": load(journal, POINTS.decider, [], left),
        "Archive.turn": archive.turn(),
        "Journal.buried": journal.buried(["c-1", "none"]),
        "Journal.append": journal.append(batch),
        "Journal.bury": journal.bury([dead_letter_of("oms.fulfilments", 3)]),
        "Journal.due": journal.due([0, 1, 2], NOW, None, 20),
        "Journal.due after": journal.due([0, 1, 2], NOW, (NOW - timedelta(days=1), stream(12)), 50),
        "Journal.decided": journal.decided(["e-1", "c-1", "none"]),
        "Journal.letters": journal.letters(limit=50),
        "Journal.letters by id": journal.letters(["points.commands/0/4"], whole=True),
        "Journal.mark_replayed": journal.mark_replayed(["points.commands/0/4"], NOW),
        "History.size": history.size(),
        "History.page": history.page(stream(700)),
        "History.page of a long stream": history.page(write_of(LONG, 1_000)),
        "History.written": history.written([write_of(stream(3), 1), write_of(stream(3), 2)]),
        "History.snapshots": history.snapshots(stream(700)),
        "History.streams": history.streams(names),
        "History.entries": history.entries(ids),
        "Ledger.streams": books(),
        "last_movements": ledger.last_movements(journal, LONG, LONG_WRITES, 20),
        "opened_at": ledger.opened_at(journal, LONG),
        "unknown_accounts": unknown_accounts(journal, 20),
        "letters_of": ledger.letters_of(journal, ["000123", "000124"], 20),
        "Store.put": store.put(snapshots),
        "Store.leave_out": store.leave_out([{"_id": each, "version": 1} for each in (transaction(1), stream(22))]),
        "Store.found": store.found(stream(6)),
        "Store.replace": store.replace({"_id": stream(6), "version": 1, "state": {}}, found),
        "Store.remove": store.remove({"_id": stream(8), "version": 1}),
        "Store.keep": store.keep({"writes": 1}),
        "Store.progress": store.progress(),
        "Store.writes": store.writes(),
        "Store.keep_parts": store.keep_parts([]),
        "Store.parts": store.parts(),
        "Store.forget": store.forget(),
    }


def dead_letter_of(topic: str, offset: int) -> dict[str, Any]:
    """A new dead letter."""
    return {"_id": f"{topic}/1/{offset}", "command_id": f"{topic}{offset}", "at": NOW, "key": b"k", "headers": []}


async def of_the_edge(filled: Filled) -> dict[str, Any]:
    """Every call of the views and of the clients' store, by name."""
    views, database = filled.views, filled.database("edge")
    parts = [
        customer("C000007", 2, ["C-7"]),
        customer("C000008", 2, ["C-8", "C-9000"]),
        snapshot("C-7", 2),
        card_snapshot("000007", 20_000),
        *(voucher(f"V00{number:04}", 2, "C-7") for number in range(300)),
        voucher("V004001", 2, "C-4001"),
    ]
    upserts = [upsert for part in parts if (upsert := of_part(part)) is not None]
    again = [part.model_copy(update={"value": {**part.value, "version": 9}}) for part in parts]
    later = [upsert for part in again if (upsert := of_part(part)) is not None]
    movements = [each for number in (5, 20_001) if (each := of_value(change("C-9", number, after_s=9))) is not None]
    read = Credentials(database, Settings())
    client = await read.add("till", ["api_admin"], "s", "secret")
    account = account_id("default", "C-9")
    lockouts, (counted, other) = Lockouts(views.connection), [Subject(SERIAL_NUMBER, (each,)) for each in "ab"]
    await lockouts.count([counted])
    found = {
        "Accounts.one": views.accounts.one(OWNER),
        "Accounts.names": views.accounts.names(OWNER),
        "Catalogue.tier_sets": views.catalogue.tier_sets("default"),
        "Customers.one": views.customers.one("default", "C000007"),
        "Vouchers.one": views.vouchers.one("default", "V000001"),
        "Vouchers.usable": views.vouchers.usable({OWNER, account}, AT, 100),
        "Vouchers.usable, all": views.vouchers.usable({OWNER}, AT, 2_000),
        "Vouchers.owned": views.vouchers.owned([OWNER, account], "voucher/default/V000900", 100),
        "Statements.page": views.statements.page(statements.Query(account=account, limit=26)),
        "Statements.standing": views.statements.standing(account, START + timedelta(seconds=900)),
        "SnapshotWriter.apply": views.snapshots.apply(parts),
        "Statements.apply": views.statements.apply([change("C-9", 20_002, after_s=9)]),
        "SnapshotWriter.write_durably": views.snapshots.write_durably(
            [*upserts, *(each for each in later if each is not None)]
        ),
        "Statements.feed": statements.insert_missing(database["statements"], movements),
        "Catalogue.read": views.catalogue.read(),
        "Refusals.one": views.refusals.one("default", "000700"),
        "Refusals.page": views.refusals.page(refusals.Query(store="default", limit=10), "C-9"),
        "Attributions.remember": views.attributions.remember("c", "client:till"),
        "Attributions.actors": views.attributions.actors([{"transactionId": "c", "reason": "r", "operation": 0}]),
        "Lockouts.standing": lockouts.standing([counted, other]),
        "Lockouts.count": lockouts.count([counted, other]),
        "Lockouts.clear": lockouts.clear(counted),
        "Credentials.client": read.client(client.id),
        "Credentials.named": read.named("till"),
        "Credentials.clients": read.clients(),
        "Credentials.disable": read.disable("till", True),
        "Credentials.remove": read.remove("nobody"),
        "Credentials.replace_secret": read.replace_secret("till", "x"),
        "Credentials.record_use": read.record_use(client),
        "Credentials.keys": read.keys(),
        "Credentials.rotate": read.rotate(),
    }
    found |= of_giftcards(views, database)
    for asked in refusals_asked(account):
        found[f"refusals by {refusals.index_of(asked)}: {asked}"] = refusals.page(database, asked)
    for name, value in (
        ("cardNumbers", "C-500"),
        ("emailAddress", "500@example.com"),
        ("postalCode", "500ab"),
        ("firstName", "first5"),
        ("lastName", "name"),
        ("houseNumber", "500"),
        ("houseNumberAddition", "17"),
    ):
        found[f"Customers.search by {name}"] = views.customers.search("default", {name: value}, 0, 20)
    found["Customers.search, its last page"] = views.customers.search("default", {"lastName": "n"}, 9_900, 100)
    return found


def refusals_asked(account: str) -> Iterator[refusals.Query]:
    """Each filter, alone and with another, the first page and one far behind, in a period and out of any."""
    filters: list[dict[str, Any]] = [
        {},
        {"topic": "webshop.orders"},
        {"code": "code_7"},
        {"topic": "webshop.orders", "code": "code_7"},
        {"accounts": (account,)},
        {"order": "O-77"},
        {"order": "O-77", "code": "code_27"},
    ]
    period = {"from_": NOW + timedelta(hours=1), "until": NOW + timedelta(hours=2)}
    below = refusals.Place(NOW + timedelta(hours=1.5), "050000")
    for each in filters:
        for more in ({}, period, {"below": below}, {**period, "below": below}):
            yield refusals.Query(store="default", limit=10, **each, **more)


async def examined(database: AsyncDatabase[Any], calls: dict[str, Any]) -> list[str]:
    """What was wasteful, call by call."""
    told = []
    for name, call in calls.items():
        async with profiled(database) as profile:
            await call
        told += [f"{name}: {each}" for each in profile.wasteful()]
    return told


async def test_the_runtime_examines_what_it_returns(filled: Filled) -> None:
    calls = await of_the_runtime(filled)
    covered(calls, Journal, History, Ledger, Store, Archive)
    assert {"last_movements", "opened_at", "letters_of", "unknown_accounts"} <= calls.keys()
    assert await examined(filled.database("points"), calls) == []
    closed = filled.database("points")["snapshots"].count_documents({"closed_at": {"$exists": True}})
    assert await closed == CLOSED - LONG_CLOSED, "those that were closed for long have left, and no other"


async def test_the_edge_examines_what_it_returns(filled: Filled) -> None:
    calls = await of_the_edge(filled)
    covered({**calls, "Credentials.add": None}, SnapshotWriter, Credentials, Lockouts, *VIEWS.values())
    assert await examined(filled.database("edge"), calls) == []


def covered(calls: dict[str, Any], *classes: type) -> None:
    """Every public method of the classes is called."""
    called = {name.partition(" ")[0].rstrip(",") for name in calls}
    methods = {
        f"{each.__name__}.{name}"
        for each in classes
        for name, method in vars(each).items()
        if not name.startswith("_") and inspect.isfunction(method)
    }
    assert methods - called - WHOLE - AROUND - WRITE_ALIKE == set(), "call them here"
