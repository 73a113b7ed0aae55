"""Read your writes: after an accepted outcome, also of a retry or a poll, the next read shows the write.

The views forget what the first answer brought, as if the edge that got it had been killed: what is seen afterwards
came with the answer.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
import pytest

from services.edge.http.headers import REPLAYED
from shared.clock import now_ms
from shared.ids import account_id
from shared.runtime.kafka import partition_of
from shared.runtime.requests import Operation
from tests.harness import DEMO, Installation, new_installation
from tests.http.shop import BUY, CASHBACK, FAMILY, Shop, good, open_shop, points, serials

pytestmark = pytest.mark.real

CARD = "6299000000000000017"
VIEWS = ("accounts", "customers", "statements", "vouchers")

Again = Callable[[Shop, str, dict[str, Any], str], Awaitable[Any]]


@pytest.fixture(scope="module")
async def shop(real_servers: Any) -> AsyncIterator[Shop]:
    """One shop for the module."""
    async with new_installation(real_servers) as installation:
        await installation.declare_file(DEMO)
        async with open_shop(installation) as shop:
            yield shop


def buying(serial: str) -> dict[str, Any]:
    """A transaction over points and vouchers: it redeems a voucher and buys another."""
    part = {
        "loyaltyPointDefinitionId": BUY,
        "loads": [{"value": 600}],
        "purchases": [{"voucherId": "VOUCHER-5"}],
        "voucherRedemptions": [{"serialId": serial}],
    }
    return {"loyaltyPrograms": [part]}


async def forget(installation: Installation) -> None:
    """Empty the views of what changes; the feeds have brought it, and do not bring it again."""
    database = installation.mongo[installation.settings.database("edge")]
    for name in VIEWS:
        await database[name].delete_many({})


async def resent(shop: Shop, path: str, body: dict[str, Any], key: str) -> Any:
    """The same request with the same key."""
    response = await shop.send("POST", path, body, key)
    assert response.headers[REPLAYED] == "true"
    return good(response)


async def polled(shop: Shop, path: str, body: dict[str, Any], key: str) -> Any:
    """The outcome of the last command of the kind that the request sends, polled by an administrator."""
    service = "customer" if path.endswith("Create") else "points"
    journal = shop.installation.collection(service, "journal")
    wanted = "customer.create.v1" if service == "customer" else "points.post_transaction.v1"
    entry = await journal.find_one({"type": wanted}, sort=[("at", -1), ("offset", -1)])
    place = partition_of(entry["subject"], shop.installation.settings.partitions)
    operation = Operation(service, place, entry["_id"], now_ms())
    outcome = good(await shop.client.get(f"/operations/{operation}"))
    assert outcome["status"] == "accepted"
    return outcome["result"]


@pytest.mark.parametrize("again", [resent, polled])
async def test_after_a_replay_all_reads_show_the_write(shop: Shop, again: Again) -> None:
    name = again.__name__
    card, serial = f"{CARD}{name}", f"B-{name}"
    create, created = f"{FAMILY}/Create", {"cardNumber": card, "customerInfo": {"firstName": "Anna"}}
    who = good(await shop.send("POST", create, created, f"c-{name}"))["customerId"]
    await shop.issue(serial, "VOUCHER-5", card)
    path, body = f"/api/v1.0/LoyaltyVault/Account/{card}/Transaction", buying(serial)
    first = good(await shop.send("POST", path, body, f"t-{name}"))
    await shop.fed()
    statement = good(await shop.client.get(f"/v1/accounts/{card}/statement"))
    account, customer = good(await shop.account(card)), await shop.get(who)
    assert serials(customer) == {each["serialId"] for each in first["issuedVouchers"]} != set()

    await forget(shop.installation)
    assert (await shop.account(card)).status_code == 404
    assert await again(shop, path, body, f"t-{name}") == first
    assert good(await shop.account(card)) == account
    assert good(await shop.client.get(f"/v1/accounts/{card}/statement")) == statement
    assert good(await shop.client.get(f"/v1/vouchers/{serial}"))["state"] == "redeemed"

    assert (await shop.client.get(f"{FAMILY}/{who}")).status_code == 404
    assert await again(shop, create, created, f"c-{name}")
    assert await shop.get(who) == customer


def loading(value: int, days: range) -> dict[str, Any]:
    """Loads that expire on as many days, each a lot of its own."""
    loads = [{"value": value, "balanceExpiresAt": f"2099-01-{day:02}T00:00:00Z"} for day in days]
    return {"loyaltyPrograms": [{"loyaltyPointDefinitionId": CASHBACK, "loads": loads}]}


async def test_writes_too_large_for_the_reply_are_readable_too(shop: Shop) -> None:
    """The worker's bound is that of the account's snapshot, so that neither it nor the changes fit into a reply.

    The last test of the shop, whose own worker it stops.
    """
    installation, card = shop.installation, f"{CARD}large"
    create = {"cardNumber": card, "customerInfo": {"firstName": "Anna"}}
    who = good(await shop.send("POST", f"{FAMILY}/Create", create))["customerId"]
    path = f"/api/v1.0/LoyaltyVault/Account/{card}/Transaction"
    good(await shop.send("POST", path, loading(10, range(1, 29))))
    stream = f"account/default/{account_id('default', card)}".encode()
    (snapshot,) = [each for each in await installation.read("points.snapshots") if each.key == stream]
    await next(each for each in installation.processes if each.name == "points-0").stop(30)
    bound = str(len(snapshot.value or b"") + 200)
    async with installation.worker("points", "points-bounded", FEALTY_RECORD_BYTES_MAX=bound):
        for last in range(30, 46, 2):
            good(await shop.send("POST", path, loading(1, range(1, 3))))
            assert good(await shop.account(card))["sequence"] == last
            statement = good(await shop.client.get(f"/v1/accounts/{card}/statement?size=2"))
            assert [each["sequence"] for each in statement["movements"]] == [last, last - 1]
            assert points(await shop.get(who))[CASHBACK] == 280 + last - 28
    replies = [orjson.loads(each.value or b"") for each in await installation.read("edge.replies")]
    left_out = [[(each["sequence"], each["version"]) for each in reply["leftOut"]] for reply in replies]
    assert [each for each in left_out if each] == [[(28 + at * 2, None), (None, 2 + at)] for at in range(1, 9)]
