"""Months later: transactions whose snapshots were removed are repeated, polled and reversed over HTTP as before."""

import pytest

from tests.harness import Installation, eventually
from tests.http.shop import BUY, CASHBACK, good, open_shop, points, serials
from tests.http.test_reversals_whole_real import begun, reverse
from tests.http.test_transactions_whole_real import OWNED, TEN
from tests.real.test_archive import AT_ONCE, left

pytestmark = pytest.mark.real


async def test_an_archived_transaction_is_repeated_and_reversed_as_any_other(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in AT_ONCE.items():
        monkeypatch.setenv(name, value)
    async with open_shop(installation) as shop:
        who = await begun(shop)
        first = await shop.transact(who, TEN, key="once")
        transaction = good(first)["transactionId"]
        await eventually(lambda: left(installation), 0)
        again = await shop.transact(who, TEN, key="once")
        assert good(again) == good(first)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert points(await shop.get(who))[BUY] == 600
        undone = good(await reverse(shop, transaction, 1))
        assert [(each["operation"], each["amount"]) for each in undone["reversed"]] == [(1, 5.25)]
        await eventually(lambda: left(installation), 0)
        twice = await reverse(shop, transaction, 1)
        assert (twice.status_code, twice.json()["code"]) == (409, "already_reversed")
        rest = good(await reverse(shop, transaction))
        assert [each["operation"] for each in rest["reversed"]] == [0, 2, 3, 4]
        await eventually(lambda: left(installation), 0)
        refused = await reverse(shop, transaction)
        assert (refused.status_code, refused.json()["code"]) == (409, "already_reversed")
        customer = await shop.get(who)
        assert (points(customer)[BUY], points(customer)[CASHBACK]) == (500, 500)
        assert serials(customer) == {*OWNED}
