"""Statements and past balances over a real database: filters, pages and cursors."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from schemas.base import format_instant
from services.edge.views.statements import INDEXES
from services.edge.views.views import Views
from shared.ids import account_id
from shared.runtime.health import Health
from tests.harness import Installation
from tests.http.ledger import START, Ledger, account, change, ledger_of
from tests.http.seen import bring
from tests.http.test_openapi import schema

pytestmark = pytest.mark.real

KINDS = ("load", "redeem", "expire")
PROGRAMMES = ("P", "Q&x=1")


@pytest.fixture
async def ledger(empty_installation: Installation) -> AsyncIterator[Ledger]:
    """An edge with empty views."""
    async with ledger_of(empty_installation) as ledger:
        yield ledger


def at(after_s: float) -> str:
    """The instant so long after `START`."""
    return format_instant(START + timedelta(seconds=after_s))


async def test_movements_have_all_members_with_exact_amounts(ledger: Ledger) -> None:
    moved: dict[str, Any] = {"delta": -250, "pendingDelta": 5, "booked": 10**15 + 1, "pending": 120, "scale": 2}
    moved["unit"] = "EUR"
    said: dict[str, Any] = {"kind": "new_kind", "reason": "counted twice", "operation": 3, "later": "added"}
    await ledger.book([change("A-1", 7, **moved, **said)], "A-1")
    response = await ledger.client.get("/v1/accounts/A-1/statement")
    schema("StatementAnswer").validate(response.json())
    assert response.json(parse_float=Decimal) == {
        "account": account_id("default", "A-1"),
        "accountNumber": "A-1",
        "movements": [
            {
                "sequence": 7,
                "kind": "new_kind",
                "delta": Decimal("-2.5"),
                "pendingDelta": Decimal("0.05"),
                "booked": Decimal("10000000000000.01"),
                "pending": Decimal("1.2"),
                "unit": "EUR",
                "programme": "P",
                "transactionId": "t-7",
                "operation": 3,
                "source": {"order": None, "receipt": "r", "shop": "Webshop", "till": None, "operator": None},
                "reason": "counted twice",
                "actor": None,
                "occurredAt": "2026-11-22T10:00:00.000Z",
                "bookedAt": "2026-11-22T10:00:00.000Z",
            }
        ],
        "next": None,
    }
    assert (await ledger.page("A-1", "size=1"))["next"] is None


async def test_movements_from_before_units_have_a_null_unit(ledger: Ledger) -> None:
    former = change("A-9", 1)
    del former["unit"]
    await ledger.book([former], "A-9")
    statement = await ledger.client.get("/v1/accounts/A-9/statement")
    schema("StatementAnswer").validate(statement.json())
    past = await ledger.client.get(f"/v1/accounts/A-9/balances?at={at(0)}")
    schema("PastAccountAnswer").validate(past.json())
    assert [shown["unit"] for shown in (*statement.json()["movements"], *past.json()["balances"])] == [None, None]


async def test_filters_and_page_sizes_select_the_right_movements(ledger: Ledger) -> None:
    chance = random.Random(11)
    booked, after_s = [], 0.0
    for sequence in range(1, 121):
        after_s += chance.choice([0, 0, 0, 0.001, 1])
        kind, programme = chance.choice(KINDS), chance.choice(PROGRAMMES)
        booked.append(change("A-1", sequence, after_s=after_s, kind=kind, programme=programme))
    await ledger.book([*chance.sample(booked, 120), *(change("A-2", number) for number in range(1, 50))], "A-1", "A-2")
    instants = [None, at(-5), booked[30]["bookedAt"], booked[77]["bookedAt"], at(10_000)]
    some_kinds = [(), ("load",), ("redeem", "expire"), ("none",), ("load", "none", "expire", "load")]
    for name, kinds, start, end in itertools.product([None, *PROGRAMMES], some_kinds, instants, instants):
        expected = [
            movement["sequence"]
            for movement in reversed(booked)
            if name in (None, movement["programme"])
            and (not kinds or movement["kind"] in kinds)
            and (start is None or movement["bookedAt"] >= start)
            and (end is None or movement["bookedAt"] < end)
        ]
        size = chance.choice([7, 25, 100])
        asked = [("programme", name), ("from", start), ("until", end), *(("kind", kind) for kind in kinds)]
        query = urlencode([("size", size), *(each for each in asked if each[1] is not None)])
        found = [page async for page in ledger.pages("A-1", query)]
        assert [*itertools.chain(*found)] == expected, query
        assert all(len(page) == size for page in found[:-1])
        assert found[-1] or not expected, query


async def test_pages_have_each_movement_once_while_new_ones_arrive(ledger: Ledger) -> None:
    await ledger.book([change("A-1", sequence) for sequence in range(1, 201)], "A-1")
    last, stop = 200, asyncio.Event()

    async def write() -> None:
        nonlocal last
        while not stop.is_set():
            last += 1
            await ledger.book([change("A-1", last)])  # At the very same instant, which is the hardest case.

    writer = asyncio.create_task(write())
    for size in (1, 3, 7):
        seen: list[int] = []
        async for page in ledger.pages("A-1", f"size={size}"):
            seen.extend(page)
        assert seen == [*range(seen[0], 0, -1)]
        assert 200 <= seen[0] <= last
    stop.set()
    await writer
    assert last > 210
    assert (await ledger.page("A-1", "size=1"))["movements"][0]["sequence"] == last


async def test_periods_are_exact_to_the_last_digit(ledger: Ledger) -> None:
    await ledger.book([change("A-1", sequence, after_s=sequence / 1000) for sequence in (1, 2, 3)], "A-1")

    async def shown(**query: str) -> list[int]:
        return [movement["sequence"] for movement in (await ledger.page("A-1", urlencode(query)))["movements"]]

    assert await shown(**{"from": at(0.002)}) == [3, 2]
    assert await shown(**{"from": "2026-11-22T10:00:00.0020001Z"}) == [
        3,
        2,
    ]  # Beyond microseconds nothing is told apart.
    assert await shown(**{"from": "2026-11-22T10:00:00.002001Z"}) == [3]
    assert await shown(until=at(0.002)) == [1]
    assert await shown(until="2026-11-22T10:00:00.002001Z") == [2, 1]
    assert await shown(until="2026-11-22T11:00:00.003+01:00") == [2, 1]
    assert await shown(until="2026-11-22t10:00:01z") == [3, 2, 1]
    assert await shown(**{"from": at(0.002), "until": at(0.001)}) == []


async def test_changed_cursors_are_refused(ledger: Ledger) -> None:
    for number in ("A-1", "A-2"):
        await ledger.book([change(number, sequence) for sequence in range(1, 10)], number)
    path = (await ledger.page("A-1", "kind=load&size=2"))["next"]
    assert (await ledger.follow(path))["movements"][0]["sequence"] == 7
    assert (await ledger.follow(path.replace("size=2", "size=5")))["movements"][-1]["sequence"] == 3
    base, cursor = path.split("cursor=")
    touched = [cursor[:-1], cursor + "A", cursor + "=", "", "é", "x" * 5_000, "A" * 40, cursor + " ", cursor + "%0A"]
    touched += [cursor.swapcase(), cursor.replace("A", "%2B"), cursor.replace("A", "/")]
    touched += [cursor[:i] + ("A" if cursor[i] != "A" else "B") + cursor[i + 1 :] for i in range(len(cursor))]
    paths = [f"{base}cursor={text}" for text in touched]
    paths += [path.replace("A-1", "A-2"), path.replace("kind=load&", ""), path + "&until=" + at(5)]
    paths += [path.replace("kind=load", "kind=load&kind=redeem"), path + "&programme=P"]
    for bad in paths:
        assert await ledger.code(bad) == (400, "invalid_parameter", "cursor"), bad


async def test_past_balances_have_the_bookings_until_then(ledger: Ledger) -> None:
    chance = random.Random(3)
    booked: list[dict[str, Any]] = []
    sums = {"P": [0, 0], "Q": [0, 0], "R": [0, 0]}
    for sequence in range(1, 200):
        programme = chance.choice([*sums])
        deltas = [chance.randint(-50, 50), chance.randint(-5, 5)]
        sums[programme] = [total + delta for total, delta in zip(sums[programme], deltas, strict=True)]
        more = {"programme": programme, "scale": 2 if programme == "R" else 0}
        more["unit"] = "EUR" if programme == "R" else "points"
        more |= {"booked": sums[programme][0], "pending": sums[programme][1]}
        booked.append(change("A-1", sequence, after_s=sequence // 3, delta=deltas[0], pendingDelta=deltas[1], **more))
    await ledger.book(booked, "A-1")
    for after_s in (-1, 0, 0.999, 1, 7, 7.5, 30, 66, 10**6):
        until = [movement for movement in booked if movement["bookedAt"] <= at(after_s)]
        last = {movement["programme"]: movement for movement in until}
        response = await ledger.client.get(f"/v1/accounts/A-1/balances?at={at(after_s)}")
        assert response.status_code == 200, response.text
        schema("PastAccountAnswer").validate(response.json())
        assert response.json(parse_float=Decimal) == {
            "account": account_id("default", "A-1"),
            "accountNumber": "A-1",
            "at": at(after_s),
            "sequence": until[-1]["sequence"] if until else 0,
            "balances": [
                {
                    "programme": programme,
                    "scale": last[programme]["scale"],
                    "unit": last[programme]["unit"],
                    "booked": Decimal(last[programme]["booked"]).scaleb(-last[programme]["scale"]),
                    "pending": Decimal(last[programme]["pending"]).scaleb(-last[programme]["scale"]),
                }
                for programme in sorted(last)
            ],
        }


async def test_statements_follow_forwarded_numbers(ledger: Ledger) -> None:
    await ledger.book([change("A-1", 1)], "A-1")
    there = account_id("default", "A-1")
    await bring(ledger.views, [account("NEW", forwardsTo=there), account("LOST", forwardsTo="nobody")], ())
    for query in ("", "/balances?at=" + at(0)):
        found = (await ledger.client.get("/v1/accounts/NEW" + query)).json()
        assert (found["account"], found["accountNumber"]) == (there, "A-1")
    page = await ledger.page("NEW")
    assert (page["account"], len(page["movements"])) == (there, 1)
    for path in ("LOST", "LOST/statement", "LOST/balances?at=" + at(0)):
        assert (await ledger.code("/v1/accounts/" + path))[:2] == (404, "account_unknown")


async def test_deleted_accounts_do_not_come_back(ledger: Ledger) -> None:
    await bring(ledger.views, [account("A-1", 3)], ())
    gone = account("A-1", 5).model_copy(update={"value": {"version": 5, "deleted": True}})
    await bring(ledger.views, [gone], ())
    await bring(ledger.views, [account("A-1", 4)], ())
    for path in (
        "A-1",
        "A-1/statement",
        "A-1/balances?at=" + at(0),
        "B-1",
        "B-1/statement",
        "B-1/balances?at=" + at(0),
    ):
        assert (await ledger.code("/v1/accounts/" + path))[:2] == (404, "account_unknown")
    await bring(ledger.views, [account("A-1", 6)], ())
    assert (await ledger.client.get("/v1/accounts/A-1")).json()["version"] == 6


async def test_concurrent_edges_can_create_the_indexes(empty_installation: Installation) -> None:
    for _ in range(3):
        several = [Views(empty_installation.settings, Health(60)) for _ in range(6)]
        await asyncio.gather(*(views.start() for views in several))
        await asyncio.gather(*(views.stop() for views in several))
    there = await empty_installation.collection("edge", "statements").index_information()
    assert {*there} == {"_id_", *(index.document["name"] for index in INDEXES)}
