"""Anonymising: nothing personal is left, e-mail and phone are free, and folding what was blanked gives the same."""

from typing import Any

import pytest
from pydantic import ValidationError

from cli.verify.replay import Checks, Replay
from schemas.contacts import Phone
from schemas.customers import AddCard, AnonymiseCustomer, CustomerRefusal, CustomerState, SetCustomerState
from services.customer.decider import decider
from services.customer.identities import check_event, check_state
from services.customer.state import Customer, customer_stream
from shared.runtime.journal import Stored
from tests.entries import entry_of
from tests.unit.customer.events import (
    CARDS,
    EMAILS,
    PHONES,
    anonymised,
    card_added,
    card_replaced,
    claimed,
    closes_account,
    created,
    person,
    releases,
    state_changed,
)
from tests.unit.customer.world import (
    ADA,
    BEN,
    DAY,
    EMAIL,
    KEYS,
    PHONE,
    STORE,
    T0,
    Given,
    When,
    create,
    describe,
    given,
    update,
)

FORGET = AnonymiseCustomer()
NOTED: dict[str, Any] = {
    "addresses": [{"city": "Personal city", "street": "Personal street", "primary": True}],
    "labels": [{"key": "k", "value": "Personal label"}],
    "consents": [{"code": "c", "given": True}],
    "referralCode": "Personal referral",
    "devices": [{"serialNumber": "Personal device"}],
}


def history() -> list[When]:
    """Ada's life, up to and with being forgotten."""
    steps = [Given().when(create(first_name="Personal name", email_address="personal@example.org", mobile=PHONE))]
    for payload in (
        describe(**NOTED),
        AddCard(card_number="6002"),
        update(email_address=EMAIL),
        SetCustomerState(state=CustomerState.BLOCKED, reason="Personal reason"),
        FORGET,
    ):
        steps.append(steps[-1].world.when(payload, now=T0 + DAY))
    return steps


OWNED = {EMAILS: EMAIL, PHONES: PHONE}
PHONE_BOOK = (Phone(primary=True, number=PHONE),)
THERE = (
    *person(claims=OWNED, first_name="Ada", email_address=EMAIL, phones=PHONE_BOOK),
    card_added("6002"),
    claimed(CARDS, "6002"),
    card_replaced("6001", "6003"),
    claimed(CARDS, "6003"),
)
"""Ada with an e-mail address, a phone, and three cards."""

CLOSES = (closes_account("6001"), closes_account("6002"), closes_account("6003"))


def test_a_customer_is_forgotten_with_claims_released_and_the_accounts_of_all_cards_closed() -> None:
    when = given(*THERE).when(FORGET, now=T0 + DAY)
    when.then(anonymised(T0 + DAY)).answers(goneBy="2026-11-30T10:00:01.123Z")
    when.follows(releases(EMAILS, EMAIL), releases(PHONES, PHONE), *CLOSES)
    assert when.accepted.erase == (f"customer/main/{ADA}",)


@pytest.mark.parametrize("state", ["new", "blocked", "deleted"])
def test_a_customer_in_any_state_can_be_forgotten(state: str) -> None:
    given(*person(), state_changed("active", state)).when(FORGET).then(anonymised())


def test_a_customer_who_was_forgotten_has_the_accounts_closed_again_and_nothing_booked() -> None:
    when = given(*THERE, anonymised()).when(FORGET, now=T0 + 3 * DAY).then()
    when.answers(goneBy="2026-11-29T10:00:01.123Z").follows(*CLOSES)
    assert when.accepted.erase == ()


def test_nobody_can_be_forgotten() -> None:
    given().when(FORGET).refused(CustomerRefusal.CUSTOMER_UNKNOWN)


def test_what_is_left_is_not_personal() -> None:
    when = history()[-1]
    view = when.world.view()
    assert (view["state"], view["customerInfo"], view["contactData"]) == ("deleted", None, None)
    assert {name for name, value in view["search"].items() if value} == {"cardNumbers"}
    assert [card["cardNumber"] for card in view["cards"]] == ["6001", "6002"]
    dumped = decider(KEYS).dump_state(when.customer())
    assert "personal" not in dumped
    assert "personal" not in repr((dumped, view)).lower()
    assert list(check_state(when.customer())) == []


def test_email_and_phone_are_free_and_cards_are_not() -> None:
    world = history()[-1].settled
    taken = world.when(create("6009", email_address=EMAIL, mobile=PHONE), BEN)
    ben = created("6009", BEN, OWNED, email_address=EMAIL, phones=PHONE_BOOK)
    taken.then(ben, claimed(EMAILS, EMAIL, BEN), claimed(PHONES, PHONE, BEN), claimed(CARDS, "6009", BEN))
    world.when(create("6002"), BEN).refused(CustomerRefusal.CARD_IN_USE, "/cardNumber")


def test_events_tell_nothing_personal() -> None:
    service = decider(KEYS)
    for when in history():
        for stream, event in when.accepted.events:
            document = service.dump_event(event)
            document.pop("personal", None)
            assert "personal" not in repr(document).lower(), stream
        for follow_up in when.accepted.follow_ups:
            assert "personal" not in repr(follow_up).lower()
        assert "personal" not in repr(when.accepted.result).lower()


def test_a_journal_that_was_blanked_folds_to_the_same_state() -> None:
    service, steps = decider(KEYS), history()
    whole: Any = Customer(ADA)
    blanked: Any = Customer(ADA)
    for when in steps:
        for stream, event in when.accepted.events:
            if not stream.startswith("customer/"):
                continue
            document = service.dump_event(event)
            whole = service.evolve(whole, service.load_event(document))
            document.pop("personal", None)
            blanked = service.evolve(blanked, service.load_event(document))
    assert whole == blanked == steps[-1].customer()
    assert service.dump_state(whole) == service.dump_state(blanked)


def test_whatever_is_off_is_not_told_by_what_it_says() -> None:
    service = decider(KEYS)
    with pytest.raises(ValidationError) as caught:
        service.load_event(
            {
                "type": "customer.updated.v1",
                "customer": ADA,
                "changed": [],
                "bookedAt": T0,
                "personal": {"profile": {"firstName": ["Personal"]}},
            }
        )
    assert "firstName" in str(caught.value)
    assert "Personal" not in str(caught.value)
    stream, (event,) = customer_stream(STORE, ADA), history()[0].accepted.events[:1]
    replay = Replay(stream, Checks(decider=service, event=check_event, state=check_state))
    replay.add(1, entry_of(at=T0, events=[{"stream": stream, "data": service.dump_event(event[1])}]))
    state = service.dump_state(history()[0].customer())
    state["personal"]["profile"]["firstName"] = "Personal, and another"
    (found,) = replay.compared(Stored(1, {"booked_at": T0, "state": state}))
    assert found.what == "snapshot /personal/profile/firstName"
    assert "Personal" not in found.expected + found.found


def test_identities_find_what_is_off() -> None:
    forgotten = history()[-1].customer()
    remembered = decider(KEYS).load_state(
        customer_stream(STORE, ADA),
        {**decider(KEYS).dump_state(forgotten), "personal": {"profile": {"firstName": "A"}, "claims": {}}},
    )
    (found,) = check_state(remembered)
    assert found.what == "personal"
    assert "A" not in found.expected + found.found
    twice = given(*person()).customer()
    cards = (*twice.cards, twice.cards[0]._replace(replaced_by="6005"))
    assert [each.what for each in check_state(Customer(ADA, twice.state, cards))] == ["cards", "card 6001"]
