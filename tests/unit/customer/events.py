"""Whole events of the customer service with their streams, and the commands that follow them.

They are Ada's and of now unless they say otherwise; `profile` is in Python's spelling.
"""

from datetime import datetime
from typing import Any

from schemas.customers import (
    CardAdded,
    CardReplaced,
    Claimed,
    ClaimKind,
    ClaimReleased,
    CustomerAnonymised,
    CustomerCreated,
    CustomerState,
    CustomerStateChanged,
    CustomerUpdated,
)
from services.customer.claims import claim_key
from services.customer.profile import Profile
from services.customer.state import Event, Personal
from shared.decider import FollowUp
from shared.ids import account_id
from tests.unit.customer.world import ADA, DAY, KEYS, STORE, T0, Booked, claim

EMAILS, PHONES, CARDS = ClaimKind.EMAIL, ClaimKind.PHONE, ClaimKind.CARD

Claims = dict[ClaimKind, str]
"""Values as they compare, by kind."""


def created(
    card: str = "6001",
    who: str = ADA,
    claims: Claims | None = None,
    state: CustomerState = CustomerState.ACTIVE,
    at: datetime = T0,
    **profile: Any,
) -> Booked:
    told = CustomerCreated(customer=who, state=state, card_number=card, booked_at=at)
    return _of(who, Event(told, Personal(Profile(**profile), _keys(claims))))


def claimed(kind: ClaimKind, value: str, who: str = ADA, at: datetime = T0) -> Booked:
    return claim(kind, value), Event(Claimed(customer=who, claim=kind, booked_at=at))


def person(card: str = "6001", who: str = ADA, claims: Claims | None = None, **profile: Any) -> tuple[Booked, ...]:
    """A customer who was created a day ago, with the claims."""
    at = T0 - DAY
    owned = {**(claims or {}), CARDS: card}
    return (
        created(card, who, claims, at=at, **profile),
        *(claimed(kind, value, who, at) for kind, value in owned.items()),
    )


def updated(*changed: str, claims: Claims | None = None, **profile: Any) -> Booked:
    """With all that is known and claimed after it."""
    told = CustomerUpdated(customer=ADA, changed=changed, booked_at=T0)
    return _of(ADA, Event(told, Personal(Profile(**profile), _keys(claims))))


def card_added(number: str) -> Booked:
    return _of(ADA, Event(CardAdded(customer=ADA, card_number=number, booked_at=T0)))


def card_replaced(number: str, new: str) -> Booked:
    return _of(ADA, Event(CardReplaced(customer=ADA, card_number=number, new_number=new, booked_at=T0)))


def state_changed(before: str, after: str, reason: str = "by hand") -> Booked:
    fields = {"customer": ADA, "from": before, "to": after, "bookedAt": T0}
    return _of(ADA, Event(CustomerStateChanged.model_validate(fields), Personal(reason=reason)))


def anonymised(at: datetime = T0) -> Booked:
    return _of(ADA, Event(CustomerAnonymised(customer=ADA, gone_by=at + 7 * DAY, booked_at=at)))


def released(kind: ClaimKind, value: str) -> tuple[Booked, Booked]:
    """On the customer and on the claim."""
    event = Event(ClaimReleased(customer=ADA, claim=kind, booked_at=T0))
    return _of(ADA, event), (claim(kind, value), event)


def _of(who: str, event: Event) -> Booked:
    return f"customer/{STORE}/{who}", event


def _keys(claims: Claims | None) -> Claims:
    return {kind: claim_key(KEYS, STORE, kind, value) for kind, value in (claims or {}).items()}


# ── what follows ────────────────────────────────────────────────────────────────────────────────────────────────────


def knows_number(number: str) -> FollowUp:
    """What points are told of a card, so that inputs may open an account under its number."""
    return FollowUp("points.commands", "points.know_number.v1", account_id(STORE, number), {"accountNumber": number})


def leads_to(old: str, new: str) -> FollowUp:
    """What points are told of a card that was replaced."""
    body = {"accountNumber": old, "newNumber": new}
    return FollowUp("points.commands", "points.replace_card.v1", account_id(STORE, old), body)


def closes_account(number: str) -> FollowUp:
    """What points are told of the card of a customer who was forgotten."""
    body = {"accountNumber": number, "reason": "customer_anonymised"}
    return FollowUp("points.commands", "points.close_account.v1", account_id(STORE, number), body)


def releases(kind: ClaimKind, value: str) -> FollowUp:
    body = {"kind": kind.value, "key": claim_key(KEYS, STORE, kind, value)}
    return FollowUp("customer.commands", "customer.release_claim.v1", ADA, body)
