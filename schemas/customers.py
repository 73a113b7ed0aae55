"""The wire of the customer service: its commands, events and refusals; and the registries.

Events carry nothing personal: what the journal keeps besides is never published on `customer.events`, and is blanked
when the customer is anonymised (rules 4.5.6). A command's subject is the customer's id, a UUID that whoever creates
the customer draws. Times are UTC instants.
"""

from enum import StrEnum
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from schemas.base import Instant, Published, Wire
from schemas.contacts import ContactData, CustomerInfo
from schemas.refusals import Refused
from schemas.text import Key, Reason


class CustomerState(StrEnum):
    """Registered, in use, blocked by the store, or deleted."""

    NEW = "new"
    ACTIVE = "active"
    BLOCKED = "blocked"
    DELETED = "deleted"


class ClaimKind(StrEnum):
    """What only one customer of a store may have (rules 4.5.1)."""

    EMAIL = "email"
    PHONE = "phone"
    CARD = "card"


class CustomerRefusal(StrEnum):
    """Why the customer service refuses; the closed list of codes."""

    CUSTOMER_UNKNOWN = "customer_unknown"
    CUSTOMER_EXISTS = "customer_exists"
    CUSTOMER_ID_INVALID = "customer_id_invalid"
    CUSTOMER_DELETED = "customer_deleted"
    CUSTOMER_ANONYMISED = "customer_anonymised"
    EMAIL_IN_USE = "email_in_use"
    PHONE_IN_USE = "phone_in_use"
    CARD_IN_USE = "card_in_use"
    CARD_UNKNOWN = "card_unknown"
    CARD_REPLACED = "card_replaced"
    TOO_MANY_CARDS = "too_many_cards"
    BIRTH_DATE_IN_FUTURE = "birth_date_in_future"


class CustomerRejected(Refused):
    """`customer.<what>_rejected.v1`: the command of the customer service was refused."""


# ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────────


_ADDRESS = ("country_id", "city", "street", "postal_code", "house_number", "house_number_addition")


class _Described(Wire):
    customer_info: CustomerInfo = CustomerInfo()
    contact_data: ContactData = ContactData()

    @model_validator(mode="after")
    def _one_way(self) -> "_Described":
        info, more = self.customer_info, self.contact_data
        if more.addresses is not None and any(getattr(info, name) is not None for name in _ADDRESS):
            raise ValueError("the primary address is given in customerInfo or in contactData/addresses, not in both")
        if more.phones is not None and info.mobile is not None:
            raise ValueError("the primary phone is given in customerInfo or in contactData/phones, not in both")
        return self


class CreateCustomer(_Described):
    """`customer.create.v1`: a new customer with a card: `cardNumber`, or one that is drawn; consents omitted are false.

    The card may have been used before: the account of its number is the customer's from now on (rules 4.1.2).
    """

    card_number: Key | None = None
    state: Literal[CustomerState.NEW, CustomerState.ACTIVE] = CustomerState.ACTIVE


class UpdateCustomer(_Described):
    """`customer.update.v1`: what is omitted or null stays, `""` clears (rules 4.5.3); an equal one is a no-op."""


class AddCard(Wire):
    """`customer.add_card.v1`: one more card: `cardNumber`, or one that is drawn."""

    card_number: Key | None = None


class ReplaceCard(Wire):
    """`customer.replace_card.v1`: `newNumber`, or one that is drawn, instead of `cardNumber`, or of the main card.

    The old number stays the customer's, and what arrives under the new one goes to its account (rules 4.1.2).
    """

    card_number: Key | None = None
    new_number: Key | None = None


class SetCustomerState(Wire):
    """`customer.set_state.v1`: activate, block, delete or restore a customer; the same state again is a no-op."""

    state: CustomerState
    reason: Reason


class AnonymiseCustomer(Wire):
    """`customer.anonymise.v1`: forget the person (rules 4.5.6); again is a no-op. It cannot be undone."""


class ReleaseClaim(Wire):
    """`customer.release_claim.v1`: free a claim, unless the customer has that value again; our own follow-up.

    `key` is the keyed hash of the value, 64 hexadecimal digits.
    """

    kind: ClaimKind
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class CustomerCreated(Published):
    """`customer.created.v1`: there is one more customer."""

    type: Literal["customer.created.v1"] = "customer.created.v1"
    customer: str
    state: CustomerState
    card_number: str
    booked_at: Instant


class CustomerUpdated(Published):
    """`customer.updated.v1`: something else is known of the customer; `changed` names what, and not as what."""

    type: Literal["customer.updated.v1"] = "customer.updated.v1"
    customer: str
    changed: tuple[str, ...]
    booked_at: Instant


class CardAdded(Published):
    """`customer.card_added.v1`: the customer has one more card."""

    type: Literal["customer.card_added.v1"] = "customer.card_added.v1"
    customer: str
    card_number: str
    booked_at: Instant


class CardReplaced(Published):
    """`customer.card_replaced.v1`: the customer uses the card `new_number` instead of `card_number`."""

    type: Literal["customer.card_replaced.v1"] = "customer.card_replaced.v1"
    customer: str
    card_number: str
    new_number: str
    booked_at: Instant


class CustomerStateChanged(Published):
    """`customer.state_changed.v1`: the customer's state is another one."""

    type: Literal["customer.state_changed.v1"] = "customer.state_changed.v1"
    customer: str
    from_: Annotated[CustomerState, Field(alias="from")]
    to: CustomerState
    booked_at: Instant


class CustomerAnonymised(Published):
    """`customer.anonymised.v1`: the person is forgotten; at `gone_by` no topic has anything of it any more."""

    type: Literal["customer.anonymised.v1"] = "customer.anonymised.v1"
    customer: str
    gone_by: Instant
    booked_at: Instant


class Claimed(Published):
    """`customer.claimed.v1`: what the subject is the keyed hash of is this customer's alone."""

    type: Literal["customer.claimed.v1"] = "customer.claimed.v1"
    customer: str
    claim: ClaimKind
    booked_at: Instant


class ClaimReleased(Published):
    """`customer.claim_released.v1`: the customer no longer has it, and others may; of the customer and of the claim."""

    type: Literal["customer.claim_released.v1"] = "customer.claim_released.v1"
    customer: str
    claim: ClaimKind
    booked_at: Instant


CustomerEvent = Annotated[
    CustomerCreated
    | CustomerUpdated
    | CardAdded
    | CardReplaced
    | CustomerStateChanged
    | CustomerAnonymised
    | Claimed
    | ClaimReleased,
    Field(discriminator="type"),
]


COMMANDS: dict[str, type[Wire]] = {
    "customer.create.v1": CreateCustomer,
    "customer.update.v1": UpdateCustomer,
    "customer.add_card.v1": AddCard,
    "customer.replace_card.v1": ReplaceCard,
    "customer.set_state.v1": SetCustomerState,
    "customer.anonymise.v1": AnonymiseCustomer,
    "customer.release_claim.v1": ReleaseClaim,
}

REJECTIONS: dict[str, str] = {
    "customer.create.v1": "customer.creation_rejected.v1",
    "customer.update.v1": "customer.update_rejected.v1",
    "customer.add_card.v1": "customer.card_rejected.v1",
    "customer.replace_card.v1": "customer.card_rejected.v1",
    "customer.set_state.v1": "customer.state_rejected.v1",
    "customer.anonymise.v1": "customer.anonymisation_rejected.v1",
    "customer.release_claim.v1": "customer.release_rejected.v1",
}

EVENTS: dict[str, type[Published]] = {
    event.model_fields["type"].default: event for event in get_args(get_args(CustomerEvent)[0])
}
