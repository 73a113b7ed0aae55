"""Creating a customer, and what only one customer of a store may have (rules 4.5.1, 4.5.3)."""

from datetime import date
from typing import Any

import pytest

from schemas.contacts import Address, Gender, Phone
from schemas.customers import ClaimKind, CreateCustomer, CustomerCreated, CustomerRefusal, CustomerState
from schemas.luhn import check_digit
from services.customer.claims import Keys, claim_key
from services.customer.profile import Profile
from services.customer.state import Event, Personal
from tests.unit.customer.events import CARDS, EMAILS, PHONES, anonymised, claimed, created, knows_number, person
from tests.unit.customer.world import ADA, BEN, EMAIL, KEYS, LATER_ID, PHONE, T0, Given, claim, create, given

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
"""All of `customerInfo`."""


def test_a_customer_is_created_with_a_card_and_owns_what_only_one_may_have() -> None:
    when = given().when(create(**FULL))
    profile = Profile(
        first_name="Ada",
        last_name="Lovelace",
        language="nl",
        email_address=EMAIL,
        date_of_birth=date(1990, 9, 11),
        gender=Gender.FEMALE,
        communication_via_email=True,
        communication_via_sms=False,
        addresses=(
            Address(
                primary=True,
                country_id="NL",
                city="Utrecht",
                street="Oudegracht",
                postal_code="1234 AB",
                house_number="12",
                house_number_addition="bis",
            ),
        ),
        phones=(Phone(primary=True, number=PHONE),),
    )
    claims = {
        ClaimKind.EMAIL: claim_key(KEYS, "main", ClaimKind.EMAIL, EMAIL),
        ClaimKind.PHONE: claim_key(KEYS, "main", ClaimKind.PHONE, PHONE),
    }
    told = CustomerCreated(customer=ADA, state=CustomerState.ACTIVE, card_number="6001", booked_at=T0)
    when.then(
        (f"customer/main/{ADA}", Event(told, Personal(profile, claims))),
        claimed(EMAILS, EMAIL),
        claimed(PHONES, PHONE),
        claimed(CARDS, "6001"),
    )
    when.answers(cardNumber="6001").follows(knows_number("6001"))


def test_a_customer_needs_nothing_and_consents_omitted_are_false() -> None:
    when = given().when(create())
    quiet: dict[str, Any] = {"gender": Gender.UNKNOWN, "communication_via_email": False, "communication_via_sms": False}
    when.then(created(**quiet), claimed(CARDS, "6001"))


def test_a_customer_may_be_new() -> None:
    payload = CreateCustomer(card_number="6001", state=CustomerState.NEW)
    given().when(payload).then(created(state=CustomerState.NEW), claimed(CARDS, "6001"))


def test_values_are_unique_as_they_compare() -> None:
    when = given().when(create(email_address=" ADA@Example.ORG ", mobile="0031 (0)6-1234.5678"))
    phones = (Phone(primary=True, number="0031 (0)6-1234.5678"),)
    claims = {EMAILS: EMAIL, PHONES: PHONE}
    profile = created(claims=claims, email_address="ADA@Example.ORG", phones=phones)
    when.then(profile, claimed(EMAILS, EMAIL), claimed(PHONES, PHONE), claimed(CARDS, "6001"))


def test_a_birth_date_may_be_today_where_it_is_tomorrow_already() -> None:
    when = given().when(create(date_of_birth="2026-11-23"))
    when.then(created(date_of_birth=date(2026, 11, 23)), claimed(CARDS, "6001"))


def test_a_card_number_is_drawn_where_none_is_given_and_a_redelivery_draws_the_same() -> None:
    when = given().when(create(None))
    number = when.accepted.result["cardNumber"]
    when.then(created(number), claimed(CARDS, number)).follows(knows_number(number))
    assert len(number) == 19
    assert number[-1] == check_digit(number[:-1])
    assert given().when(create(None)).accepted == when.accepted
    assert given().when(create(None), command_id=LATER_ID).accepted.result["cardNumber"] != number
    assert given(keys=Keys(b"another")).when(create(None)).accepted.result["cardNumber"] != number


@pytest.mark.parametrize(("number", "digit"), [("7992739871", "3"), ("453914880343646", "7"), ("0", "0")])
def test_luhn(number: str, digit: str) -> None:
    assert check_digit(number) == digit


@pytest.mark.parametrize("before", [person(), (*person(), anonymised())])
def test_an_id_is_given_out_once(before: Any) -> None:
    given(*before).when(create("6002")).refused(CustomerRefusal.CUSTOMER_EXISTS)


@pytest.mark.parametrize("who", ["A-1", ADA.upper()])
def test_an_id_is_a_uuid_in_lower_case(who: str) -> None:
    given().when(create(), who).refused(CustomerRefusal.CUSTOMER_ID_INVALID)


def test_a_birth_date_in_the_future_is_refused() -> None:
    when = given().when(create(date_of_birth="2026-11-24"))
    when.refused(CustomerRefusal.BIRTH_DATE_IN_FUTURE, "/customerInfo/dateOfBirth")


AT_EMAIL, AT_PHONE = "/customerInfo/emailAddress", "/customerInfo/mobile"


@pytest.mark.parametrize(
    ("info", "card", "code", "pointer"),
    [
        ({"email_address": " ADA@Example.ORG "}, "6002", CustomerRefusal.EMAIL_IN_USE, AT_EMAIL),
        ({"mobile": "0031 (0)6-1234.5678"}, "6002", CustomerRefusal.PHONE_IN_USE, AT_PHONE),
        ({}, "6001", CustomerRefusal.CARD_IN_USE, "/cardNumber"),
        ({"email_address": EMAIL, "mobile": PHONE}, "6001", CustomerRefusal.EMAIL_IN_USE, AT_EMAIL),
        ({"mobile": PHONE}, "6001", CustomerRefusal.PHONE_IN_USE, AT_PHONE),
    ],
)
def test_what_another_customer_has_is_refused(info: Any, card: str, code: CustomerRefusal, pointer: str) -> None:
    world = given(*person(claims={EMAILS: EMAIL, PHONES: PHONE}))
    world.when(create(card, **info), BEN).refused(code, pointer)


def test_what_a_store_does_not_hold_unique_is_claimed_by_nobody() -> None:
    families = Keys(KEYS.secret, frozenset({ClaimKind.EMAIL}))
    world = given(*person(claims={EMAILS: EMAIL}), keys=families)
    when = world.when(create("6002", mobile=PHONE), BEN)
    when.then(created("6002", BEN, phones=(Phone(primary=True, number=PHONE),)), claimed(CARDS, "6002", BEN))
    world.when(create("6002", email_address=EMAIL), BEN).refused(CustomerRefusal.EMAIL_IN_USE, AT_EMAIL)


def test_a_claim_cannot_be_told_without_the_key() -> None:
    streams = [claim(ClaimKind.EMAIL, EMAIL, keys) for keys in (KEYS, Keys(b"another"))]
    assert streams[0] != streams[1]
    assert EMAIL not in str(streams)


def test_the_view_says_what_was_given() -> None:
    info = Given().when(create(**FULL)).world.view()["customerInfo"]
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


def test_the_view_of_what_was_not_given_is_null() -> None:
    info = given(*person()).view()["customerInfo"]
    known = {name: value for name, value in info.items() if value is not None}
    assert known == {"gender": "Unknown", "communicationViaEmail": False, "communicationViaSms": False}


def test_the_view_has_what_a_search_compares() -> None:
    odd = {"first_name": " ÅSA ", "postal_code": "1234 ab", "house_number_addition": "A "}
    assert Given().when(create(**{**FULL, **odd})).world.view()["search"] == {
        "cardNumbers": ["6001"],
        "firstName": "åsa",
        "lastName": "lovelace",
        "emailAddress": EMAIL,
        "mobile": PHONE,
        "postalCode": "1234ab",
        "houseNumber": "12",
        "houseNumberAddition": "a",
    }
