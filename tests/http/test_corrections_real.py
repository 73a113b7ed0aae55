"""Manual corrections through all services, and how accounts and statements show them."""

from typing import Any

import pytest

from shared.ids import account_id
from tests.harness import Command, Installation, eventually
from tests.http.caller import POINTS, Caller, calling, decimals, load, redeem
from tests.http.test_bodies import problem
from tests.http.test_openapi import schema
from tests.tokens import authorization

pytestmark = pytest.mark.real

A_1 = "/v1/accounts/A-1"
TRANSACTION = "/api/v1.0/LoyaltyVault/Account/A-1/Transaction"
SHOP = ("api_loyalty", "api_reverse")


async def test_reversals_appear_in_account_and_statement(installation: Installation) -> None:
    async with installation.points(), calling(installation) as caller:
        client = caller.client
        posted = (await caller.post("A-1", load(2.5, "CASHBACK"))).json()
        body = {"transactionId": posted["transactionId"], "reason": "wrong card"}
        part = {**body, "operations": [{"operation": 0, "value": 0.75}]}
        shops = [await authorization(installation.settings, name, scopes=SHOP) for name in ("shop-1", "shop-2")]
        own = (await client.post(TRANSACTION, json=load(1, "CASHBACK"), headers=shops[0])).json()
        for shop, status in ((shops[1], 409), (shops[0], 200)):
            undo = {**body, "transactionId": own["transactionId"]}
            undone = await client.post(A_1 + "/reversals", json=undo, headers=shop)
            assert undone.status_code == status, undone.text
        foreign = problem(await client.post(A_1 + "/reversals", json=body, headers=shops[0]))
        assert (foreign["status"], foreign["code"]) == (409, "transaction_foreign")
        reversal = await client.post(A_1 + "/reversals", json=part, headers={"Idempotency-Key": "r"})
        assert reversal.status_code == 200, reversal.text
        schema("ReversalAnswer").validate(reversal.json())
        assert reversal.json()["reversed"] == [{"operation": 0, "programme": "CASHBACK", "amount": 0.75}]
        again = await client.post(A_1 + "/reversals", json=part, headers={"Idempotency-Key": "r"})
        assert again.content == reversal.content
        assert await caller.balance("A-1", "CASHBACK") * 100 == 175
        (newest, *_, oldest) = (await client.get(A_1 + "/statement")).json()["movements"]
        assert (newest["kind"], newest["delta"], newest["reason"]) == ("revoke", -0.75, "wrong card")
        entry = await installation.entry(newest["transactionId"])
        assert entry is not None
        assert newest["actor"] == entry["actor"] == caller.actor()
        assert oldest["actor"] is None, "of a load, the journal alone says who posted it"
        rest = await client.post(A_1 + "/reversals", json=body)
        assert rest.json()["balances"] == [{"loyaltyProgramId": "CASHBACK", "pointsBalance": 0}]
        refused = problem(await client.post(A_1 + "/reversals", json=body))
        assert (refused["status"], refused["code"]) == (409, "already_reversed")
        unknown = problem(await client.post(A_1 + "/reversals", json={**body, "transactionId": "none"}))
        assert (unknown["status"], unknown["code"], unknown["pointer"]) == (
            422,
            "transaction_unknown",
            "/transactionId",
        )
        view = decimals(await caller.account("A-1"))
        schema("AccountAnswer").validate((await caller.account("A-1")).json())
        (balance,) = view["balances"]
        assert (balance["earned"], balance["revoked"], balance["debt"]) == (3.5, 3.5, 0)


async def test_reversals_beyond_the_largest_balance_are_refused(installation: Installation) -> None:
    """Of the 2^52 − 1 cents that may ever be credited, a load refuses one more, and so does a reversal."""
    async with installation.points(), calling(installation) as caller:
        for value in [10**12] * 45 + [35_996_273_704.95]:
            credited = await caller.adjust("A-1", programme="CASHBACK", value=value, reason="a fortune")
            assert credited.status_code == 200, credited.text
        posted = await caller.post("A-1", redeem(10, "CASHBACK"))
        load_refused = problem(await caller.post("A-1", load(0.01, "CASHBACK")))
        operations = [{"operation": 0, "value": 0.01}]
        body = {"transactionId": posted.json()["transactionId"], "operations": operations, "reason": "wrong card"}
        refused = problem(await caller.client.post(A_1 + "/reversals", json=body))
        assert refused["pointer"] == "/operations/0"
        for found in (load_refused, refused):
            assert (found["status"], found["code"]) == (409, "balance_limit_exceeded")


async def test_account_states_and_numbers_can_be_changed(installation: Installation) -> None:
    async with installation.points(), calling(installation) as caller:
        client = caller.client
        nobody = problem(await client.put(A_1 + "/state", json={"state": "closed", "reason": "x"}))
        assert (nobody["status"], nobody["code"]) == (404, "account_unknown")
        await caller.post("A-1", load(10))
        for state, statuses in (("spending_blocked", [200, 409]), ("suspended", [409, 409]), ("active", [200, 200])):
            done = await client.put(A_1 + "/state", json={"state": state, "reason": "x"})
            assert done.status_code == 200, done.text
            schema("StateAnswer").validate(done.json())
            assert (await caller.account("A-1")).json()["state"] == state
            answers = [await caller.post("A-1", load(1)), await caller.post("A-1", redeem(1))]
            assert [answer.status_code for answer in answers] == statuses
        replaced = await client.post(A_1 + "/replacements", json={"newNumber": "NEW"})
        assert replaced.status_code == 200, replaced.text
        schema("ReplacementAnswer").validate(replaced.json())
        assert (await caller.account("A-1")).json()["numbers"] == ["NEW"]
        moved = await caller.post("NEW", load(5))
        assert moved.status_code == 200, moved.text
        for path in ("NEW", "NEW/statement", "NEW/balances?at=9999-12-31T00:00:00Z"):
            found = (await client.get("/v1/accounts/" + path)).json()
            assert (found["account"], found["accountNumber"]) == (account_id("default", "A-1"), "A-1")
        statement = (await client.get("/v1/accounts/NEW/statement")).json()
        assert [item["delta"] for item in statement["movements"]] == [5, -1, 1, 1, 10]
        assert await caller.balance("NEW") == await caller.balance("A-1") == 16
        adjusted = await caller.adjust("NEW", programme=POINTS, value=1, reason="goodwill")
        assert adjusted.status_code == 200, adjusted.text
        (newest, before, *_) = (await client.get(A_1 + "/statement")).json()["movements"]
        assert (newest["actor"], before["actor"]) == (caller.actor(), None), "a forwarded correction is known too"
        assert await caller.balance("A-1") == 17
        await caller.post("B-1", load(1))
        in_use = problem(await client.post(A_1 + "/replacements", json={"newNumber": "B-1"}))
        assert (in_use["status"], in_use["code"], in_use["pointer"]) == (409, "number_in_use", "/newNumber")


async def test_unknown_tier_sets_are_refused(installation: Installation) -> None:
    async with installation.points(), calling(installation) as caller:
        await caller.post("A-1", load(1, POINTS))
        for response in (
            await caller.client.put(A_1 + "/tiers/none", json={"code": "gold", "reason": "x"}),
            await caller.client.delete(A_1 + "/tiers/none?reason=x"),
        ):
            found = problem(response)
            assert (found["status"], found["code"], found.get("pointer")) == (404, "tier_set_unknown", None)


async def test_tiers_show_progress_and_can_be_pinned(installation: Installation) -> None:
    levels = [{"code": "BASIC", "at": 0}, {"code": "SILVER", "at": 2.5}, {"code": "GOLD", "at": 100}]
    tier_set: dict[str, Any] = {
        "id": "LEVELS",
        "descriptions": {"en": "Levels"},
        "programme": "CASHBACK",
        "levels": levels,
    }
    tier_set |= {"period": {"calendar": "year"}, "primary": True}
    async with installation.points(), calling(installation) as caller:
        declared = Command("points.put_tier_set.v1", "LEVELS", {"tierSet": tier_set})
        await installation.command(declared)
        await installation.settled([declared.id])
        await caller.post("A-1", load(2.25, "CASHBACK"))
        await eventually(lambda: _level(caller), ("BASIC", {"code": "SILVER", "at": 2.5, "missing": 0.25}))
        await caller.post("A-1", load(0.25, "CASHBACK"))
        assert await _level(caller) == ("SILVER", {"code": "GOLD", "at": 100, "missing": 97.5})
        pinned = await caller.client.put(A_1 + "/tiers/LEVELS", json={"code": "GOLD", "reason": "a friend"})
        assert pinned.status_code == 200, pinned.text
        schema("TierPinAnswer").validate(pinned.json())
        schema("AccountAnswer").validate((await caller.account("A-1")).json())
        assert await _level(caller) == ("GOLD", None)
        freed = await caller.client.delete(A_1 + "/tiers/LEVELS?reason=no%20more")
        assert freed.status_code == 200, freed.text
        assert (await _level(caller))[0] == "SILVER"
        unknown = problem(await caller.client.put(A_1 + "/tiers/LEVELS", json={"code": "TIN", "reason": "x"}))
        assert (unknown["status"], unknown["code"], unknown["pointer"]) == (422, "tier_unknown", "/code")


async def _level(caller: Caller) -> tuple[str, dict[str, Any] | None]:
    (tier,) = (await caller.account("A-1")).json()["tiers"]
    return tier["code"], tier["next"]
