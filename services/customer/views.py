"""States as they are published to `customer.snapshots`: in the document's words, and as searches need them."""

from collections.abc import Callable
from functools import partial
from typing import Any

from schemas.base import format_instant
from schemas.contacts import (
    Address,
    comparable_code,
    comparable_email,
    comparable_name,
    comparable_phone,
    primary_of,
)
from schemas.customer_views import CUSTOMER_VIEW
from services.customer.profile import Profile
from services.customer.state import Card, Claim, Customer, State
from shared.decider import Document, View


def views(state: State, phone_region: str | None = None) -> View | None:
    """A `CustomerView`; None as long as there is nobody. Claims are not published."""
    if isinstance(state, Claim) or state.state is None or state.created_at is None or state.booked_at is None:
        return None
    forgotten = state.anonymised_at is not None
    value = {
        "customer": state.customer,
        "state": state.state.value,
        "cardNumber": state.main_card.number,
        "cards": [_card(card) for card in state.cards],
        "customerInfo": None if forgotten else _info(state.profile),
        "contactData": None if forgotten else _contact_data(state.profile),
        "search": _search(state, phone_region),
        "createdAt": format_instant(state.created_at),
        "bookedAt": format_instant(state.booked_at),
        "anonymisedAt": None if state.anonymised_at is None else format_instant(state.anonymised_at),
    }
    return View(CUSTOMER_VIEW, state.customer, value)


def _card(card: Card) -> Document:
    return {"cardNumber": card.number, "since": format_instant(card.since), "replacedBy": card.replaced_by}


def _info(profile: Profile) -> Document:
    address = primary_of(profile.addresses) or Address()
    birth = profile.date_of_birth
    return {
        "firstName": profile.first_name,
        "lastName": profile.last_name,
        "countryId": address.country_id,
        "city": address.city,
        "street": address.street,
        "postalCode": address.postal_code,
        "houseNumber": address.house_number,
        "houseNumberAddition": address.house_number_addition,
        "language": profile.language,
        "emailAddress": profile.email_address,
        "mobile": profile.mobile,
        "dateOfBirth": None if birth is None else birth.isoformat(),
        "gender": profile.gender.value,
        "communicationViaEmail": profile.communication_via_email,
        "communicationViaSms": profile.communication_via_sms,
    }


def _contact_data(profile: Profile) -> Document:
    """All lists, each member with all its fields."""
    names = {"addresses", "phones", "labels", "consents", "referral_code", "referred_by", "devices"}
    document: dict[str, Any] = profile.model_dump(mode="json", by_alias=True, include=names)
    return document


def _search(customer: Customer, phone_region: str | None) -> Document:
    """The values as they compare; an empty one is null, since nothing is found by it."""
    profile = customer.profile
    address = primary_of(profile.addresses) or Address()
    return {
        "cardNumbers": [card.number for card in customer.cards],
        "firstName": _comparable(comparable_name, profile.first_name),
        "lastName": _comparable(comparable_name, profile.last_name),
        "emailAddress": _comparable(comparable_email, profile.email_address),
        "mobile": _comparable(partial(comparable_phone, region=phone_region), profile.mobile),
        "postalCode": _comparable(comparable_code, address.postal_code),
        "houseNumber": _comparable(comparable_code, address.house_number),
        "houseNumberAddition": _comparable(comparable_code, address.house_number_addition),
    }


def _comparable(by: Callable[[str], str], text: str | None) -> str | None:
    return (by(text) or None) if text is not None else None
