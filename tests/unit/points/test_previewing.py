"""A preview says what the same transaction then comes to, on the same state (rules 4.2.3)."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from schemas.points import PostTransaction
from schemas.tiers import TierChanged
from schemas.transaction import Context
from services.points.decider import DECIDER
from services.points.previewing import preview_transaction
from shared.decider import Accepted, Command, Document, Rejected
from shared.ids import closing_id
from tests.unit.points.holding_world import SELLS, SERIAL, closing
from tests.unit.points.test_holding_histories import random_transaction
from tests.unit.points.world import (
    ACCOUNT,
    STORE,
    T0,
    Given,
    applied,
    applied_tiers,
    does,
    given,
    programme,
    tier_set,
    transaction,
)

THRESHOLD = applied(programme(issueImmediateThreshold={"value": 25, "voucherId": "TEN", "maxPerCommand": 3}))
WORLD = given(SELLS, THRESHOLD, applied_tiers(tier_set()))


def previewed(world: Given, payload: PostTransaction, now: datetime = T0) -> Document | Rejected:
    """What a preview shows, or the refusal; the world stays as it is."""
    command = Command("a preview", "points.post_transaction.v1", STORE, ACCOUNT, payload, now, b"secret")
    streams = DECIDER.streams(command)
    states = {name: world.states.get(name) or DECIDER.initial(name) for name in (*streams.writes, *streams.reads)}
    outcome = DECIDER.decide(command, states)
    if isinstance(outcome, Accepted):
        return preview_transaction(command, states, outcome)
    assert isinstance(outcome, Rejected)
    return outcome


def posted(world: Given, payload: PostTransaction, now: datetime, id_: str) -> tuple[Given, Document | Rejected]:
    """The world after the transaction, executed where it was held; and what it came to, as a preview says it."""
    before = world.when(transaction(), now, command_id=f"{id_} before").account  # With what is due.
    when = world.when(payload, now, command_id=id_)
    if isinstance(when.outcome, Rejected):
        return world, when.outcome
    events, result = [*when.accepted.events], when.accepted.result
    if when.accepted.held:
        when = when.world.when(closing("executed", id_), now, command_id=closing_id(id_))
        closed = when.accepted.closing
        assert closed is not None
        events, result = [*events, *when.accepted.events], closed.result
    spendable = {name: balance.spendable for name, balance in before.balances.items()}
    levels = [event for _, event in events if isinstance(event, TierChanged)]
    return when.world, {
        "balances": [{**each, "before": spendable.get(each["loyaltyProgramId"], 0)} for each in result["balances"]],
        "issuedVouchers": [(each["operation"], each["voucherId"]) for each in result["issuedVouchers"]],
        "tiers": [{"tierSet": each.tier_set, "before": each.from_, "after": each.to} for each in levels],
    }


@pytest.mark.parametrize("seed", range(20))
def test_the_transaction_then_comes_to_what_was_previewed(seed: int) -> None:
    random = Random(seed)
    world, at = WORLD, T0
    seen = set()
    for number in range(60):
        at += timedelta(hours=random.randrange(40))
        payload, _ = random_transaction(random)
        receipt = Context(receipt_nr=random.choice([None, "R-1"]))
        payload = payload.model_copy(update={"context": receipt})
        shown = previewed(world, payload, at)
        world, came = posted(world, payload, at, f"id-{number}")
        if isinstance(shown, Rejected):
            assert shown == came
            seen.add(str(shown.code))
            continue
        seen.update(["held"] * bool(shown.pop("execute")), ["issued"] * bool(shown["issuedVouchers"]))
        shown["issuedVouchers"] = [(each["operation"], each["voucherId"]) for each in shown["issuedVouchers"]]
        assert shown == came
        seen.update(["tiers"] * bool(shown["tiers"]))
    assert seen >= {"held", "issued", "insufficient_points"}, seen


def test_levels_thresholds_and_what_the_vouchers_would_be_asked() -> None:
    shown = previewed(WORLD, transaction(does(loads=[60]), does("SELLS"), voucherRedemptions=[SERIAL]))
    assert isinstance(shown, dict)
    execute: Any = shown.pop("execute")
    assert [each["serialId"] for each in execute["redemptions"]] == [SERIAL["serialId"]]
    assert shown == {
        "balances": [
            {"loyaltyProgramId": "LOY", "before": 0, "pointsBalance": 10, "scale": 0},
            {"loyaltyProgramId": "SELLS", "before": 0, "pointsBalance": 0, "scale": 0},
        ],
        "issuedVouchers": [{"operation": at, "voucherId": "TEN", "programme": "LOY"} for at in (0, 1)],
        "tiers": [{"tierSet": "LEVELS", "before": None, "after": "BASIC"}],
    }
