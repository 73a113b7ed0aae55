"""100,000 documents of each kind that grows, written raw: for what is asked of queries, not of what they mean."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import WriteConcern
from pymongo.asynchronous.database import AsyncDatabase

from schemas.base import format_instant
from schemas.holds import TransactionClosed
from services.edge.views import customers
from services.edge.views.changes import of_value
from services.points.decider import DECIDER
from shared.ids import account_id
from shared.runtime.folding import snapshot_of
from shared.writes import write_of
from tests.http.ledger import change
from tests.http.test_customer_views_real import voucher
from tests.http.test_views_real import snapshot

COUNT = 100_000
NOW = datetime(2026, 11, 22, tzinfo=UTC)
LONG = "account/s/050000-long"
"""Amidst the others: a range that is open on one side reads half of all."""
LONG_WRITES = 3_000
OWNER = account_id("default", "C-7")
OWNED = 2_000
WAITING = range(90_000, 90_050)
"""Accounts for which inputs wait."""
CLOSED, LONG_CLOSED, LEFT = 20_000, 450, 50
"""Transactions that are closed; of those some for long, and others besides whose snapshots have left."""


def transaction(number: int) -> str:
    """The stream of one of the closed transactions; those that have left come last."""
    return f"transaction/s/{number:06}"


async def fill_transactions(database: AsyncDatabase[Any]) -> None:
    """Closed transactions, each with its entry."""
    entries: list[dict[str, Any]] = []
    states: list[dict[str, Any]] = []
    for number in range(CLOSED + LEFT):
        name, place, for_long = transaction(number), number % 3, number < LONG_CLOSED or number >= CLOSED
        at = datetime(2020 if for_long else 2090, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
        event = TransactionClosed(
            transaction_id=f"{number:06}", account="a", decision="cancelled", booked_at=format_instant(at)
        )
        written = [{"stream": name, "data": DECIDER.dump_event(event)}]
        entries.append(
            {"_id": f"t-{number}", "store": "s", "at": at, "partition": place, "writes": [write_of(name, 1)]}
            | {"status": "accepted", "events": written}
        )
        state = DECIDER.evolve(DECIDER.initial(name), event)
        states.append(snapshot_of(name, 1, at, place, state, DECIDER))
    await insert(database, "journal", entries)
    await insert(database, "snapshots", states[:CLOSED])


async def insert(database: AsyncDatabase[Any], name: str, documents: list[Any]) -> None:
    """Quickly: nothing of it needs to survive."""
    collection = database.get_collection(name, write_concern=WriteConcern(w=1, j=False))
    for start in range(0, len(documents), 20_000):
        await collection.insert_many(documents[start : start + 20_000], ordered=False)


def stream(number: int) -> str:
    """One of many streams."""
    return f"account/s/{number:06}"


async def fill_points(database: AsyncDatabase[Any]) -> None:
    """A write for each stream, and one stream with many; closed transactions; dead letters of many subjects."""
    await fill_transactions(database)
    entries: list[dict[str, Any]] = [
        {
            "_id": f"e-{number}",
            "store": "s",
            "at": NOW,
            "partition": number % 3,
            "writes": [write_of(stream(number), 1)],
        }
        | {"status": "accepted", "events": [{"stream": stream(number), "data": {"sequence": 1}}]}
        for number in range(COUNT)
    ]
    entries += [
        {"_id": f"l-{version}", "store": "s", "at": NOW, "partition": 0, "writes": [write_of(LONG, version)]}
        | {"status": "accepted", "events": [{"stream": LONG, "data": {"sequence": version, "personal": {"a": 1}}}]}
        for version in range(1, LONG_WRITES + 1)
    ]
    due = [NOW + timedelta(days=number % 1000 + 1) for number in range(COUNT)]
    due[:30] = [NOW - timedelta(days=1)] * 30
    states: list[dict[str, Any]] = [
        {"_id": stream(number), "version": 1, "partition": number % 3, "booked_at": NOW, "state": {"due_at": at}}
        for number, at in enumerate(due)
    ]
    for number in WAITING:
        states[number]["state"] |= {"waiting": [f"e-{number}"]}
        entries[number]["events"][0]["data"] |= {"accountNumber": f"{number:06}", "bookedAt": format_instant(NOW)}
    await insert(database, "journal", entries)
    fences = [{"_id": f"fence/points.commands/{number}", "version": 1} for number in range(3)]
    await insert(database, "snapshots", states + fences)
    letters = [
        {
            "_id": f"points.commands/0/{number}",
            "command_id": f"c-{number}",
            "at": NOW + timedelta(seconds=number),
            "key": f"{number:06}".encode(),
            "headers": [["ce_id", b"x"], ["ce_subject", f"{number:06}".encode()], ["ce_store", b"s"]],
            "reason": "defect",
            "detail": "",
        }
        for number in range(COUNT)
    ]
    await insert(database, "dead_letters", letters)


async def fill_edge(database: AsyncDatabase[Any]) -> None:
    """Customers each with an account; one owner of many vouchers, most of them used; and movements of one account."""
    owned = voucher("V", 1, "C-0").value
    account = snapshot("C-0", 1).value
    people, accounts, vouchers = [], [], []
    for number in range(COUNT):
        own = account_id("default", f"C-{number}")
        search = {
            "cardNumbers": [f"C-{number}"],
            "firstName": f"first{number % 700}",
            "lastName": f"name{number}",
            "emailAddress": f"{number}@example.com",
            "postalCode": f"{number % 20_000}ab",
            "houseNumber": f"{number % 3_000}",
            "houseNumberAddition": f"{number % 5_000}",
        }
        view = {"customer": f"C{number:06}", "state": "active", "cards": [], "customerInfo": {}, "search": search}
        people.append(
            {"_id": f"customer/default/C{number:06}", "store": "default", "version": 1, "view": view, "links": [own]}
        )
        accounts.append({"_id": own, "version": 1, "view": {**account, "account": own}})
        state = "issued" if number % 2 else "redeemed"
        owner = OWNER if number < OWNED else own
        value = {**owned, "serialId": f"V{number:06}", "account": owner, "state": state}
        if number % 4 == 1:
            value["validUntil"] = format_instant(NOW + timedelta(days=number % 400))
        vouchers.append({"_id": f"voucher/default/V{number:06}", "version": 1, "view": value})
    people[7] |= {customers.APART: True}
    await insert(database, "customers", people)
    await insert(database, "accounts", accounts)
    await insert(database, "vouchers", vouchers)
    batches = [{"_id": f"batch/default/B{number:06}", "version": 1, "view": {}} for number in range(COUNT)]
    await insert(database, "giftcard_batches", batches)
    movements = [of_value(change("C-9", number, after_s=number // 5)) for number in range(1, 20_001)]
    await insert(database, "statements", [each.document for each in movements if each is not None])
    refused = [
        {
            "_id": f"{number:06}",
            "at": NOW + timedelta(seconds=number // 7),
            "store": "default",
            "subject": account_id("default", f"C-{number % 20_000}"),
            "refusal": {
                "input": {"topic": ("webshop.orders", "oms.fulfilments", "points.commands")[number % 3]},
                "code": f"code_{number % 50}",
                "order": f"O-{number % 30_000}",
            },
        }
        for number in range(COUNT)
    ]
    await insert(database, "refusals", refused)
    lockouts = [
        {"_id": f"{number:064}", "wrong": 4, "until": None, "forgotten_at": NOW + timedelta(days=365)}
        for number in range(COUNT)
    ]
    await insert(database, "lockouts", lockouts)
