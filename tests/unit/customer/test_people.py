"""Creating and updating: what is kept, what is cleared, and what only one customer may have (rules 4.5)."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.customers import (
    ClaimKind,
    CreateCustomer,
    CustomerCreated,
    CustomerRefusal,
    CustomerState,
    CustomerStateChanged,
    CustomerUpdated,
    SetCustomerState,
    UpdateCustomer,
)
from services.customer.claims import Keys
from shared.numbers import check_digit
from tests.unit.customer.world import ADA, BEN, EMAIL, PHONE, T0, Given, ada, create, describe, update

FULL: dict[str, Any] = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "country_id": "NL",
    "city": "Utrecht",
    "street": "Oudegracht",
    "postal_code": "1234 AB",
    "house_number": "12",
    "house_number_addition": "bis",
    "language": "nl",
    "email_address": EMAIL,
    "mobile": PHONE,
    "date_of_birth": "1990-09-11",
    "gender": "Female",
    "communication_via_email": True,
}


def test_a_customer_is_created_with_a_card_and_its_claims() -> None:
    when = Given().when(create(**FULL))
    when.then(CustomerCreated(customer=ADA, state=CustomerState.ACTIVE, card_number="6001", booked_at=T0))
    assert when.accepted.result == {"customer": ADA, "cardNumber": "6001"}
    assert [
        when.world.owner(ClaimKind(kind), value)
        for kind, value in (("email", EMAIL), ("phone", PHONE), ("card", "6001"))
    ] == [ADA, ADA, ADA]
    info = when.world.view()["customerInfo"]
    assert info == {
        "firstName": "Ada",
        "lastName": "Lovelace",
        "countryId": "NL",
        "city": "Utrecht",
        "street": "Oudegracht",
        "postalCode": "1234 AB",
        "houseNumber": "12",
        "houseNumberAddition": "bis",
        "language": "nl",
        "emailAddress": EMAIL,
        "mobile": PHONE,
        "dateOfBirth": "1990-09-11",
        "gender": "Female",
        "communicationViaEmail": True,
        "communicationViaSms": False,
    }


def test_consents_omitted_are_false_and_nothing_else_is_needed() -> None:
    info = ada().view()["customerInfo"]
    assert (info["communicationViaEmail"], info["communicationViaSms"], info["gender"]) == (False, False, "Unknown")
    assert {name for name, value in info.items() if value is not None} == {
        "gender",
        "communicationViaEmail",
        "communicationViaSms",
    }


def test_a_card_number_is_drawn_where_none_is_given() -> None:
    first, again = (Given().when(create(None), command_id="c-1") for _ in range(2))
    number = first.world.view()["cardNumber"]
    assert number == again.world.view()["cardNumber"], "a redelivery draws the same"
    assert len(number) == 19
    assert number[-1] == check_digit(number[:-1])
    assert number != Given().when(create(None), command_id="c-2").world.view()["cardNumber"]
    assert number != Given(keys=Keys(b"another")).when(create(None)).world.view()["cardNumber"]


@pytest.mark.parametrize(("number", "digit"), [("7992739871", "3"), ("453914880343646", "7"), ("0", "0")])
def test_luhn(number: str, digit: str) -> None:
    assert check_digit(number) == digit


def test_what_cannot_be_created() -> None:
    ada().when(create("6002")).refused(CustomerRefusal.CUSTOMER_EXISTS)
    Given().when(create(), "A-1").refused(CustomerRefusal.CUSTOMER_ID_INVALID)
    Given().when(create(), ADA.upper()).refused(CustomerRefusal.CUSTOMER_ID_INVALID)
    late = (T0 + timedelta(days=2)).date().isoformat()
    Given().when(create(date_of_birth=late)).refused(CustomerRefusal.BIRTH_DATE_IN_FUTURE, "/customerInfo/dateOfBirth")
    soon = (T0 + timedelta(days=1)).date().isoformat()  # Where it is tomorrow already.
    Given().when(create(date_of_birth=soon)).accepted  # noqa: B018


@pytest.mark.parametrize(
    ("info", "card", "code", "pointer"),
    [
        ({"email_address": " ADA@Example.ORG "}, "6002", CustomerRefusal.EMAIL_IN_USE, "/customerInfo/emailAddress"),
        ({"mobile": "0031 (0)6-1234.5678"}, "6002", CustomerRefusal.PHONE_IN_USE, "/customerInfo/mobile"),
        ({}, "6001", CustomerRefusal.CARD_IN_USE, "/cardNumber"),
        ({"email_address": EMAIL, "mobile": PHONE}, "6001", CustomerRefusal.EMAIL_IN_USE, "/customerInfo/emailAddress"),
    ],
)
def test_what_another_has_is_refused(info: dict[str, Any], card: str, code: CustomerRefusal, pointer: str) -> None:
    world = ada(email_address=EMAIL, mobile=PHONE)
    world.when(create(card, **info), BEN).refused(code, pointer)


def test_in_an_update_what_is_omitted_stays_and_what_is_empty_goes() -> None:
    world = ada(**FULL)
    when = world.when(update(last_name="King", city="", house_number_addition="", date_of_birth="", gender=""))
    changed = ("lastName", "dateOfBirth", "gender", "addresses")
    when.then(CustomerUpdated(customer=ADA, changed=changed, booked_at=T0))
    info = when.world.view()["customerInfo"]
    before = world.view()["customerInfo"]
    assert info == {
        **before,
        "lastName": "King",
        "city": None,
        "houseNumberAddition": None,
        "dateOfBirth": None,
        "gender": "Unknown",
    }
    world.when(update(communication_via_email=False)).then(
        CustomerUpdated(customer=ADA, changed=("communicationViaEmail",), booked_at=T0)
    )


def test_an_equal_update_is_a_no_op() -> None:
    world = ada(**FULL)
    for payload in (update(), update(**FULL), describe(labels=[]), update(communication_via_sms=False)):
        world.when(payload).then()
        assert world.when(payload).follow_ups == []


def test_the_last_part_of_an_address_takes_it_away() -> None:
    world = ada(city="Utrecht")
    assert len(world.customer().profile.addresses) == 1
    assert world.when(update(city="")).customer().profile.addresses == ()


def test_a_value_given_up_can_be_taken_once_it_is_released() -> None:
    when = ada(email_address=EMAIL).when(update(email_address="other@example.org"))
    assert [type_ for type_, _, _ in when.follow_ups] == ["customer.release_claim.v1"]
    wanted = create("6002", email_address=EMAIL)
    when.world.when(wanted, BEN).refused(CustomerRefusal.EMAIL_IN_USE, "/customerInfo/emailAddress")
    world = when.settled
    assert world.owner(ClaimKind.EMAIL, EMAIL) is None
    assert world.when(wanted, BEN).world.owner(ClaimKind.EMAIL, EMAIL) == BEN


def test_a_release_that_comes_late_takes_nothing() -> None:
    away = ada(email_address=EMAIL).when(update(email_address=""))
    ((type_, who, payload),) = away.follow_ups
    back = away.world.when(update(email_address=EMAIL.upper()))
    released = back.world.when_wire(type_, payload, who)
    released.then()
    assert released.accepted.result["released"] is False
    assert back.world.owner(ClaimKind.EMAIL, EMAIL) == ADA
    # Nor does it take what somebody else has since.
    world = away.settled.when(create("6002", email_address=EMAIL), BEN).world
    assert world.when_wire(type_, payload, who).world.owner(ClaimKind.EMAIL, EMAIL) == BEN


def test_another_spelling_is_an_update_of_the_same_claim() -> None:
    when = ada(email_address=EMAIL, mobile=PHONE).when(update(email_address="Ada@Example.org", mobile="0031612345678"))
    when.then(CustomerUpdated(customer=ADA, changed=("emailAddress", "phones"), booked_at=T0))
    assert when.follow_ups == []
    assert [stream for stream, _ in when.accepted.events] == [f"customer/main/{ADA}"]


def test_what_a_store_does_not_hold_unique_may_be_shared() -> None:
    families = Given(keys=Keys(b"a key", frozenset({ClaimKind.EMAIL})))
    world = families.when(create("6001", email_address=EMAIL, mobile=PHONE)).world
    world.when(create("6002", mobile=PHONE), BEN).accepted  # noqa: B018
    world.when(create("6002", email_address=EMAIL), BEN).refused(
        CustomerRefusal.EMAIL_IN_USE, "/customerInfo/emailAddress"
    )
    # When it becomes unique later, who names it first has it.
    strict = Given(world.states)
    claimed = strict.when(update(mobile=PHONE))
    claimed.then(CustomerUpdated(customer=ADA, changed=(), booked_at=T0))
    claimed.world.when(create("6002", mobile=PHONE), BEN).refused(CustomerRefusal.PHONE_IN_USE, "/customerInfo/mobile")


def test_a_claim_cannot_be_told_without_the_key() -> None:
    streams = [
        next(iter(sorted(Given(keys=keys).when(create(email_address=EMAIL)).states)))
        for keys in (Keys(b"a key"), Keys(b"another"))
    ]
    assert streams[0] != streams[1]
    assert EMAIL not in str(streams)


def test_lists_and_their_primary_ones() -> None:
    world = ada(mobile=PHONE, city="Utrecht")
    phones = [{"type": "home", "number": "030 1234567"}, {"type": "work", "number": "+31201234567", "primary": True}]
    when = world.when(describe(phones=phones, labels=[{"key": "vip", "value": "yes"}], referralCode="REF-1"))
    when.then(CustomerUpdated(customer=ADA, changed=("phones", "labels", "referralCode"), booked_at=T0))
    world = when.settled
    assert world.view()["customerInfo"]["mobile"] == "+31201234567"
    assert (world.owner(ClaimKind.PHONE, PHONE), world.owner(ClaimKind.PHONE, "+31201234567")) == (None, ADA)
    assert world.owner(ClaimKind.PHONE, "0301234567") is None, "only the primary phone is unique"
    refused = world.when(create("6002"), BEN).world.when(describe(phones=phones), BEN)
    refused.refused(CustomerRefusal.PHONE_IN_USE, "/contactData/phones/1/number")
    cleared = world.when(update(mobile="")).settled
    assert [phone["number"] for phone in cleared.view()["contactData"]["phones"]] == ["030 1234567"]
    assert cleared.view()["customerInfo"]["mobile"] is None, "no other takes its place by itself"
    addresses = [{"type": "work", "city": "Delft"}, {"type": "home", "city": "Leiden"}]
    moved = world.when(describe(addresses=addresses)).world
    assert moved.view()["customerInfo"]["city"] == "Delft", "the first is the primary one when none is said to be"
    patched = moved.when(update(city="Gouda")).world.view()["contactData"]["addresses"]
    assert [(each["type"], each["city"]) for each in patched] == [("work", "Gouda"), ("home", "Leiden")]


@pytest.mark.parametrize(
    "body",
    [
        {"customerInfo": {"city": "A"}, "contactData": {"addresses": []}},
        {"customerInfo": {"mobile": PHONE}, "contactData": {"phones": []}},
        {"contactData": {"phones": [{"number": PHONE, "primary": True}, {"number": "112", "primary": True}]}},
        {"customerInfo": {"nickName": "A"}},
        {"customerInfo": {"gender": "female"}},
    ],
)
def test_what_does_not_parse(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        UpdateCustomer.model_validate(body)
    with pytest.raises(ValidationError):
        CreateCustomer.model_validate(body)


def test_states() -> None:
    world = ada(email_address=EMAIL)
    blocked = world.when(SetCustomerState(state=CustomerState.BLOCKED, reason="Ada asked for it"))
    blocked.then(
        CustomerStateChanged.model_validate({"customer": ADA, "from": "active", "to": "blocked", "bookedAt": T0})
    )
    assert "asked" not in repr([event.told for _, event in blocked.accepted.events]), "a reason may name somebody"
    blocked.world.when(SetCustomerState(state=CustomerState.BLOCKED, reason="again")).then()
    blocked.world.when(update(city="Delft")).accepted  # noqa: B018
    deleted = world.when(SetCustomerState(state=CustomerState.DELETED, reason="by hand")).world
    deleted.when(update(city="Delft")).refused(CustomerRefusal.CUSTOMER_DELETED)
    deleted.when(create("6002", email_address=EMAIL), BEN).refused(
        CustomerRefusal.EMAIL_IN_USE, "/customerInfo/emailAddress"
    )
    restored = deleted.when(SetCustomerState(state=CustomerState.ACTIVE, reason="by hand")).world
    assert restored.view()["customerInfo"]["emailAddress"] == EMAIL


def test_nothing_is_done_to_nobody() -> None:
    for payload in (update(city="Delft"), SetCustomerState(state=CustomerState.BLOCKED, reason="r")):
        Given().when(payload).refused(CustomerRefusal.CUSTOMER_UNKNOWN)


def test_the_view_has_what_a_search_compares() -> None:
    world = ada(**{**FULL, "first_name": " ÅSA ", "postal_code": "1234 ab", "house_number_addition": "A "})
    assert world.view()["search"] == {
        "cardNumbers": ["6001"],
        "firstName": "åsa",
        "lastName": "lovelace",
        "emailAddress": EMAIL,
        "mobile": PHONE,
        "postalCode": "1234ab",
        "houseNumber": "12",
        "houseNumberAddition": "a",
    }
