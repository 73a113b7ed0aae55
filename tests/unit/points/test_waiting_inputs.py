"""Inputs for an account number that nobody knows wait until it is known, and then have their effect once (4.1.2)."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.accounts import (
    ReplaceNumber,
)
from schemas.points import FulfilOrder, PlaceOrder, PointsRefusal, PostTransaction
from schemas.waiting_inputs import (
    INPUTS_WAITING_MAX,
    AccountNumbersApplied,
    AccountUnknown,
    InputsReleased,
    KnowNumber,
    NumberKnown,
    PutAccountNumbers,
    ReleaseInputs,
)
from services.points.documents import dump_state, load_state
from shared.decider import Accepted, FollowUp
from shared.ids import account_id, derived_id
from tests.unit.points.world import (
    ACCOUNT,
    COMMAND_ID,
    LOY,
    NUMBER,
    STORE,
    STREAM,
    T0,
    Given,
    When,
    does,
    given,
    loaded,
    lot,
    opened,
    transaction,
)

FIRST, SECOND, THIRD = (f"01936f2e-7c00-7000-8000-00000000001{number}" for number in range(3))
KNOWN = NumberKnown(account=ACCOUNT, account_number=NUMBER, booked_at=T0)


def patterns(*texts: str) -> AccountNumbersApplied:
    return AccountNumbersApplied(patterns=texts, version=1, booked_at=T0)


def from_topic(load: int | str = 5, number: str = NUMBER) -> PostTransaction:
    """A transaction as the reaction to an input sends it."""
    parts = f'{{"loyaltyPointDefinitionId":"LOY","loads":[{{"value":{load}}}]}}'
    body = f'{{"accountNumber":"{number}","fromInput":true,"loyaltyPrograms":[{parts}]}}'
    return PostTransaction.model_validate_json(body)


def waiting(*ids: str, rules: Any = LOY) -> Given:
    """The world where a load of 5 waits under each of these ids."""
    world = given(rules)
    for each in ids:
        world = world.when(from_topic(), command_id=each).world
    return world


def release(*ids: str, number: str = NUMBER) -> ReleaseInputs:
    return ReleaseInputs(account_number=number, commands=ids)


def released(when: When) -> list[str]:
    """The ids of the commands that the follow-up releases."""
    (follow_up,) = when.accepted.follow_ups
    assert (follow_up.type, follow_up.subject) == ("points.release_inputs.v1", ACCOUNT)
    assert follow_up.payload["accountNumber"] == NUMBER
    commands: list[str] = follow_up.payload["commands"]
    return commands


def test_an_input_for_an_unknown_number_waits_and_opens_nothing() -> None:
    when = given(LOY).when(from_topic())
    part = '{"loyaltyPointDefinitionId":"LOY","loads":[{"value":5}]}'
    text = f'{{"loyaltyPrograms":[{part}],"accountNumber":"{NUMBER}"}}'
    when.then(
        AccountUnknown(
            account=ACCOUNT,
            account_number=NUMBER,
            command_id=COMMAND_ID,
            command="points.test.v1",
            input=text,
            booked_at=T0,
        )
    )
    assert when.accepted.result == {"accountNumber": NUMBER, "waiting": 1}
    assert when.accepted.follow_ups == ()
    assert (when.account.account_number, when.account.waiting) == (None, (COMMAND_ID,))


@pytest.mark.parametrize("pattern", ["[0-9]{4}", "[0-9]+|T-.*", "6299"])
def test_a_number_that_fits_a_pattern_is_opened(pattern: str) -> None:
    given(LOY, patterns("nothing", pattern)).when(from_topic()).then(opened(T0), loaded(1, 5, lot(1, 5)))


@pytest.mark.parametrize("pattern", ["[0-9]{3}", "629", "299", "6299x", "629|299"])
def test_a_pattern_is_for_the_whole_number(pattern: str) -> None:
    when = given(LOY, patterns(pattern)).when(from_topic())
    assert [type(event) for _, event in when.accepted.events] == [AccountUnknown]


def test_patterns_take_linear_time_and_must_be_regular_expressions() -> None:
    hostile = given(LOY, patterns("(a+)+b")).when(from_topic(number="a" * 64), subject=account_id(STORE, "a" * 64))
    assert isinstance(hostile.outcome, Accepted)
    for wrong in ("(", "(?=a)", "", "a" * 201):
        with pytest.raises(ValidationError):
            PutAccountNumbers(patterns=(wrong,))


def test_other_callers_open_accounts_as_before() -> None:
    given(LOY).when(transaction(does(loads=[5]))).then(opened(T0), loaded(1, 5, lot(1, 5)))


def test_a_number_that_becomes_known_releases_what_waits() -> None:
    when = waiting(FIRST, SECOND).when(KnowNumber(account_number=NUMBER)).then(KNOWN)
    assert released(when) == [FIRST, SECOND]


def test_a_known_number_is_opened_by_an_input() -> None:
    world = given(LOY).when(KnowNumber(account_number=NUMBER)).then(KNOWN).world
    world.when(KnowNumber(account_number=NUMBER)).then()
    world.when(from_topic()).then(opened(T0), loaded(1, 5, lot(1, 5)))


def test_what_is_released_goes_on_as_it_was_in_its_order_and_once() -> None:
    world = given(LOY).when(from_topic("0.123456789012"), command_id=FIRST).world
    world = world.when(from_topic(7), command_id=SECOND).world
    when = world.when(release(FIRST, SECOND))
    when.then(InputsReleased(account=ACCOUNT, account_number=NUMBER, commands=(FIRST, SECOND), booked_at=T0))
    ids = [(each.topic, each.type, each.subject, each.id) for each in when.accepted.follow_ups]
    assert ids == [
        ("points.commands", "points.test.v1", ACCOUNT, derived_id("known", each)) for each in (FIRST, SECOND)
    ]
    texts = [each.text or "" for each in when.accepted.follow_ups]
    assert '"value":0.123456789012' in texts[0]
    assert PostTransaction.model_validate_json(texts[1]).from_input is False
    again = when.world.when(release(FIRST, SECOND)).then()
    assert again.accepted.follow_ups == ()


def test_an_account_that_somebody_else_opens_releases_what_waits() -> None:
    when = waiting(FIRST).when(transaction(does(loads=[1]))).then(opened(T0), loaded(1, 1, lot(1, 1)))
    assert released(when) == [FIRST]


def test_an_input_waits_behind_those_that_wait_although_its_number_is_known_by_now() -> None:
    world = waiting(FIRST)
    world = Given({**world.states, **given(LOY, patterns("[0-9]{4}")).states}, world.entries)
    when = world.when(from_topic(), command_id=SECOND)
    assert [type(event) for _, event in when.accepted.events] == [AccountUnknown]
    assert released(when) == [FIRST, SECOND]


def test_no_more_wait_than_may() -> None:
    ids = [f"01936f2e-7c00-7000-8000-{number:012}" for number in range(INPUTS_WAITING_MAX)]
    when = waiting(*ids).when(from_topic())
    when.refused(PointsRefusal.TOO_MANY_INPUTS_WAIT, "/accountNumber")


def test_a_number_that_leads_to_an_account_releases_what_waited_under_it() -> None:
    lost = account_id(STORE, "7000")
    world = given(LOY, opened(), loaded(1, 9, lot(1, 9)))
    world = world.when(from_topic(number="7000"), subject=lost, command_id=FIRST).world
    when = world.when(ReplaceNumber(account_number=NUMBER, new_number="7000"))
    (follow_up,) = when.accepted.follow_ups
    assert follow_up == FollowUp(
        "points.commands", "points.release_inputs.v1", lost, {"accountNumber": "7000", "commands": [FIRST]}
    )
    gone = when.world.when(release(FIRST, number="7000"), subject=lost)
    assert [each.subject for each in gone.accepted.follow_ups] == [lost]


def test_orders_and_facts_wait_too_and_an_order_is_no_other_by_it() -> None:
    order = {"order": "O-1", "accountNumber": NUMBER, "currency": "EUR", "placedAt": "2026-11-22T10:00:00Z"}
    line = {"line": "1", "quantity": 1, "netAmount": 10}
    placed = PlaceOrder.model_validate({**order, "fromInput": True, "lines": [line]})
    fact = FulfilOrder.model_validate({"order": "O-1", "accountNumber": NUMBER, "fact": "f", "fromInput": True})
    world = given(LOY).when(placed, command_id=FIRST).world.when(fact, command_id=SECOND).world
    account = world.states[STREAM]
    assert load_state(STREAM, dump_state(account)) == account
    follow_ups = world.when(release(FIRST, SECOND)).accepted.follow_ups
    world = world.when(release(FIRST, SECOND)).world
    assert [each.id for each in follow_ups] == [derived_id("known", FIRST), derived_id("known", SECOND)]
    world = world.when(KnowNumber(account_number=NUMBER)).world
    world = world.when(PlaceOrder.model_validate_json(follow_ups[0].text or ""), command_id=THIRD).world
    repeat = world.when(placed)
    assert repeat.accepted.result["revision"] == 1
