"""What callers write about a person, and how values compare.

Everything in here is personal (rules 4.5.6). Field names are those of `customerInfo`; what other
families of documents show besides stands in `contactData`. No validator says what it was given.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, TypeVar
from unicodedata import normalize

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, StrictBool, ValidationInfo

from schemas.base import AtMost, Wire
from schemas.text import LINE, STORED, Checked, Key, Line, Text

_PHONE = re.compile(r"(\+|00)?[0-9]{3,15}")
_PHONE_SPACING = re.compile(r"[\s().\-/]")
_TRUNK = "0"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].+)?")


class Gender(StrEnum):
    """As the document names them."""

    UNKNOWN = "Unknown"
    MALE = "Male"
    FEMALE = "Female"
    OTHER = "Other"
    NOT_DISCLOSED = "NotDisclosed"


# ── how values compare ──────────────────────────────────────────────────────────────────────────────────────────────


def comparable_email(text: str) -> str:
    """An e-mail address as it is unique and searched: trimmed, in lower case, its domain in ASCII (IDNA)."""
    return email_forms(text)[0]


def email_forms(text: str) -> tuple[str, ...]:
    """The comparable form, and those under which the same address may have been stored before."""
    earlier = normalize("NFC", text.strip()).lower()
    try:
        known = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:  # Stored before such were refused, or only searched for.
        return (earlier,)
    local = known.local_part.lower()
    forms = (f"{local}@{known.ascii_domain}", f"{local}@{known.domain}", earlier)
    return tuple(dict.fromkeys(form.lower() for form in forms))


def comparable_phone(text: str, region: str | None = None) -> str:
    """A phone number as it is unique and searched: as in E.164, `+31612345678`, however it was written.

    A national number is one of `region`, a country such as `NL`; without one its digits stand for themselves.
    """
    return phone_forms(text, region)[0]


def phone_forms(text: str, region: str | None = None) -> tuple[str, ...]:
    """The comparable form, and those under which the same number may have been stored before."""
    digits = _digits(text)
    known = _possible(digits, region)
    if known is None:
        return (digits,)
    national = phonenumbers.national_significant_number(known)
    forms = [
        phonenumbers.format_number(known, phonenumbers.PhoneNumberFormat.E164),
        digits,
        f"+{known.country_code}{_TRUNK}{national}",
    ]
    if region is not None and known.country_code == phonenumbers.country_code_for_region(region):
        forms.append(f"{_TRUNK}{national}")
    return tuple(dict.fromkeys(forms))


def _digits(text: str) -> str:
    """What is dialled: `00` is `+`, and the `(0)` that some write into an international number is left out."""
    text = text.strip()
    if text.startswith(("+", "00")):
        text = text.replace(f"({_TRUNK})", "")
    digits = _PHONE_SPACING.sub("", text)
    return f"+{digits[2:]}" if digits.startswith("00") else digits


def _possible(digits: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    """The number, when it is one that its country can have."""
    if not _PHONE.fullmatch(digits):  # The library would take letters for the digits of their keys.
        return None
    try:
        known = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    return known if phonenumbers.is_possible_number(known) else None


def comparable_name(text: str) -> str:
    """A name as it is searched: trimmed, without its case."""
    return normalize("NFC", text.strip()).casefold()


def comparable_code(text: str) -> str:
    """A postal code, house number or addition as it is searched: `1234 AB` is `1234ab`."""
    return "".join(normalize("NFC", text).split()).casefold()


# ── what callers write ──────────────────────────────────────────────────────────────────────────────────────────────


def _email(text: str, info: ValidationInfo) -> str:
    if info.context == STORED:
        return text
    text = text.strip()
    if text:
        try:
            validate_email(text, check_deliverability=False, test_environment=True)
        except EmailNotValidError:
            raise ValueError("must be an e-mail address, as in name@example.com") from None
    return text


def _phone(text: str, info: ValidationInfo) -> str:
    if info.context == STORED:
        return text
    text = text.strip()
    digits = _digits(text)
    if text and not _PHONE.fullmatch(digits):
        raise ValueError("must be a phone number of 3 to 15 digits")
    if digits.startswith("+") and _possible(digits, None) is None:
        raise ValueError("must be a phone number that its country can have")
    return text


def _date_as_written(text: str) -> str:
    """The date of a date or of a date-time, as it stands there, whatever zone follows (rules 4.5.3)."""
    if not text:
        return text
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a date, or a date and a time, as in RFC 3339") from None
    return text[:10]


Email = Annotated[str, Checked(LINE, 254), AfterValidator(_email)]
PhoneNumber = Annotated[str, Checked(LINE, 40), AfterValidator(_phone)]
GivenPhoneNumber = Annotated[str, Checked(LINE, 40, 3), AfterValidator(_phone)]
WrittenDate = Annotated[str, Checked(LINE, 40), AfterValidator(_date_as_written), Field(examples=["1990-09-11"])]


class CustomerInfo(Wire):
    """The document's `customerInfo`. What is omitted or null stays as it is; `""` clears it (rules 4.5.3).

    The address is the customer's primary one, and `mobile` the primary phone. Consents are given or withdrawn, and
    not cleared.
    """

    first_name: Line | None = None
    last_name: Line | None = None
    country_id: Text | None = None
    city: Line | None = None
    street: Line | None = None
    postal_code: Text | None = None
    house_number: Text | None = None
    house_number_addition: Text | None = None
    language: Text | None = None
    email_address: Email | None = None
    mobile: PhoneNumber | None = None
    date_of_birth: WrittenDate | None = None
    gender: Gender | Literal[""] | None = None
    communication_via_email: StrictBool | None = None
    communication_via_sms: StrictBool | None = None


class _Listed(Wire):
    primary: StrictBool = False


_OneOf = TypeVar("_OneOf", bound=_Listed)


def primary_of(listed: Sequence[_OneOf]) -> _OneOf | None:
    """The primary address or phone of a list; None when it has none."""
    return next((each for each in listed if each.primary), None)


class Address(_Listed):
    """One address of a customer; `type` is home, business, or whatever the store calls it."""

    type: Key = "home"
    care_of: Line | None = None
    street: Line | None = None
    house_number: Text | None = None
    house_number_addition: Text | None = None
    second_line: Line | None = None
    postal_code: Text | None = None
    city: Line | None = None
    province: Line | None = None
    country_id: Text | None = None


class Phone(_Listed):
    """One phone of a customer. Only the primary one is unique in a store, since families share a landline."""

    type: Key = "mobile"
    number: GivenPhoneNumber


class Label(Wire):
    """Anything a store wants to remember of a customer."""

    key: Key
    value: Line


class Consent(Wire):
    """A consent of the store's own, besides those for e-mail and SMS."""

    code: Key
    given: StrictBool


class Device(Wire):
    """A device that may be sent push messages."""

    serial_number: Annotated[str, Checked(LINE, 200, 1)]
    registration_type: Text | None = None
    registration_token: Annotated[str, Checked(LINE, 4096)] | None = None


def _at_most_one_primary(listed: tuple[_OneOf, ...]) -> tuple[_OneOf, ...]:
    if sum(each.primary for each in listed) > 1:
        raise ValueError("at most one may be the primary one")
    if listed and primary_of(listed) is None:  # The first counts as primary when none is said to be.
        return (listed[0].model_copy(update={"primary": True}), *listed[1:])
    return listed


class ContactData(Wire):
    """What the document's `customerInfo` has no room for. A list that is omitted or null stays; another replaces it.

    In a list of addresses or phones that names no primary one, the first is.
    """

    addresses: Annotated[tuple[Address, ...], AtMost(20), AfterValidator(_at_most_one_primary)] | None = None
    phones: Annotated[tuple[Phone, ...], AtMost(20), AfterValidator(_at_most_one_primary)] | None = None
    labels: Annotated[tuple[Label, ...], AtMost(100)] | None = None
    consents: Annotated[tuple[Consent, ...], AtMost(50)] | None = None
    referral_code: Text | None = None
    referred_by: Text | None = None
    devices: Annotated[tuple[Device, ...], AtMost(20)] | None = None
