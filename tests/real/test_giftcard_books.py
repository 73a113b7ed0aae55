"""The books of gift cards: what operators report, export, verify, rebuild and publish again is what was booked."""

import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from cli.commands.verify import verify_service, verify_topics
from schemas.giftcards import CardChanged
from schemas.replies import TICK
from tests.harness import Command, Installation, header, new_installation
from tests.real.test_cli import fealty, rows
from tests.real.test_giftcards import cards, drained, mutating
from tests.real.test_republish import said
from tests.servers import Servers

pytestmark = pytest.mark.real

PAGE = (Path(__file__).parents[2] / "docs" / "analysts.md").read_text()
(BY_DAY,) = re.findall(r"test_giftcard_books\.py -->\n```sql\n(.*?)```", PAGE, re.DOTALL)
ZONE = ZoneInfo("Europe/Amsterdam")
CURRENCIES = {"GIFT": "EUR", "KOBAN": "JPY", "DINAR": "KWD"}
LOADS = ("issue", "import", "activate")
COLUMNS = {
    "issue": ("issued", "issued"),
    "import": ("issued", "issued"),
    "activate": ("loaded", "loaded"),
    "redeem": ("redeemed", "redeemed"),
    "cancel": ("given_back", "cancelled"),
    "void": ("voided", "voided"),
    "refund": ("refunded", "refunded"),
}


def declaring(code: str, currency: str) -> Command:
    body = {"code": code, "currency": currency, "reload": True, "zone": "Europe/Amsterdam"}
    return Command("giftcard.put_type.v1", code, {"cardType": body})


def new(kind: str, card: str, card_type: str, **more: Any) -> Command:
    body = {"cardId": card, "serialNumber": f"S-{card}", "cardType": card_type, "code": {"key": "1"}, **more}
    return Command(f"giftcard.{kind}.v1", card, body)


def closing(kind: str, card: str) -> Command:
    return Command(f"giftcard.{kind}.v1", card, {"cardId": card, "reason": "a test"})


def history() -> list[Command]:
    """Every kind of mutation but the expiry, in three currencies, and a refusal."""
    return [
        new("create", "a", "GIFT"),
        mutating("activate", "a", "a-1", amount=50),
        mutating("redeem", "a", "a-2", amount=12.34),
        mutating("redeem", "a", "a-3", amount=7),
        mutating("cancel", "a", "a-3", mutation="redeem"),
        new("issue", "b", "GIFT", amount=25),
        closing("void", "b"),
        new("issue", "c", "GIFT", amount=10.5),
        mutating("activate", "c", "c-1", amount=4),
        mutating("cancel", "c", "c-1", mutation="activate"),
        mutating("redeem", "c", "c-2", amount=99),
        new("issue", "d", "GIFT", amount=8),
        closing("refund", "d"),
        new("issue", "e", "KOBAN", amount=1_500),
        mutating("redeem", "e", "e-1", amount=600),
        new("issue", "f", "DINAR", amount=2.345),
        new("create", "g", "DINAR"),
        new("import", "h", "GIFT", status="active", balance=3),
    ]


@pytest.fixture(scope="module")
async def books(real_servers: Servers) -> AsyncIterator[Installation]:
    """An installation where the history is booked, and nothing runs."""
    async with new_installation(real_servers) as installation:
        async with installation.worker("giftcard"):
            declared = [declaring(*each) for each in CURRENCIES.items()]
            await installation.commands(declared)
            await installation.settled([each.id for each in declared], service="giftcard")
            await installation.commands(history())
            await drained(installation)
        yield installation


async def changes(installation: Installation) -> list[CardChanged]:
    """What was published, each change once, by card and sequence."""
    records = await installation.read("giftcard.changes")
    found = [CardChanged.model_validate_json(record.value or b"") for record in records]
    return [*{(each.card_id, each.sequence): each for each in sorted(found, key=place)}.values()]


def place(change: CardChanged) -> tuple[str, int]:
    return change.card_id, change.sequence


def whole(minor: int, scale: int) -> Decimal:
    return Decimal(minor).scaleb(-scale)


@asynccontextmanager
async def wrong(
    installation: Installation, name: str, query: dict[str, Any], change: dict[str, Any]
) -> AsyncIterator[None]:
    """A document of the service's database is another for a while."""
    collection = installation.collection("giftcard", name)
    kept = await collection.find_one(query)
    assert kept is not None
    await collection.update_one({"_id": kept["_id"]}, change)
    try:
        yield
    finally:
        await collection.replace_one({"_id": kept["_id"]}, kept)


IN_STATE = ("snapshots", {"_id": "card/default/c"}, {"$inc": {"state.balance": 1}})
IN_JOURNAL = ("journal", {"events.data.transactionId": "a-2"}, {"$inc": {"events.0.data.delta": 1}})


async def test_the_report_closes_at_what_is_on_cards(books: Installation) -> None:
    code, out, err = await fealty(books, "report", "liability", "--of", "giftcards", "--format", "csv")
    assert (code, err) == (0, "")
    found = {
        (row["card_type"], row["currency"]): row for row in csv.DictReader(io.StringIO(out)) if row["day"] == "total"
    }
    expected: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for change in await changes(books):
        if change.kind != "create":
            column = COLUMNS[change.kind][change.delta < 0]
            expected[change.card_type, change.currency][column] += whole(change.delta, change.scale)
    for card in (await cards(books)).values():
        expected[card.pinned.code, card.pinned.currency]["closing"] += whole(card.balance, card.scale)
    assert found.keys() == expected.keys() == {*CURRENCIES.items()}
    for key, row in found.items():
        amounts = {name: Decimal(row[name]) for name in row if name not in ("card_type", "currency", "day")}
        assert {name: amount for name, amount in amounts.items() if amount} == {**expected[key]}
    euros = found["GIFT", "EUR"]
    assert (euros["issued"], euros["given_back"], euros["closing"]) == ("46.50", "7.00", "51.16")

    code, out, _ = await fealty(books, "report", "liability", "--format", "json")
    today = {row["day"] for row in json.loads(out)} - {"total"}
    assert [(row["card_type"], row["closing"]) for row in json.loads(out) if row["day"] in today] == [
        ("DINAR", 2.345),
        ("GIFT", 51.16),
        ("KOBAN", 900),
    ]
    code, out, err = await fealty(books, "report", "liability", "--format", "csv")
    assert (code, len(out.splitlines())) == (0, 1)
    assert err == "fealty: the CSV has points only: run it again with --of giftcards\n"


@pytest.mark.parametrize(
    ("fault", "changed", "balances"), [(IN_JOURNAL, 5117, 5116), (IN_STATE, 5116, 5117)], ids=["journal", "state"]
)
async def test_what_does_not_add_up_is_said(
    books: Installation, fault: tuple[str, dict[str, Any], dict[str, Any]], changed: int, balances: int
) -> None:
    async with wrong(books, *fault):
        code, out, err = await fealty(books, "report", "liability")
    assert code == 1
    assert ["GIFT", "EUR", "total"] in [row[:3] for row in rows(out)]
    assert err.splitlines() == [
        f"fealty: GIFT in EUR does not add up: its balance changes are {changed}, its balances are {balances} "
        "(in the smallest unit)",
        "fealty: the balance changes and the balances differ: `fealty verify --service giftcard` lists the cards",
    ]


async def test_exports_have_each_change_and_each_card_once(
    books: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        directory = str(tmp_path / f"giftcard-changes-{number}")
        code, _, err = await fealty(books, "export", "giftcard-changes", directory, "--format", "parquet")
        assert (code, err) == (0, "")
    assert (await fealty(books, "export", "giftcards", str(tmp_path / "cards"), "--format", "jsonl"))[0] == 0
    told, now = await changes(books), await cards(books)
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as db:
        names = (
            "card_id, sequence, kind, currency, delta, balance, new_status, cancels, transaction_id, shop, booked_at"
        )
        found = db.execute(f"SELECT {names} FROM 'giftcard-changes-1/*.parquet'").fetchall()
        assert found == [
            (
                *(each.card_id, each.sequence, each.kind, each.currency),
                *(whole(each.delta, each.scale), whole(each.balance, each.scale)),
                *(each.new_status, each.cancels, each.transaction_id, each.source.shop, each.booked_at),
            )
            for each in told
        ]
        by_day: dict[tuple[str, str, date], list[CardChanged]] = defaultdict(list)
        for each in told:
            by_day[each.card_type, each.currency, each.booked_at.astimezone(ZONE).date()].append(each)
        queried = db.execute(BY_DAY).fetchall()
        assert [row[:3] for row in queried] == sorted(by_day)
        for *key, loaded, redeemed, other, outstanding in queried:
            same = [each for each in told if (each.card_type, each.currency) == (key[0], key[1])]
            assert loaded == sum(whole(each.delta, each.scale) for each in same if each.kind in LOADS)
            assert redeemed == -sum(whole(each.delta, each.scale) for each in same if each.kind == "redeem")
            assert outstanding == loaded - redeemed + other == sum(whole(each.delta, each.scale) for each in same)
    lines = (tmp_path / "cards" / "part-00000.jsonl").read_text().splitlines()
    exported = {row["card_id"]: row for row in (json.loads(line, parse_float=Decimal) for line in lines)}
    assert len(lines) == len(exported)
    assert {name: (row["balance"], row["status"]) for name, row in exported.items()} == {
        name: (whole(card.balance, card.scale), card.status) for name, card in now.items()
    }


async def test_each_fault_in_a_balance_is_found_and_named(books: Installation) -> None:
    async def finds(what: str, expected: str, found: str) -> None:
        report = await verify_service("giftcard", books.settings)
        told = [(each.difference.what, each.difference.expected, each.difference.found) for each in report.findings]
        assert (report.streams_off, (what, expected, found) in told) == (1, True), told
        code, _, err = await fealty(books, "verify", "--service", "giftcard")
        assert (code, err) == (1, f"fealty: 1 of {report.streams} streams differ\n")

    async with wrong(books, *IN_STATE):
        await finds("snapshot /balance", "1050", "1051")
    async with wrong(books, *IN_JOURNAL):
        await finds("balance", "3767", "3766")
    assert (await verify_service("giftcard", books.settings)).ok


async def test_a_rebuild_gives_the_same_cards(books: Installation) -> None:
    collection = books.collection("giftcard", "snapshots")
    before = {each["_id"]: each async for each in collection.find()}
    kept = await cards(books)
    async with wrong(books, *IN_STATE):
        await collection.delete_many({"_id": {"$in": ["card/default/a", "serial/default/S-a", "type/default/GIFT"]}})
        assert (await fealty(books, "rebuild", "giftcard"))[0] == 0
        assert {each["_id"]: each async for each in collection.find()} == before
    assert await cards(books) == kept


async def test_what_is_republished_is_what_was_published_and_what_differs_is_listed(books: Installation) -> None:
    topics = ("giftcard.changes", "giftcard.snapshots", "giftcard.events")
    before = {topic: await books.read(topic) for topic in topics}
    views = {record.key for record in before["giftcard.snapshots"] if header(record, "ce_type") != TICK}
    counts = f"{len(before['giftcard.changes'])} changes, {len(views)} snapshots"
    assert await fealty(books, "republish", "giftcard") == (0, f"republished: {counts}\n", "")
    after = {topic: await books.read(topic) for topic in topics}
    assert said(after["giftcard.changes"]) == said(before["giftcard.changes"] * 2)
    assert set(said(after["giftcard.snapshots"])) == set(said(before["giftcard.snapshots"]))
    assert len(after["giftcard.snapshots"]) == len(before["giftcard.snapshots"]) + len(views)
    assert said(after["giftcard.events"]) == said(before["giftcard.events"])
    for card in {record.key for record in after["giftcard.changes"]}:
        same = [
            json.loads(record.value or b"")["sequence"] for record in after["giftcard.changes"] if record.key == card
        ]
        assert same == [*range(1, len(same) // 2 + 1)] * 2, "in order, from the first"
    assert (await verify_topics("giftcard", books.settings)).ok

    record = before["giftcard.changes"][0]
    value = json.loads(record.value or b"")
    value["balance"] += 1
    key = (record.key or b"").decode()
    await books.send("giftcard.changes", json.dumps(value).encode(), [*record.headers], key, record.partition)
    published = await verify_topics("giftcard", books.settings)
    (finding,) = published.findings
    assert published.off == 1
    assert finding.stream.startswith(f"{books.settings.topic('giftcard.changes')}/{record.partition}/")
    assert (finding.difference.what, finding.difference.found) == ("value /balance", str(value["balance"]))
    code, _, err = await fealty(books, "verify", "--service", "giftcard", "--topics")
    assert (code, err) == (1, f"fealty: 1 of {published.records} published records differ\n")
