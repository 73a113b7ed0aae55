"""The composed customer document: each part is of its newest snapshot, in any order of arrival; read by one query."""

import random
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from pymongo import monitoring

from schemas.customer_views import CUSTOMER_VIEW
from schemas.envelope import Envelope
from schemas.points import ACCOUNT_VIEW
from schemas.replies import SnapshotPart
from schemas.vouchers import VOUCHER_VIEW
from services.edge.families.crm import presenting as crm
from services.edge.views.views import Views
from shared.ids import account_id, new_id
from shared.runtime.health import Health
from tests.harness import Installation
from tests.http.caller import calling
from tests.http.seen import bring
from tests.http.test_views_real import snapshot

pytestmark = pytest.mark.real

AT = "2026-11-22T10:00:00.000Z"


def customer(who: str, version: int, cards: list[str]) -> SnapshotPart:
    """A customer whose cards replaced each other; the city is the version."""
    info = dict.fromkeys(("firstName", "lastName", "countryId", "street", "postalCode", "houseNumber", "language"))
    info |= dict.fromkeys(("houseNumberAddition", "emailAddress", "mobile", "dateOfBirth"))
    following = [*cards[1:], None]
    value = {
        "version": version,
        "customer": who,
        "state": "active",
        "cardNumber": cards[-1],
        "cards": [
            {"cardNumber": card, "since": AT, "replacedBy": after} for card, after in zip(cards, following, strict=True)
        ],
        "customerInfo": {
            **info,
            "city": str(version),
            "gender": "Unknown",
            "communicationViaEmail": False,
            "communicationViaSms": False,
        },
        "contactData": {
            **{name: [] for name in ("addresses", "phones", "labels", "consents", "devices")},
            "referralCode": None,
            "referredBy": None,
        },
        "search": {
            "cardNumbers": cards,
            **dict.fromkeys(("firstName", "lastName", "emailAddress", "mobile", "postalCode", "houseNumber")),
            "houseNumberAddition": None,
        },
        "createdAt": AT,
        "bookedAt": AT,
        "anonymisedAt": None,
    }
    return SnapshotPart(stream=f"customer/default/{who}", version=version, type=CUSTOMER_VIEW, value=value)


def voucher(serial: str, version: int, card: str, state: str = "issued") -> SnapshotPart:
    """A voucher of a card's account."""
    value = {
        "version": version,
        "serialId": serial,
        "voucherId": "V",
        "programme": None,
        "account": account_id("default", card),
        "accountNumber": card,
        "state": state,
        "titles": {"en": "A voucher"},
        "descriptions": {},
        "defaultLanguage": "en",
        "validFrom": AT,
        "validUntil": None,
        "cost": 0,
        "scale": 0,
        "paidIn": None,
        "transactionId": "t",
        "redeemedIn": None,
        "redeemedBy": None,
        "issuedAt": AT,
        "changedAt": AT,
    }
    return SnapshotPart(stream=f"voucher/default/{serial}", version=version, type=VOUCHER_VIEW, value=value)


def forwarding(number: str, to: str) -> SnapshotPart:
    """The account of a number that leads to another's."""
    part = snapshot(number, 1)
    value = {**part.value, "forwardsTo": account_id("default", to), "balances": []}
    return part.model_copy(update={"value": value})


def life(name: str) -> list[SnapshotPart]:
    """All snapshots of a customer with a replaced card, in an order that can happen.

    Every other one's account was opened under a number that is no card.
    """
    first, second = f"{name}-1", f"{name}-2"
    number = f"{name}-0" if name[-1] in "02468" else first
    return [
        customer(name, 1, [first]),
        *(snapshot(number, version) for version in (1, 2, 3)),
        voucher(f"{name}-used", 1, number),
        voucher(f"{name}-kept", 1, number),
        customer(name, 2, [first, second]),
        forwarding(second, number),
        *([forwarding(first, number)] if number != first else []),
        voucher(f"{name}-used", 2, number, "redeemed"),
        voucher(f"{name}-foreign", 1, f"{name}-3"),
        snapshot(number, 4),
    ]


def end_of(document: dict[str, Any] | None) -> tuple[Any, ...] | None:
    """The summary of a customer's document: city, number of the main account, balance, vouchers."""
    if document is None:
        return None
    number, account = crm.main_account(document)
    vouchers = {part["view"]["serialId"] for part in document.get("vouchers", ()) if "view" in part}
    balance = None if account is None else account["balances"][0]["balance"]
    return document["view"]["customerInfo"]["city"], number, balance, vouchers


@pytest.fixture
async def views(empty_installation: Installation) -> AsyncIterator[Views]:
    """Views of a fresh installation."""
    views = Views(empty_installation.settings, Health(60))
    await views.start()
    yield views
    await views.stop()


async def test_customers_are_composed_of_the_newest_snapshots(views: Views) -> None:
    """In random orders, each snapshot several times, one after the other or some together."""
    chance = random.Random(5)
    for turn in range(60):
        name = f"C-{turn}"
        parts = life(name) * 2
        chance.shuffle(parts)
        while parts:
            taken, parts = parts[: (size := chance.choice([1, 1, 3]))], parts[size:]
            await bring(views, taken, ())
        await bring(views, life(name)[: chance.randrange(10)], ())
        assert end_of(await views.customers.one("default", name)) == ("2", f"{name}-2", 4, {f"{name}-kept"}), turn


async def test_feeds_compose_customers_in_any_order(empty_installation: Installation) -> None:
    installation, chance = empty_installation, random.Random(6)
    names = [f"C-{turn}" for turn in range(60)]
    parts = [part for name in names for part in life(name)]
    chance.shuffle(parts)
    topics = {ACCOUNT_VIEW: "points", CUSTOMER_VIEW: "customer", VOUCHER_VIEW: "voucher"}
    async with calling(installation):
        for part in parts:
            headers = Envelope(id=new_id(), type=part.type, source="/tests", subject="x").headers()
            value = orjson.dumps(part.value)
            await installation.send(f"{topics[part.type]}.snapshots", value, [*headers], part.stream)
        for service in ("points", "customer", "voucher"):
            await installation.fed(f"{service}.snapshots")
        documents = installation.collection("edge", "customers")
        for name in names:
            found = await documents.find_one({"_id": f"customer/default/{name}"})
            assert end_of(found) == ("2", f"{name}-2", 4, {f"{name}-kept"})


class Counting(monitoring.CommandListener):
    """The commands that were sent."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


async def test_reading_a_customer_takes_one_query(
    empty_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting()
    listeners = [*monitoring._LISTENERS.command_listeners, counting]
    monkeypatch.setattr(monitoring, "_LISTENERS", monitoring._LISTENERS._replace(command_listeners=listeners))
    views = Views(empty_installation.settings, Health(60))
    await views.start()
    try:
        await bring(views, life("C"), ())
        counting.names.clear()
        document = await views.customers.one("default", "C")
        assert document is not None
        vouchers = crm.usable_vouchers(document, AT)
        shown = crm.customer_of(document, vouchers, views.catalogue.of("default"), AT)
        assert counting.names == ["find"]
        assert [each["id"] for each in shown["vouchers"]] == ["C-kept"]
    finally:
        await views.stop()


async def test_customers_of_two_stores_are_separate(views: Views) -> None:
    await bring(views, life("C"), ())
    assert await views.customers.one("other", "C") is None
    assert await views.customers.search("other", {"cardNumbers": "C-1"}, 0, 10) == []
    assert len(await views.customers.search("default", {"cardNumbers": "C-1"}, 0, 10)) == 1


async def test_snapshots_in_a_reply_are_readable_at_once(views: Views) -> None:
    """No feed runs here: each part alone reaches the customer."""
    await bring(views, [customer("C", 1, ["C-1"])], ())
    await bring(views, [snapshot("C-1", 1)], ())
    assert end_of(await views.customers.one("default", "C")) == ("1", "C-1", 1, set())
    await bring(views, [voucher("V", 1, "C-1")], ())
    assert end_of(await views.customers.one("default", "C")) == ("1", "C-1", 1, {"V"})
    await bring(views, [voucher("V", 2, "C-1", "redeemed"), snapshot("C-1", 2)], ())
    assert end_of(await views.customers.one("default", "C")) == ("1", "C-1", 2, set())
