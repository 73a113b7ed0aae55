"""Transactions over points and vouchers: held, captured or released, and nothing in between (RULES 4.2.2)."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from schemas.accounts import ReplaceNumber, SetAccountState
from schemas.holds import (
    CancelHeld,
    CancelRequested,
    HeldCredit,
    HeldDebit,
    HoldEnded,
    HoldPlaced,
    TransactionClosed,
    TransactionHeld,
)
from schemas.movements import GivenBack, Held, Moved, Purchased, Released, Revoked
from schemas.points import CloseTransaction, PointsRefusal, PostTransaction, Reverse
from schemas.refusals import VoucherRefusal
from services.points.evolve import evolve
from services.points.holding import HOLDS_MAX, WAIT
from services.points.identities import check_event, check_state
from services.points.state import account_stream, transaction_stream
from services.points.waking import wake
from shared.decider import Accepted, FollowUp
from shared.ids import account_id, closing_id
from tests.unit.points.world import (
    ACCOUNT,
    COMMAND_ID,
    DAY,
    EARLIER,
    LOY,
    NUMBER,
    STORE,
    STREAM,
    T0,
    Given,
    When,
    adjust,
    applied,
    booked,
    does,
    given,
    loaded,
    lot,
    opened,
    programme,
    redeemed,
    transaction,
)

SELLS = applied(programme("SELLS", purchases=[{"voucherId": "V", "price": 50}, {"voucherId": "W", "price": 5}]))
SOON, LATER = T0 + DAY, T0 + 9 * DAY
IN_SELLS: dict[str, Any] = {"programme": "SELLS"}
BUY = {"voucherId": "V"}
SERIAL = {"serialId": "6666270046419031265"}
TRANSACTION = transaction_stream(STORE, COMMAND_ID)


def rich() -> Given:
    """60 that expire soon and 40 that expire later."""
    soon, later = lot(1, 60, SOON), lot(2, 40, LATER)
    return given(
        SELLS, opened(), loaded(1, 60, soon, **IN_SELLS | EARLIER), loaded(2, 100, later, **IN_SELLS | EARLIER)
    )


def closing(decision: str, transaction_id: str = COMMAND_ID, **more: Any) -> CloseTransaction:
    return CloseTransaction.model_validate(
        {"transactionId": transaction_id, "account": ACCOUNT, "decision": decision, **more}
    )


def closed(held: When, decision: str, now: datetime = T0, **more: Any) -> When:
    return held.world.when(closing(decision, **more), now, command_id=closing_id(COMMAND_ID))


def placed(model: type[HoldPlaced | HoldEnded]) -> HoldPlaced | HoldEnded:
    return model(account=ACCOUNT, account_number=NUMBER, transaction_id=COMMAND_ID, booked_at=T0)


def ended(decision: str, code: str | None = None) -> TransactionClosed:
    return TransactionClosed.model_validate(
        {"transactionId": COMMAND_ID, "account": ACCOUNT, "decision": decision, "code": code, "bookedAt": T0}
    )


def everything() -> PostTransaction:
    """In processing order: load 10, redeem 20, buy for 50, redeem one voucher of the programme and void one of none."""
    part = does("SELLS", loads=[10], redemptions=[20], purchases=[{**BUY, "use": True}], voucherRedemptions=[SERIAL])
    return transaction(part, voucherRedemptions=[{"serialId": "9", "void": True}], context={"shopId": "Webshop"})


def test_it_sets_aside_what_it_takes_and_asks_the_voucher_service() -> None:
    held = rich().when(everything())
    source = {"shop": "Webshop"}
    common = {**IN_SELLS, "source": source}
    plan = TransactionHeld.model_validate(
        {
            "transactionId": COMMAND_ID,
            "account": ACCOUNT,
            "accountNumber": NUMBER,
            "programmes": ["SELLS"],
            "credits": [HeldCredit(operation=0, programme="SELLS", amount=10)],
            "debits": [
                HeldDebit(operation=1, kind="redeem", programme="SELLS", amount=20, lots=(lot(1, 20, SOON),)),
                HeldDebit(
                    operation=2,
                    kind="purchase",
                    programme="SELLS",
                    amount=50,
                    lots=(lot(1, 40, SOON), lot(2, 10, LATER)),
                ),
            ],
            "source": source,
            "deadline": T0 + WAIT,
            "bookedAt": T0,
        }
    )
    held.then(
        placed(HoldPlaced),
        booked(Held, lot(1, 20, SOON), amount=20, operation=1, **common),
        booked(Held, lot(1, 40, SOON), lot(2, 10, LATER), amount=50, operation=2, **common),
        plan,
    )
    balance = held.account.balances["SELLS"]
    assert (balance.booked, balance.held, balance.spendable, balance.lots) == (100, 70, 30, (balance.lots[0],))
    assert held.accepted.held
    (execute,) = held.accepted.follow_ups
    assert (execute.topic, execute.type, execute.subject, execute.id) == (
        "voucher.commands",
        "voucher.execute.v1",
        ACCOUNT,
        None,
    )
    (bought,) = execute.payload["purchases"]
    serial = bought.pop("serialId")
    assert len(serial) == 19
    assert luhn(serial)
    assert bought == {
        "operation": 2,
        "pointer": "/loyaltyPrograms/0/purchases/0",
        "programme": "SELLS",
        "voucherId": "V",
        "use": True,
        "cost": 50,
        "scale": 0,
    }
    assert execute.payload["redemptions"] == [
        {
            "operation": 3,
            "pointer": "/loyaltyPrograms/0/voucherRedemptions/0",
            "programme": "SELLS",
            "serialId": "6666270046419031265",
            "void": False,
        },
        {"operation": 4, "pointer": "/voucherRedemptions/0", "serialId": "9", "void": True},
    ]
    assert execute.payload["deadline"] == "2026-11-22T10:00:31.123Z"


def luhn(number: str) -> bool:
    """ISO/IEC 7812-1, annex B, the other way round: the weighted sum of all digits ends in 0."""
    return sum(sum(divmod(int(digit) * (1 + at % 2), 10)) for at, digit in enumerate(number[::-1])) % 10 == 0


def test_executed_it_is_booked_without_further_checks() -> None:
    issued = {"operation": 2, "serialId": "1", "voucherId": "V", "programme": "SELLS", "state": "redeemed"}
    done = closed(rich().when(everything()), "executed", issued=[{**issued, "validFrom": T0}])
    common = {**IN_SELLS, "source": {"shop": "Webshop"}}
    never, soon, later = lot(3, 10), lot(1, 40, SOON), lot(2, 10, LATER)
    done.then(
        loaded(3, 110, never, **common),
        booked(Released, lot(1, 20, SOON), amount=20, operation=1, **common),
        redeemed(4, 90, lot(1, 20, SOON), operation=1, **common),
        booked(Released, soon, later, amount=50, operation=2, **common),
        booked(Purchased, soon, later, sequence=5, delta=-50, booked=40, operation=2, **common),
        placed(HoldEnded),
        ended("executed"),
    )
    outcome = done.accepted.closing
    assert outcome is not None
    assert (outcome.command_id, outcome.refusal) == (COMMAND_ID, None)
    assert outcome.result["transactionId"] == COMMAND_ID
    assert outcome.result["balances"] == [{"loyaltyProgramId": "SELLS", "pointsBalance": 40, "scale": 0}]
    (voucher,) = outcome.result["issuedVouchers"]
    assert (voucher["serialId"], voucher["state"]) == ("1", "redeemed")
    assert done.account.balances["SELLS"].held == 0
    assert done.account.holds == ()


@pytest.mark.parametrize(
    ("decision", "told", "code", "pointer"),
    [
        (
            "refused",
            {"code": "voucher_redeemed", "detail": "it was used", "pointer": "/voucherRedemptions/0"},
            VoucherRefusal.VOUCHER_REDEEMED,
            "/voucherRedemptions/0",
        ),
        ("cancelled", {}, PointsRefusal.TRANSACTION_TIMED_OUT, None),
    ],
)
def test_otherwise_what_was_set_aside_comes_back(decision: str, told: Any, code: Any, pointer: str | None) -> None:
    before = rich()
    done = closed(before.when(everything()), decision, **told)
    common = {**IN_SELLS, "source": {"shop": "Webshop"}}
    done.then(
        booked(Released, lot(1, 20, SOON), amount=20, operation=1, **common),
        booked(Released, lot(1, 40, SOON), lot(2, 10, LATER), amount=50, operation=2, **common),
        placed(HoldEnded),
        ended(decision, told.get("code")),
    )
    outcome = done.accepted.closing
    assert outcome is not None
    assert outcome.refusal is not None
    assert (outcome.refusal.code, outcome.refusal.pointer) == (code, pointer)
    now, then = done.account.balances["SELLS"], rich().states[STREAM].balances["SELLS"]  # type: ignore[union-attr]
    assert (now.lots, now.held, now.booked) == (then.lots, 0, 100)


def test_what_it_loads_itself_can_be_spent_and_is_seen_only_when_it_is_executed() -> None:
    world = given(SELLS)
    held = world.when(transaction(does("SELLS", loads=[60], purchases=[BUY])))
    plan = held.accepted.events[-1][1]
    assert isinstance(plan, TransactionHeld)
    assert plan.debits == (HeldDebit(operation=1, kind="purchase", programme="SELLS", amount=50),)
    assert [type(event) for _, event in held.accepted.events] == [HoldPlaced, TransactionHeld]
    assert held.account.account_number is None, "it does not open the account"
    assert closed(held, "refused", code="voucher_void").account.account_number is None
    done = closed(held, "executed")
    assert (done.account.account_number, done.account.balances["SELLS"].booked) == (NUMBER, 10)


def test_what_was_set_aside_cannot_be_spent_again_nor_expires() -> None:
    world = rich().when(transaction(does("SELLS", purchases=[BUY]))).world
    other = transaction(does("SELLS", redemptions=[51]))
    world.when(other, command_id="b").refused(PointsRefusal.INSUFFICIENT_POINTS, "/loyaltyPrograms/0/redemptions/0")
    after = world.when(adjust(1, "SELLS"), SOON + DAY, command_id="c")
    balance = after.account.balances["SELLS"]
    assert (balance.booked, balance.held, balance.expired) == (91, 50, 10), "10 of the 60 were not set aside"
    captured = after.world.when(closing("executed"), SOON + DAY, command_id="d")
    assert captured.account.balances["SELLS"].spendable == 41
    released = after.world.when(closing("cancelled"), SOON + DAY, command_id="d")
    assert released.account.balances["SELLS"].spendable == 91
    then = released.world.when(adjust(1, "SELLS"), SOON + DAY, command_id="e").account.balances["SELLS"]
    assert (then.booked, then.expired) == (42, 60), "it comes back to its lot, and expires with it"


def test_what_is_owed_meanwhile_is_paid_from_what_comes_back() -> None:
    world = given(SELLS, opened())
    load = world.when(transaction(does("SELLS", loads=[60])), command_id="a")
    held = load.world.when(transaction(does("SELLS", purchases=[BUY])))
    reverse = Reverse(account_number=NUMBER, transaction_id="a", reason="wrong card")
    owing = held.world.when(reverse, command_id="b")
    balance = owing.account.balances["SELLS"]
    assert (balance.booked, balance.debt, balance.held, balance.lots) == (0, 50, 50, ())
    back = owing.world.when(closing("refused", code="voucher_void"), command_id="c")
    assert back.account.balances["SELLS"][-1] == 0
    assert (back.account.balances["SELLS"].debt, back.account.balances["SELLS"].lots) == (0, ())
    spent = owing.world.when(closing("executed"), command_id="c")
    assert (spent.account.balances["SELLS"].booked, spent.account.balances["SELLS"].debt) == (-50, 50)


def test_closing_an_account_waits_and_its_number_leads_nowhere_else() -> None:
    held = given(SELLS).when(transaction(does("SELLS", loads=[60]), voucherRedemptions=[SERIAL]))
    other = account_id(STORE, "2")
    world = rich().when(transaction(voucherRedemptions=[SERIAL])).world
    close = SetAccountState.model_validate({"accountNumber": NUMBER, "state": "closed", "reason": "moved"})
    world.when(close, command_id="b").refused(PointsRefusal.TRANSACTION_OPEN, "/state")
    done = world.when(closing("executed"), command_id="c")
    assert isinstance(done.world.when(close, command_id="d").outcome, Accepted)
    owner = opened().model_copy(update={"account": other, "account_number": "2"})
    states = {**held.world.states, account_stream(STORE, other): given(owner).states[account_stream(STORE, other)]}
    takes = ReplaceNumber(account_number="2", new_number=NUMBER)
    Given(states).when(takes, subject=other, command_id="b").refused(PointsRefusal.NUMBER_IN_USE, "/newNumber")


def test_an_account_has_a_bounded_number_of_open_transactions() -> None:
    world = rich()
    for number in range(HOLDS_MAX):
        world = world.when(transaction(voucherRedemptions=[SERIAL]), command_id=f"id-{number}").world
    one_more = world.when(transaction(voucherRedemptions=[SERIAL]), command_id="one more")
    one_more.refused(PointsRefusal.TOO_MANY_OPEN_TRANSACTIONS, "/accountNumber")


@pytest.mark.parametrize(
    ("state", "body", "pointer"),
    [
        ("spending_blocked", {"loyaltyPrograms": [does("SELLS", purchases=[BUY])]}, "/loyaltyPrograms/0/purchases/0"),
        ("spending_blocked", {"voucherRedemptions": [SERIAL]}, "/voucherRedemptions/0"),
        ("spending_blocked", {"voucherRedemptions": [{**SERIAL, "void": True}]}, None),
    ],
)
def test_a_blocked_account_does_not_spend_and_voids(state: str, body: Any, pointer: str | None) -> None:
    block = SetAccountState.model_validate({"accountNumber": NUMBER, "state": state, "reason": "lost"})
    when = (
        rich()
        .when(block, command_id="a")
        .world.when(transaction(**body) if "loyaltyPrograms" not in body else transaction(*body["loyaltyPrograms"]))
    )
    if pointer is None:
        assert when.accepted.held
    else:
        when.refused(PointsRefusal.ACCOUNT_SPENDING_BLOCKED, pointer)


@pytest.mark.parametrize(
    ("offer", "offered"),
    [
        ({}, True),
        ({"from": T0}, True),
        ({"until": T0}, False),
        ({"from": T0 + timedelta(seconds=1)}, False),
        ({"voucherId": "X"}, False),
    ],
)
def test_a_voucher_is_sold_within_its_window(offer: Any, offered: bool) -> None:
    sells = applied(programme("SELLS", purchases=[{"voucherId": "V", "price": 50, **offer}]))
    world = given(sells, opened(), loaded(1, 60, lot(1, 60), **IN_SELLS | EARLIER))
    when = world.when(transaction(does("SELLS", purchases=[BUY])))
    if offered:
        assert when.accepted.held
    else:
        when.refused(PointsRefusal.VOUCHER_NOT_OFFERED, "/loyaltyPrograms/0/purchases/0/voucherId")


def test_at_its_deadline_the_sweep_asks_to_cancel_it_and_nothing_more() -> None:
    held = rich().when(transaction(voucherRedemptions=[SERIAL]))
    ask, again = CancelHeld(transaction_id=COMMAND_ID), T0 + WAIT + timedelta(hours=1)
    held.world.when(ask, T0 + WAIT - timedelta(milliseconds=1), command_id="b").then()
    asked = held.world.when(ask, T0 + WAIT, command_id="b")
    asked.then(CancelRequested(transaction_id=COMMAND_ID, account=ACCOUNT, again_at=again, booked_at=T0 + WAIT))
    cancel = {"transactionId": COMMAND_ID, "account": ACCOUNT}
    assert asked.accepted.follow_ups == (FollowUp("voucher.commands", "voucher.cancel.v1", ACCOUNT, cancel),)
    asked.world.when(ask, again - timedelta(milliseconds=1), command_id="c").then()
    assert asked.world.when(ask, again, command_id="c").accepted.follow_ups
    done = asked.world.when(closing("executed"), again, command_id="d")
    done.world.when(ask, again, command_id="e").then()


def test_only_an_open_transaction_of_the_account_is_closed_and_once() -> None:
    unknown = rich().when(closing("executed"))
    unknown.refused(PointsRefusal.TRANSACTION_UNKNOWN, "/transactionId")
    held = rich().when(everything())
    foreign = account_id(STORE, "2")
    elsewhere = held.world.when(closing("executed"), subject=foreign, command_id="b")
    elsewhere.refused(PointsRefusal.TRANSACTION_UNKNOWN, "/transactionId")
    again = closed(held, "executed").world.when(closing("refused", code="voucher_void"), command_id="c")
    again.refused(PointsRefusal.TRANSACTION_UNKNOWN, "/transactionId")


def test_the_sweep_is_woken_by_the_transaction() -> None:
    found = wake(TRANSACTION, {"account": ACCOUNT})
    assert found is not None
    assert (found.type, found.subject, found.payload) == (
        "points.cancel_held.v1",
        ACCOUNT,
        {"transactionId": COMMAND_ID},
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
    """Decide, and hold the identities of RULES 4.1.7 against every event and what it leaves."""
    when = world.when(payload, now, command_id=command_id)
    if isinstance(when.outcome, Accepted):
        state = world.states[STREAM]
        for stream, event in when.outcome.events:
            if stream == STREAM:
                assert not list(check_event(state, event))
                state = evolve(state, event)
        assert not list(check_state(state))
    return when


def test_movements_of_a_closed_transaction_carry_its_id() -> None:
    done = closed(rich().when(everything()), "executed")
    moved = [event for _, event in done.accepted.events if isinstance(event, Moved)]
    assert {event.transaction_id for event in moved} == {COMMAND_ID}
    assert [event.operation for event in moved] == [0, 1, 2]
    assert not [event for event in moved if isinstance(event, Revoked | GivenBack)]
