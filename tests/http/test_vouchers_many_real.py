"""A customer with thousands of vouchers costs no more than others to write, to read and to page through."""

import asyncio
from collections.abc import AsyncIterator
from itertools import cycle, islice
from random import Random
from typing import Any

import bson
import pytest

from services.edge.families.crm import presenting as crm
from services.edge.views import composing, customers
from services.edge.views.customers import APART, VOUCHERS_MAX
from services.edge.views.snapshots import of_part
from services.edge.views.upserts import replace_older
from services.edge.views.views import Views
from shared.ids import account_id
from shared.runtime.health import Health
from tests.harness import Installation
from tests.http.seen import bring
from tests.http.test_customer_views_real import AT, customer, voucher
from tests.http.test_views_real import snapshot

pytestmark = pytest.mark.real

MANY = 2_500
USED = ("redeemed", "void", "expired")
CARD = "C-1"
ACCOUNT = account_id("default", CARD)


@pytest.fixture
async def views(empty_installation: Installation) -> AsyncIterator[Views]:
    """Views of a fresh installation."""
    views = Views(empty_installation.settings, Health(60))
    await views.start()
    yield views
    await views.stop()


async def shown(views: Views, at: str = AT) -> list[str]:
    """The serials that Get shows."""
    document = await views.customers.one("default", "C")
    assert document is not None
    if APART in document:
        return [
            each["serialId"]
            for each in await views.vouchers.usable(crm.voucher_accounts(document), at, crm.VOUCHERS_SHOWN)
        ]
    return [each["serialId"] for each in crm.usable_vouchers(document, at)]


@pytest.mark.parametrize("customer_first", [True, False])
async def test_customers_with_thousands_of_vouchers_cost_no_more(
    views: Views, installation_edge: Any, customer_first: bool
) -> None:
    person = [customer("C", 1, [CARD]), snapshot(CARD, 1)]
    issued = iter([voucher(f"V-{number:04}", 1, CARD) for number in range(MANY)])
    if customer_first:
        await bring(views, person, ())
    while some := [*islice(issued, 500)]:
        await bring(views, some, ())
    if not customer_first:
        await bring(views, person, ())
    stored = await installation_edge["customers"].find_one({"_id": "customer/default/C"})
    assert (stored[APART], stored["vouchers"]) == (True, [])
    assert await shown(views) == [f"V-{number:04}" for number in range(crm.VOUCHERS_SHOWN)]
    await bring(views, [voucher("V-0000", 2, CARD, "redeemed"), voucher("V-0001", 2, CARD, "expired")], ())
    await bring(views, [voucher("V-0000", 1, CARD)], ())
    assert await shown(views) == [f"V-{number:04}" for number in range(2, crm.VOUCHERS_SHOWN + 2)]
    again = await installation_edge["customers"].find_one({"_id": "customer/default/C"})
    assert again == stored, "a voucher costs the customer's document nothing any more"
    assert await paged(views) == [f"V-{number:04}" for number in range(MANY)]


async def paged(views: Views) -> list[str]:
    """All serials, by pages."""
    found: list[str] = []
    after = ""
    while page := await views.vouchers.owned([ACCOUNT], after, 400):
        found += [view["serialId"] for _, view in page]
        after = page[-1][0]
    return found


async def test_vouchers_are_sorted_by_expiry_within_and_outside_of_the_customer(views: Views) -> None:
    """Also when the vouchers become too many for the customer's document and move out of it."""
    await bring(views, [customer("C", 1, [CARD]), snapshot(CARD, 1)], ())
    given = {f"V-{day:02}": f"2026-12-{day:02}T00:00:00.000Z" for day in range(VOUCHERS_MAX - 2, 0, -1)}
    ends: dict[str, str | None] = {**given, "V-gone": "2026-11-21T00:00:00.000Z", "V-ever": None}
    for serial, until in ends.items():
        part = voucher(serial, 1, CARD)
        await bring(views, [part.model_copy(update={"value": {**part.value, "validUntil": until}})], ())
    wanted = [*sorted(given), "V-ever"]
    assert await shown(views) == wanted
    document = await views.customers.one("default", "C")
    assert document is not None
    assert APART not in document
    assert len(document["vouchers"]) == VOUCHERS_MAX
    later = voucher("V-late", 1, CARD)
    await bring(
        views, [later.model_copy(update={"value": {**later.value, "validFrom": "2027-01-01T00:00:00.000Z"}})], ()
    )
    document = await views.customers.one("default", "C")
    assert document is not None
    assert document[APART]
    assert await shown(views) == wanted


async def test_old_customer_documents_with_many_vouchers_are_upgraded(views: Views, installation_edge: Any) -> None:
    """A document of an earlier release has all vouchers in one array."""
    parts = [voucher(f"V-{number:04}", 1, CARD) for number in range(VOUCHERS_MAX * 3)]
    upserts = [upsert for part in parts if (upsert := of_part(part)) is not None]
    await replace_older(installation_edge, upserts)
    await bring(views, [customer("C", 1, [CARD]), snapshot(CARD, 1)], ())
    embedded = [{"id": f"voucher/default/{each.id}", "version": 1, "view": each.document["view"]} for each in upserts]
    await installation_edge["customers"].update_one({}, {"$set": {"vouchers": embedded}, "$unset": {APART: ""}})
    assert len(await shown(views)) == VOUCHERS_MAX * 3
    await bring(views, [voucher("V-new", 1, CARD)], ())
    stored = await installation_edge["customers"].find_one({})
    assert (stored[APART], stored["vouchers"]) == (True, [])
    assert len(await shown(views)) == VOUCHERS_MAX * 3 + 1


@pytest.fixture
def installation_edge(empty_installation: Installation) -> Any:
    """The edge's database."""
    return empty_installation.collection("edge", customers.CUSTOMERS).database


async def test_a_thousand_used_vouchers_leave_nothing_behind(views: Views, installation_edge: Any) -> None:
    """The document is as small as before, late snapshots bring none back, and the list has them all."""
    await bring(views, [customer("C", 1, [CARD]), snapshot(CARD, 1), voucher("V-kept", 1, CARD)], ())
    people = installation_edge["customers"]
    before = await people.find_one({})
    serials = [f"V-{number:04}" for number in range(1_000)]
    for start in range(0, 1_000, 25):
        some = serials[start : start + 25]
        await bring(views, [voucher(serial, 1, CARD) for serial in some], ())
        assert await shown(views) == [*some, "V-kept"]
        await bring(
            views, [voucher(serial, 2, CARD, state) for serial, state in zip(some, cycle(USED), strict=False)], ()
        )
        assert await shown(views) == ["V-kept"]
    assert await people.find_one({}) == before, "nothing is left of those that were used"
    for late in (serials[:500], serials[990:]):
        await bring(views, [voucher(serial, 1, CARD) for serial in late], ())
    await bring(views, [customer("C", 2, [CARD]), snapshot(CARD, 2)], ())
    assert await shown(views) == ["V-kept"]
    after = await people.find_one({})
    assert (len(bson.encode(after)), APART in after) == (len(bson.encode(before)), False)
    assert await paged(views) == [*serials, "V-kept"]


async def test_what_an_earlier_release_left_of_used_vouchers_goes(views: Views, installation_edge: Any) -> None:
    await bring(views, [customer("C", 1, [CARD]), snapshot(CARD, 1), voucher("V-used", 2, CARD, "redeemed")], ())
    left = [{"id": "voucher/default/V-used", "version": 2}]
    await installation_edge["customers"].update_one({}, {"$set": {"vouchers": left}})
    await bring(views, [voucher("V-new", 1, CARD)], ())
    stored = await installation_edge["customers"].find_one({})
    assert [part["id"] for part in stored["vouchers"]] == ["voucher/default/V-new"]


async def test_writers_at_once_end_with_the_newest_of_each_voucher(views: Views) -> None:
    """Each of several writers may have read before the others wrote."""
    chance = Random(11)
    await bring(views, [customer("C", 1, [CARD]), snapshot(CARD, 1)], ())
    for turn in range(40):
        states = ["issued", chance.choice(USED), "issued", "redeemed"][: chance.randrange(2, 5)]
        parts = [voucher(f"V-{turn:02}", version, CARD, state) for version, state in enumerate(states, 1)]
        chance.shuffle(parts)
        upserts = [upsert for part in parts if (upsert := of_part(part)) is not None]
        await asyncio.gather(*(views.snapshots.write_durably([each]) for each in upserts))
        serials = {f"V-{turn:02}"} if states[-1] == "issued" else set()
        assert {*await shown(views)} == serials, (turn, states)
        await bring(views, [voucher(f"V-{turn:02}", 9, CARD, "void")], ())


async def test_a_writer_whom_a_newer_state_overtook_takes_back_what_it_showed(
    views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has read the voucher as issued; before it shows that, another writer is done with its redemption."""
    await bring(views, [customer("C", 1, [CARD]), snapshot(CARD, 1)], ())
    overtaken: list[list[dict[str, Any]]] = []
    issued, stored = of_part(voucher("V", 1, CARD)), composing._stored
    assert issued is not None

    async def overtaking(database: Any, ids: Any) -> list[dict[str, Any]]:
        found = await stored(database, ids)
        if not overtaken:
            overtaken.append(found)
            await bring(views, [voucher("V", 2, CARD, "redeemed")], ())
        return found

    monkeypatch.setattr(composing, "_stored", overtaking)
    await views.snapshots.write_durably([issued])
    assert [each["version"] for each in overtaken[0]] == [1]
    assert await shown(views) == []
