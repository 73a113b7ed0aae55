"""Random transactions that are held and closed among others, in any order: balances and identities (rules 4.2.2)."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from schemas.points import PostTransaction
from services.points.evolve import evolve
from services.points.identities import check_event, check_state
from shared.decider import Accepted
from shared.ids import closing_id
from tests.unit.points.holding_world import SELLS, SERIAL, closing
from tests.unit.points.world import (
    DAY,
    LOY,
    STREAM,
    T0,
    Given,
    When,
    does,
    given,
    opened,
    transaction,
)


@pytest.mark.parametrize("seed", range(40))
def test_random_transactions_end_as_if_the_executed_ones_had_been_booked_at_once(seed: int) -> None:
    """Balances come to what was loaded less what was spent by those that were executed; identities hold throughout."""
    random = Random(seed)
    world, at, wanted = given(SELLS, LOY, opened()), T0, {"SELLS": 0, "LOY": 0}
    pending: list[tuple[str, dict[str, int]]] = []
    outcomes = set()
    for number in range(120):
        at += timedelta(seconds=random.randrange(60))
        if pending and random.random() < 0.4:
            id_, moves = pending.pop(random.randrange(len(pending)))
            decision = random.choice(["executed", "executed", "refused", "cancelled"])
            told = {"code": "voucher_void"} if decision == "refused" else {}
            when = checked(world, closing(decision, id_, **told), at, closing_id(id_))
            assert when.accepted.closing is not None
            if decision == "executed":
                wanted = {name: wanted[name] + moves[name] for name in wanted}
        else:
            body, moves = random_transaction(random)
            when = checked(world, body, at, f"id-{number}")
            if not isinstance(when.outcome, Accepted):
                outcomes.add(str(when.outcome.code))  # type: ignore[union-attr]
                continue
            if when.outcome.held:
                pending.append((f"id-{number}", moves))
            else:
                wanted = {name: wanted[name] + moves[name] for name in wanted}
            outcomes.add("held" if when.outcome.held else "booked")
        world = when.world
        balances = when.account.balances
        assert {name: balances[name].booked if name in balances else 0 for name in wanted} == wanted
        assert len(when.account.holds) == len(pending)
        assert all(balance.spendable >= 0 for balance in balances.values()), "nothing was taken back meanwhile"
    assert outcomes == {"held", "booked", "insufficient_points"}


def random_transaction(random: Random) -> tuple[PostTransaction, dict[str, int]]:
    """Loads, redemptions, purchases of W at 5 and a voucher, each or not; and what it comes to in each programme."""
    parts, moves = [], {}
    for name in ("SELLS", "LOY"):
        loads = [random.randrange(1, 30) for _ in range(random.randrange(3))]
        spends = [random.randrange(1, 30) for _ in range(random.randrange(3))]
        ends = (T0 + random.randrange(1, 9) * 30 * DAY).isoformat()
        bought = random.randrange(3) if name == "SELLS" else 0
        more = {"purchases": [{"voucherId": "W"}] * bought} if bought else {}
        parts.append(
            does(name, [{"value": each, "balanceExpiresAt": ends} for each in loads], spends, **more)  # type: ignore[arg-type]
        )
        moves[name] = sum(loads) - sum(spends) - 5 * bought
    vouchers: dict[str, Any] = {"voucherRedemptions": [SERIAL]} if random.random() < 0.3 else {}
    return transaction(*parts, **vouchers), moves


def checked(world: Given, payload: Any, now: datetime, command_id: str) -> When:
    """Decide, and hold the identities of rules 4.1.7 against every event and what it leaves."""
    when = world.when(payload, now, command_id=command_id)
    if isinstance(when.outcome, Accepted):
        state = world.states[STREAM]
        for stream, event in when.outcome.events:
            if stream == STREAM:
                assert not list(check_event(state, event))
                state = evolve(state, event)
        assert not list(check_state(state))
    return when
