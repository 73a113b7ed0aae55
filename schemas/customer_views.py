"""A customer as `customer.snapshots` has it: the profile in the document's words, and the values that a search needs.

The topic is compacted, and forgets what was personal within seven days of its being blanked (rules 4.5.6).
"""

from datetime import date

from schemas.base import Instant, Published
from schemas.contacts import Address, Consent, Device, Gender, Label, Phone
from schemas.customers import CustomerState


class CustomerInfoView(Published):
    """The document's `customerInfo`; what is not known is null. The address and the phone are the primary ones."""

    first_name: str | None
    last_name: str | None
    country_id: str | None
    city: str | None
    street: str | None
    postal_code: str | None
    house_number: str | None
    house_number_addition: str | None
    language: str | None
    email_address: str | None
    mobile: str | None
    date_of_birth: date | None
    gender: Gender
    communication_via_email: bool
    communication_via_sms: bool


class ContactDataView(Published):
    """All addresses and phones, and whatever else is known."""

    addresses: tuple[Address, ...]
    phones: tuple[Phone, ...]
    labels: tuple[Label, ...]
    consents: tuple[Consent, ...]
    referral_code: str | None
    referred_by: str | None
    devices: tuple[Device, ...]


class SearchView(Published):
    """The values of the search's criteria as they compare (`schemas.contacts`): to be indexed as they are."""

    card_numbers: tuple[str, ...]
    first_name: str | None
    last_name: str | None
    email_address: str | None
    mobile: str | None
    postal_code: str | None
    house_number: str | None
    house_number_addition: str | None


class CardView(Published):
    """A card, and the number that it was replaced by. Its number is also that of an account in the points service."""

    card_number: str
    since: Instant
    replaced_by: str | None


class CustomerView(Published):
    """`customer.snapshot.v1` on `customer.snapshots`: a customer with the profile (rules 4.5.4).

    `card_number` is the main card: the first one, or what replaced it. Of one who was anonymised the cards and the
    state `deleted` are left, and both parts of the profile are null.
    """

    customer: str
    state: CustomerState
    card_number: str
    cards: tuple[CardView, ...]
    customer_info: CustomerInfoView | None
    contact_data: ContactDataView | None
    search: SearchView
    created_at: Instant
    booked_at: Instant
    anonymised_at: Instant | None


CUSTOMER_VIEW = "customer.snapshot.v1"
