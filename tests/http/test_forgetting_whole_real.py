"""Forgetting a person with all services running: no store, no compacted topic, no log has a trace (rules 4.5.6, P10).

The personal values are searched as raw bytes: in every document of every database of the installation, in every record
of every topic that the broker has under its prefix, in all logs and metrics.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from cli.commands.verify import verify_service, verify_topics
from schemas.topics import DAY_MS
from services.registry import JOURNALED
from shared.ids import new_id
from tests.harness import Command, Headers, Installation, eventually
from tests.http.caller import load, metrics_of
from tests.http.shop import BUY, FAMILY, Shop, good, open_shop
from tests.http.traces import (
    INFO,
    LATER,
    MORE,
    NEEDLES,
    NEVER_SO,
    REASON,
    TAKEN,
    UNREADABLE,
    personal_values,
    personal_values_of,
    published,
    stored,
    topics,
)
from tests.real.test_cli import fealty

pytestmark = pytest.mark.real

CARD = "6299000000000000017"


async def lives(shop: Shop) -> str:
    """Create a customer whose personal data reaches every store and topic; returns the id."""
    who = str((await shop.create(CARD, **INFO))["customerId"])
    await shop.create(emailAddress=TAKEN["emailAddress"])
    await everything_is_known(shop, who)
    update = {"customerInfo": {}, "contactData": MORE}
    good(await shop.send("PUT", f"{FAMILY}/{who}", update))
    good(await shop.send("PUT", f"{FAMILY}/{who}", {"customerInfo": LATER}))
    good(await shop.send("PUT", f"/v1/customers/{who}/state", {"state": "blocked", "reason": REASON}))
    good(await shop.transact(who, load(1500)))
    bought = {"loyaltyPointDefinitionId": BUY, "purchases": [{"voucherId": "VOUCHER-5"}] * 2}
    kept, used = [
        each["serialId"] for each in good(await shop.transact(who, {"loyaltyPrograms": [bought]}))["issuedVouchers"]
    ]
    await shop.issue("welcome", "WELCOME", CARD)
    redeemed = {"loyaltyPointDefinitionId": BUY, "voucherRedemptions": [{"serialId": used}]}
    good(await shop.transact(who, {"loyaltyPrograms": [redeemed], "voucherRedemptions": [{"serialId": "welcome"}]}))
    good(await shop.send("POST", f"/v1/customers/{who}/cards", {"replaces": CARD}))
    assert await shop.search(lastName="zyxmar", emailAddress=LATER["emailAddress"].upper()) == [who]
    assert {each["id"] for each in (await shop.get(who))["vouchers"]} == {kept}
    assert good(await shop.client.get(f"/v1/customers/{who}/export"))["customer"]["contactData"]["labels"]
    return who


async def everything_is_known(shop: Shop, who: str) -> None:
    """Every field of the document's `customerInfo` was filled, so that none is left out of the search."""
    shown = (await shop.get(who))["customerInfo"]
    assert {*shown} == {*INFO}
    assert all(shown.values())


async def fails(shop: Shop, who: str) -> None:
    """Send commands that are refused, and unreadable ones."""
    refused = await shop.send("PUT", f"{FAMILY}/{who}", {"customerInfo": TAKEN})
    assert (refused.status_code, refused.json()["code"]) == (409, "email_in_use")
    refused = await shop.send("POST", f"{FAMILY}/Create", {"customerInfo": {**INFO, **LATER}})
    assert (refused.status_code, refused.json()["code"]) == (409, "email_in_use")
    malformed = await shop.send("PUT", f"{FAMILY}/{who}", {"customerInfo": {"dateOfBirth": UNREADABLE}})
    assert malformed.status_code == 400
    await unreadable(shop.installation, who)


def body(**more: Any) -> bytes:
    """An unreadable update with personal data."""
    return orjson.dumps({"customerInfo": {**INFO, "shoeSize": UNREADABLE, **more}})


async def unreadable(installation: Installation, who: str) -> None:
    """Updates of this customer that go to dead letters: addressed by key and subject, by the one, by the other."""
    command = Command("customer.update.v1", who, {})
    headers: Headers = [*command.headers(), ("note", UNREADABLE.encode())]
    await installation.send("customer.commands", body(), headers, who)
    await installation.send("customer.commands", body(), command.headers(), UNREADABLE)
    await installation.send("customer.commands", body()[:-2], [], who)
    await installation.drained(group="customer", topic="customer.commands")


async def settled(shop: Shop) -> None:
    """Wait until every service has done what follows, and the views have everything."""
    for _ in range(2):  # What is done may have put follow-ups behind.
        for service in ("customer", "points", "voucher"):
            await shop.installation.drained(group=service, topic=f"{service}.commands")
    await shop.fed()


async def nothing_said(installation: Installation) -> None:
    """Check that no logs and metrics of any process have personal data."""
    logs = {log.name: personal_values(log.read_bytes()) for log in installation.logs.iterdir()}
    assert len(logs) == len(installation.processes)
    assert not any(logs.values()), logs
    assert len(installation.ports) == 4
    for name in installation.ports:
        metrics = await metrics_of(installation, name)
        assert "fealty_" in metrics, name
        assert not personal_values(metrics.encode()), name


async def test_anonymised_customers_leave_no_personal_data(installation: Installation) -> None:
    async with open_shop(installation) as shop:
        who = await lives(shop)
        await fails(shop, who)
        await settled(shop)
        before = await stored(installation)
        assert set(before) == {"customer.journal", "customer.snapshots", "customer.dead_letters", "edge.customers"}
        found = set().union(*before.values(), *(await published(installation)).values())
        assert found == set(NEEDLES) - NEVER_SO, "the search finds the values before they are erased"

        gone_by = good(await shop.send("POST", f"/v1/customers/{who}/anonymise"))["goneBy"]
        assert datetime.fromisoformat(gone_by) - datetime.now(UTC) < timedelta(days=7)
        await settled(shop)
        assert await stored(installation) == {}
        await closed(shop)
        assert (await shop.client.get(f"{FAMILY}/{who}")).status_code == 404
        assert await shop.search(lastName="zyxmar") == []
        assert not personal_values((await shop.client.get(f"/v1/customers/{who}/export")).content)
        await carried(installation)
        await nothing_said(installation)
        for service in ("customer", "points", "voucher"):
            report = await verify_service(service, installation.settings)
            assert report.ok, (service, report.findings[:3])
            held_against = await verify_topics(service, installation.settings)
            assert held_against.ok, (service, held_against.findings[:3])
        _, out, _ = await fealty(installation, "dead-letters", "list", "--service", "customer")
        assert not personal_values(out.encode())
        code, out, _ = await fealty(installation, "dead-letters", "replay", "--all", "--service", "customer")
        assert (code, out) == (0, "replayed: 0\n")


async def closed(shop: Shop) -> None:
    """Check that the account of both cards refuses transactions, and that reports show its points separately."""
    account = good(await shop.client.get(f"/v1/accounts/{CARD}"))
    assert account["state"] == "closed"
    for number in (CARD, account["numbers"][0]):
        refused = await shop.send("POST", f"/api/v1.0/LoyaltyVault/Account/{number}/Transaction", load(10))
        assert (refused.status_code, refused.json()["code"]) == (409, "account_closed")
    code, out, _ = await fealty(shop.installation, "report", "liability", "--format", "json", "--programme", BUY)
    rows = {row["day"]: row["closing"] for row in json.loads(out)}
    assert code == 0
    assert rows["closed accounts"] > 0
    assert rows["closed accounts"] + rows["open accounts"] == rows["total"]


async def carried(installation: Installation) -> None:
    """Check that the newest records of compacted topics have no personal data, and that other topics expire theirs."""
    configs = await topics(installation)
    compacted = {name for name, config in configs.items() if "compact" in config["cleanup.policy"]}
    assert compacted == {f"{service}.snapshots" for service in JOURNALED}
    for name in compacted:
        newest = {(record.partition, record.key): record for record in await installation.read(name)}
        assert not [record.key for record in newest.values() if personal_values_of(record)], name
    carrying = await published(installation)
    assert set(carrying) == {"customer.commands", "customer.snapshots", "edge.replies"}
    for name in carrying:
        config = configs[name]
        kept = "max.compaction.lag.ms" if config["cleanup.policy"] == "compact" else "retention.ms"
        assert 0 < int(config[kept]) + int(config["segment.ms"]) <= 7 * DAY_MS, name


async def test_dead_letters_after_anonymising_expire_with_their_topic(installation: Installation) -> None:
    """Dead letters that come after the person was forgotten, or under another id, go with the topic's record."""
    async with open_shop(installation) as shop:
        who = (await shop.create(**INFO))["customerId"]
        good(await shop.send("POST", f"/v1/customers/{who}/anonymise"))
        await settled(shop)
        refused = await shop.send("PUT", f"{FAMILY}/{who}", {"customerInfo": LATER})
        assert (refused.status_code, refused.json()["code"]) == (409, "customer_anonymised")
        await unreadable(installation, who)
        await unreadable(installation, new_id())
        await settled(shop)
        letters = installation.collection("customer", "dead_letters")
        assert await letters.count_documents({"value": {"$ne": None}}) == 6
        assert set(await stored(installation)) == {"customer.dead_letters"}
        indexes = (await letters.index_information()).values()
        (kept_s,) = [each["expireAfterSeconds"] for each in indexes if "expireAfterSeconds" in each]
        retention_ms = int((await topics(installation))["customer.commands"]["retention.ms"])
        assert kept_s * 1000 == retention_ms
        aged = datetime.now(UTC) - timedelta(seconds=kept_s)
        young = await letters.find_one_and_update({}, {"$set": {"at": aged + timedelta(hours=1)}})
        await letters.update_many({"_id": {"$ne": young["_id"]}}, {"$set": {"at": aged}})
        await installation.mongo.admin.command({"setParameter": 1, "ttlMonitorSleepSecs": 1})
        await eventually(lambda: letters.count_documents({}), 1, 90)
        assert await letters.find_one({}, {"_id": 1}) == {"_id": young["_id"]}
