"""What is known of a person, and what a creation or an update makes of it (rules 4.5.3, 4.5.5)."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from pydantic import ConfigDict

from schemas.base import Published
from schemas.contacts import Address, Consent, ContactData, CustomerInfo, Device, Gender, Label, Phone, primary_of
from schemas.text import STORED


class Profile(Published):
    """All that is known of a person; what is not known is null. `date_of_birth` is a date and never an instant."""

    model_config = ConfigDict(hide_input_in_errors=True)  # What cannot be read is told, and not what it says.

    first_name: str | None = None
    last_name: str | None = None
    language: str | None = None
    email_address: str | None = None
    date_of_birth: date | None = None
    gender: Gender = Gender.UNKNOWN
    communication_via_email: bool = False
    communication_via_sms: bool = False
    addresses: tuple[Address, ...] = ()
    phones: tuple[Phone, ...] = ()
    labels: tuple[Label, ...] = ()
    consents: tuple[Consent, ...] = ()
    referral_code: str | None = None
    referred_by: str | None = None
    devices: tuple[Device, ...] = ()

    @property
    def mobile(self) -> str | None:
        """The number of the primary phone."""
        phone = primary_of(self.phones)
        return None if phone is None else phone.number


_TEXTS = ("first_name", "last_name", "language", "email_address")
_CONSENTS = ("communication_via_email", "communication_via_sms")
_OF_ADDRESS = ("country_id", "city", "street", "postal_code", "house_number", "house_number_addition")
_LISTS = ("addresses", "phones", "labels", "consents", "devices")
_REFERRALS = ("referral_code", "referred_by")


def described(profile: Profile, info: CustomerInfo, more: ContactData) -> Profile:
    """The profile after a creation or an update: what is null stays, `""` clears."""
    texts = {**_given(info, _TEXTS), **_given(more, _REFERRALS)}
    values: dict[str, Any] = {name: text or None for name, text in texts.items()}
    values.update(_given(info, _CONSENTS), **_given(more, _LISTS))
    if info.date_of_birth is not None:
        values["date_of_birth"] = date.fromisoformat(info.date_of_birth) if info.date_of_birth else None
    if info.gender is not None:
        values["gender"] = info.gender or Gender.UNKNOWN
    if parts := _given(info, _OF_ADDRESS):
        values["addresses"] = _with_primary_address(profile.addresses, parts)
    if info.mobile is not None:
        values["phones"] = _with_primary_phone(profile.phones, info.mobile)
    return profile.model_copy(update=values)


def changed(before: Profile, after: Profile) -> tuple[str, ...]:
    """The names of what is another, as the wire spells them."""
    fields = type(before).model_fields
    return tuple(field.alias or name for name, field in fields.items() if getattr(before, name) != getattr(after, name))


def _given(part: CustomerInfo | ContactData, names: Iterable[str]) -> dict[str, Any]:
    """Those of these fields that are given."""
    return {name: value for name in names if (value := getattr(part, name)) is not None}


def _with_primary_address(addresses: Sequence[Address], parts: dict[str, str]) -> tuple[Address, ...]:
    """The addresses with these parts of the primary one; one of which nothing is left goes."""
    known = primary_of(addresses)
    patched = (known or Address(primary=True)).model_copy(update={name: text or None for name, text in parts.items()})
    if patched == Address(type=patched.type, primary=True):
        return tuple([each for each in addresses if each is not known])
    if known is None:
        return (patched, *addresses)
    return tuple([patched if each is known else each for each in addresses])


def _with_primary_phone(phones: Sequence[Phone], number: str) -> tuple[Phone, ...]:
    """The phones with this number as the primary one; cleared, no other takes its place by itself."""
    known = primary_of(phones)
    others = tuple([each for each in phones if each is not known])
    if not number:
        return others
    if known is None:
        return (Phone.model_validate({"primary": True, "number": number}, context=STORED), *others)
    return tuple([each.model_copy(update={"number": number}) if each is known else each for each in phones])
