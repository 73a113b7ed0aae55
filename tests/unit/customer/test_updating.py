"""Updating: what is omitted stays, what is empty goes, and what is given up is released (rules 4.5.1, 4.5.3)."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.contacts import Address, Gender, Label, Phone
from schemas.customers import ClaimKind, CreateCustomer, CustomerRefusal, ReleaseClaim, UpdateCustomer
from services.customer.claims import Keys, claim_key
from tests.unit.customer.events import (
    CARDS,
    EMAILS,
    PHONES,
    anonymised,
    claimed,
    created,
    person,
    released,
    releases,
    state_changed,
    updated,
)
from tests.unit.customer.world import ADA, BEN, EMAIL, KEYS, PHONE, Booked, create, describe, given, update

OTHER_EMAIL = "other@example.org"
AT_EMAIL, AT_PHONE = "/customerInfo/emailAddress", "/customerInfo/mobile"
OWNED = {EMAILS: EMAIL, PHONES: PHONE}
HOME = Address(primary=True, city="Utrecht", house_number="12", house_number_addition="bis")
KNOWN: dict[str, Any] = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email_address": EMAIL,
    "date_of_birth": date(1990, 9, 11),
    "gender": Gender.FEMALE,
    "communication_via_email": True,
    "addresses": (HOME,),
    "phones": (Phone(primary=True, number=PHONE),),
}
THERE = person(claims=OWNED, **KNOWN)


def test_what_is_omitted_stays_and_what_is_empty_goes() -> None:
    payload = update(last_name="King", city="", house_number_addition="", date_of_birth="", gender="")
    left = {
        **KNOWN,
        "last_name": "King",
        "date_of_birth": None,
        "gender": Gender.UNKNOWN,
        "addresses": (Address(primary=True, house_number="12"),),
    }
    when = given(*THERE).when(payload)
    when.then(updated("lastName", "dateOfBirth", "gender", "addresses", claims=OWNED, **left)).answers().follows()


def test_a_consent_is_withdrawn_by_false() -> None:
    when = given(*THERE).when(update(communication_via_email=False))
    when.then(updated("communicationViaEmail", claims=OWNED, **{**KNOWN, "communication_via_email": False}))


@pytest.mark.parametrize(
    "payload",
    [
        update(),
        update(first_name="Ada", email_address=EMAIL, mobile=PHONE, city="Utrecht", gender="Female"),
        describe(labels=[]),
        update(communication_via_sms=False),
    ],
)
def test_an_equal_update_books_nothing(payload: UpdateCustomer) -> None:
    given(*THERE).when(payload).then().answers().follows()


def test_an_address_without_parts_goes() -> None:
    city = (Address(primary=True, city="Utrecht"),)
    given(*person(addresses=city)).when(update(city="")).then(updated("addresses"))


# ── what only one may have ──────────────────────────────────────────────────────────────────────────────────────────


def test_another_value_is_claimed_and_the_old_one_is_released_by_a_follow_up() -> None:
    when = given(*person(claims={EMAILS: EMAIL}, email_address=EMAIL)).when(update(email_address=OTHER_EMAIL))
    when.then(
        updated("emailAddress", claims={EMAILS: OTHER_EMAIL}, email_address=OTHER_EMAIL),
        claimed(EMAILS, OTHER_EMAIL),
    )
    when.follows(releases(EMAILS, EMAIL))


def test_what_is_given_up_stays_taken_until_it_is_released() -> None:
    when = given(*person(claims={EMAILS: EMAIL}, email_address=EMAIL)).when(update(email_address=""))
    when.then(updated("emailAddress")).follows(releases(EMAILS, EMAIL))
    wanted = create("6002", email_address=EMAIL)
    when.world.when(wanted, BEN).refused(CustomerRefusal.EMAIL_IN_USE, AT_EMAIL)
    free = when.world.when_wire(releases(EMAILS, EMAIL)).then(*released(EMAILS, EMAIL)).answers(released=True)
    taken = free.world.when(wanted, BEN)
    ben = created("6002", BEN, {EMAILS: EMAIL}, email_address=EMAIL)
    taken.then(ben, claimed(EMAILS, EMAIL, BEN), claimed(CARDS, "6002", BEN))


def test_another_spelling_is_an_update_of_the_same_claim() -> None:
    phones = (Phone(primary=True, number="0031612345678"),)
    before: dict[str, Any] = {"email_address": EMAIL, "phones": (Phone(primary=True, number=PHONE),)}
    when = given(*person(claims=OWNED, **before)).when(update(email_address="Ada@Example.org", mobile="0031612345678"))
    when.then(updated("emailAddress", "phones", claims=OWNED, email_address="Ada@Example.org", phones=phones))
    when.follows()


def test_a_value_that_becomes_unique_later_is_claimed_by_whoever_names_it_first() -> None:
    phones = (Phone(primary=True, number=PHONE),)
    shared = (*person(phones=phones), *person("6002", BEN, phones=phones))
    when = given(*shared).when(update(mobile=PHONE))
    when.then(updated(claims={PHONES: PHONE}, phones=phones), claimed(PHONES, PHONE))
    when.world.when(update(mobile=PHONE), BEN).refused(CustomerRefusal.PHONE_IN_USE, AT_PHONE)


def test_a_value_that_is_not_unique_any_more_is_released_when_it_is_named() -> None:
    families = Keys(KEYS.secret, frozenset({ClaimKind.EMAIL}))
    phones = (Phone(primary=True, number=PHONE),)
    when = given(*person(claims={PHONES: PHONE}, phones=phones), keys=families).when(update(mobile=PHONE))
    when.then(updated(phones=phones)).follows(releases(PHONES, PHONE))


# ── lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────

LISTED = [{"type": "home", "number": "030 1234567"}, {"type": "work", "number": "+31201234567", "primary": True}]
HOME_PHONE = Phone(type="home", number="030 1234567")
WORK_PHONE = Phone(type="work", number="+31201234567", primary=True)


def test_of_a_list_of_phones_only_the_primary_one_is_unique() -> None:
    world = given(*person(claims={PHONES: PHONE}, phones=(Phone(primary=True, number=PHONE),)))
    when = world.when(describe(phones=LISTED, labels=[{"key": "vip", "value": "yes"}], referralCode="REF-1"))
    fields = {"labels": (Label(key="vip", value="yes"),), "referral_code": "REF-1"}
    when.then(
        updated(
            *("phones", "labels", "referralCode"),
            claims={PHONES: "+31201234567"},
            phones=(HOME_PHONE, WORK_PHONE),
            **fields,
        ),
        claimed(PHONES, "+31201234567"),
    )
    when.follows(releases(PHONES, PHONE))


def test_when_the_primary_phone_is_cleared_no_other_takes_its_place() -> None:
    world = given(*person(claims={PHONES: "+31201234567"}, phones=(HOME_PHONE, WORK_PHONE)))
    when = world.when(update(mobile=""))
    when.then(updated("phones", phones=(HOME_PHONE,))).follows(releases(PHONES, "+31201234567"))
    assert when.world.view()["customerInfo"]["mobile"] is None


def test_the_first_address_is_the_primary_one_when_none_is_said_to_be() -> None:
    work, home = Address(type="work", city="Delft", primary=True), Address(type="home", city="Leiden")
    when = given(*person()).when(
        describe(addresses=[{"type": "work", "city": "Delft"}, {"type": "home", "city": "Leiden"}])
    )
    when.then(updated("addresses", addresses=(work, home)))
    assert when.world.view()["customerInfo"]["city"] == "Delft"
    patched = given(*person(addresses=(work, home))).when(update(city="Gouda"))
    patched.then(updated("addresses", addresses=(work.model_copy(update={"city": "Gouda"}), home)))


# ── refused ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("before", "code"),
    [
        ((), CustomerRefusal.CUSTOMER_UNKNOWN),
        ((*THERE, state_changed("active", "deleted")), CustomerRefusal.CUSTOMER_DELETED),
        ((*THERE, anonymised()), CustomerRefusal.CUSTOMER_ANONYMISED),
    ],
)
def test_nothing_is_updated_of_nobody_the_deleted_and_the_forgotten(
    before: tuple[Booked, ...], code: CustomerRefusal
) -> None:
    given(*before).when(update(city="Delft")).refused(code)


def test_a_birth_date_in_the_future_is_refused() -> None:
    when = given(*THERE).when(update(date_of_birth="2026-11-24"))
    when.refused(CustomerRefusal.BIRTH_DATE_IN_FUTURE, "/customerInfo/dateOfBirth")


@pytest.mark.parametrize(
    ("payload", "code", "pointer"),
    [
        (update(email_address=f" {EMAIL.upper()}"), CustomerRefusal.EMAIL_IN_USE, AT_EMAIL),
        (update(mobile=PHONE), CustomerRefusal.PHONE_IN_USE, AT_PHONE),
        (
            describe(phones=[{"number": "112"}, {"number": PHONE, "primary": True}]),
            CustomerRefusal.PHONE_IN_USE,
            "/contactData/phones/1/number",
        ),
    ],
)
def test_what_another_customer_has_is_refused(payload: UpdateCustomer, code: CustomerRefusal, pointer: str) -> None:
    given(*THERE, *person("6002", BEN)).when(payload, BEN).refused(code, pointer)


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


# ── releasing ───────────────────────────────────────────────────────────────────────────────────────────────────────


def release(kind: ClaimKind, value: str) -> ReleaseClaim:
    return ReleaseClaim(kind=kind, key=claim_key(KEYS, "main", kind, value))


@pytest.mark.parametrize("away", [updated("emailAddress"), anonymised()])
def test_a_claim_of_what_the_customer_has_no_more_is_released_on_both_streams(away: Booked) -> None:
    world = given(*person(claims={EMAILS: EMAIL}, email_address=EMAIL), away)
    when = world.when(release(EMAILS, EMAIL)).then(*released(EMAILS, EMAIL))
    when.answers(released=True).follows()


@pytest.mark.parametrize(
    ("before", "kind", "value"),
    [
        # The customer has it, or has it again.
        (person(claims={EMAILS: EMAIL}, email_address=EMAIL), EMAILS, EMAIL),
        # Somebody else has it since; nobody has it.
        ((*person(), *person("6002", BEN, {EMAILS: EMAIL}, email_address=EMAIL)), EMAILS, EMAIL),
        ((*person(claims={EMAILS: EMAIL}), updated("emailAddress"), *released(EMAILS, EMAIL)), EMAILS, EMAIL),
        # A card number is never freed.
        (person(), CARDS, "6001"),
        ((*person(), anonymised()), CARDS, "6001"),
    ],
)
def test_a_release_that_comes_late_or_twice_takes_nothing(
    before: tuple[Booked, ...], kind: ClaimKind, value: str
) -> None:
    world = given(*before)
    owner = world.owner(kind, value)
    when = world.when(release(kind, value), ADA).then().answers(released=False)
    assert when.world.owner(kind, value) == owner
