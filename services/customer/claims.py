"""Who may have an e-mail address, a phone or a card number (rules 4.5.1).

A claim is a stream whose name has the keyed hash of the value, so that a command can name it before anything is read.
Its state is its owner. What a customer has stands in the customer's own state. At every moment, for every value:

    a customer has it  →  the customer owns its claim.

A claim has one owner, so no two customers have the same value. Each command keeps this, since whatever its decision
rests on is written and so guarded by its version, and it is decided again when anything of that moved:

- *taking* a value (creation, update, a card) writes the customer and the claim, and is refused unless the claim is
  free or the customer's own already. Nobody else can have the value then: they would own the claim.
- *giving up* a value (an update, anonymising) writes the customer alone. It cannot name the claim, which only the
  customer's state knows; the claim stays the customer's, and a follow-up command asks for its release. Until that is
  booked, moments later, nobody else can take the value.
- *releasing* writes the customer and the claim, and only if the customer does not have the value (again). Had the
  customer taken it back meanwhile, one of the two versions has moved.

So releasing late, twice, or not at all can keep a value from others for a while, and never give it to two.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from schemas.contacts import email_forms, phone_forms, primary_of
from schemas.customers import ClaimKind, CreateCustomer, CustomerRefusal, UpdateCustomer
from services.customer.state import Claim, claim_stream
from shared.decider import FollowUp, Rejected
from shared.hashing import keyed_hash

ALL = frozenset({ClaimKind.EMAIL, ClaimKind.PHONE})
"""What may be unique or not, by a setting; a card number always is."""

_REFUSALS = {
    ClaimKind.EMAIL: (CustomerRefusal.EMAIL_IN_USE, "another customer has this e-mail address"),
    ClaimKind.PHONE: (CustomerRefusal.PHONE_IN_USE, "another customer has this phone number"),
    ClaimKind.CARD: (CustomerRefusal.CARD_IN_USE, "this card number has been given out already"),
}


@dataclass(frozen=True, slots=True)
class Keys:
    """What the hashes are made with, which of e-mail and phone are unique, and whose the national phone numbers are.

    Another secret makes every claim another one, and all values free: it stays the same for ever.
    """

    secret: bytes
    unique: frozenset[ClaimKind] = ALL
    phone_region: str | None = None


class Wanted(NamedTuple):
    """A value that a command names: the key of its claim, None where it is cleared or not unique here; and where.

    `earlier` are keys under which the same value may have been claimed before values compared as they do now.
    """

    kind: ClaimKind
    key: str | None
    pointer: str
    earlier: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """All claims of which nobody else may be the owner."""
        return () if self.key is None else (self.key, *self.earlier)


def claim_key(keys: Keys, store: str, kind: ClaimKind, comparable: str) -> str:
    """The keyed hash of a value, as it compares: 64 hexadecimal digits."""
    return keyed_hash(keys.secret, "claim", store, kind, comparable)


def wanted_contacts(keys: Keys, store: str, payload: CreateCustomer | UpdateCustomer) -> list[Wanted]:
    """The e-mail and the primary phone that a creation or an update names; nothing of what it leaves as it is."""
    info, phones = payload.customer_info, payload.contact_data.phones
    found = []
    if info.email_address is not None:
        found.append(
            _wanted(keys, store, ClaimKind.EMAIL, email_forms(info.email_address), "/customerInfo/emailAddress")
        )
    if info.mobile is not None:
        forms = phone_forms(info.mobile, keys.phone_region)
        found.append(_wanted(keys, store, ClaimKind.PHONE, forms, "/customerInfo/mobile"))
    elif phones is not None:
        primary = primary_of(phones)
        forms = ("",) if primary is None else phone_forms(primary.number, keys.phone_region)
        pointer = "/contactData/phones" if primary is None else f"/contactData/phones/{phones.index(primary)}/number"
        found.append(_wanted(keys, store, ClaimKind.PHONE, forms, pointer))
    return found


def wanted_card(keys: Keys, store: str, number: str, pointer: str) -> Wanted:
    """A card number, which compares as it is."""
    return Wanted(ClaimKind.CARD, claim_key(keys, store, ClaimKind.CARD, number), pointer)


def _wanted(keys: Keys, store: str, kind: ClaimKind, forms: tuple[str, ...], pointer: str) -> Wanted:
    if not forms[0] or kind not in keys.unique:
        return Wanted(kind, None, pointer)
    key, *earlier = [claim_key(keys, store, kind, form) for form in forms]
    return Wanted(kind, key, pointer, tuple(earlier))


def streams_of(store: str, wanted: Iterable[Wanted]) -> tuple[str, ...]:
    """The streams of claims that are wanted."""
    return tuple([claim_stream(store, each.kind, key) for each in wanted for key in each.keys])


def refused(store: str, customer: str, wanted: Iterable[Wanted], states: Mapping[str, Any]) -> Rejected | None:
    """Why the customer cannot have all of this: the first that somebody else has."""
    for each in wanted:
        owners = {claim_of(store, each.kind, key, states).owner for key in each.keys}
        if owners - {None, customer}:
            return Rejected(*_REFUSALS[each.kind], each.pointer)
    return None


def claim_of(store: str, kind: ClaimKind, key: str, states: Mapping[str, Any]) -> Claim:
    """The claim as it stands."""
    stream = claim_stream(store, kind, key)
    claim = states[stream]
    if not isinstance(claim, Claim):
        raise TypeError(f"{stream} holds no claim")
    return claim


def release(customer: str, kind: ClaimKind, key: str) -> FollowUp:
    """The command that frees a claim when the customer no longer has the value."""
    payload = {"kind": kind.value, "key": key}
    return FollowUp("customer.commands", "customer.release_claim.v1", customer, payload)
