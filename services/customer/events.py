"""Events as documents: how the journal keeps them, as the wire shows them, and what is personal beside it."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from schemas.customers import ClaimKind, CustomerEvent
from schemas.text import STORED
from services.customer.profile import Profile
from services.customer.state import Event, Personal
from shared.decider import Document

_TOLD: TypeAdapter[CustomerEvent] = TypeAdapter(CustomerEvent)


def dump_event(event: Event) -> Document:
    """The event in JSON's types, with the wire's names; its member `personal` is for the journal alone."""
    document: Document = event.told.model_dump(mode="json", by_alias=True, exclude_none=True)
    if event.personal is not None:
        document["personal"] = _dump_personal(event.personal)
    return document


def load_event(document: Document) -> Event:
    """The event that `dump_event` gave, or what is left of it when what was personal has been blanked.

    :raises pydantic.ValidationError: when the document is no event of this service.
    """
    personal = document.get("personal")
    public = {name: value for name, value in document.items() if name != "personal"}
    told = _TOLD.validate_python(public, context=STORED)
    return Event(told, None if personal is None else _load_personal(personal))


def dump_profile(profile: Profile) -> Document:
    """A profile in JSON's types; what is not known is left out."""
    document: Document = profile.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return document


def load_profile(document: Mapping[str, Any]) -> Profile:
    """The profile that `dump_profile` gave."""
    return Profile.model_validate(document, context=STORED)


def dump_claims(claims: Mapping[ClaimKind, str]) -> Document:
    """Claims by kind, in one order."""
    return {kind.value: claims[kind] for kind in ClaimKind if kind in claims}


def load_claims(document: Mapping[str, str]) -> dict[ClaimKind, str]:
    """The claims that `dump_claims` gave."""
    return {ClaimKind(kind): key for kind, key in document.items()}


def _dump_personal(personal: Personal) -> Document:
    document: Document = {}
    if personal.profile is not None:
        document["profile"] = dump_profile(personal.profile)
    if personal.claims is not None:
        document["claims"] = dump_claims(personal.claims)
    if personal.reason is not None:
        document["reason"] = personal.reason
    return document


def _load_personal(document: Document) -> Personal:
    profile, claims = document.get("profile"), document.get("claims")
    return Personal(
        None if profile is None else load_profile(profile),
        None if claims is None else load_claims(claims),
        document.get("reason"),
    )
