"""Models of the CRM document: the body of a search, and the responses for the OpenAPI document."""

from typing import Annotated

from schemas.base import Published, Wire
from schemas.contacts import Gender
from schemas.text import LINE, Checked, Line, Text
from schemas.voucher_benefit import Worth
from services.edge.http.models import InstantText, Number


class SearchParameters(Wire):
    """Criteria, all of which a customer must meet; what is left out or blank does not count.

    Names are found by how they begin, in any case; all else as it is, but for case and blanks. A card is found by any
    number that the customer ever had.
    """

    card_number: Text | None = None
    first_name: Line | None = None
    last_name: Line | None = None
    email_address: Annotated[str, Checked(LINE, 254)] | None = None
    postal_code: Text | None = None
    house_number: Text | None = None
    house_number_addition: Text | None = None


class CustomerSearch(Wire):
    """Whom to look for."""

    parameters: SearchParameters


class FoundCustomer(Published):
    """A customer that a search found; what is not known is null."""

    id: str
    first_name: str | None
    last_name: str | None
    email_address: str | None
    street: str | None
    postal_code: str | None


class SearchAnswer(Published):
    """One page of the customers found."""

    customers: tuple[FoundCustomer, ...]


class TextAnswer(Published):
    """A text in one language."""

    description: str
    iso_language_code: str
    is_default: bool


class OwnedVoucherAnswer(Published):
    """A voucher that the customer owns and can use now. `id` is its serial, `code` its definition's (rules 4.2.5)."""

    id: str
    code: str
    titles: tuple[TextAnswer, ...]
    descriptions: tuple[TextAnswer, ...]
    valid_until: InstantText | None
    loyalty_program_id: str | None
    benefit: Worth


class OfferAnswer(Published):
    """A voucher that can be bought now, for `threshold` points."""

    code: str
    threshold: Number
    titles: tuple[TextAnswer, ...]
    descriptions: tuple[TextAnswer, ...]
    valid_until: InstantText | None
    benefit: Worth


class CustomerBalanceAnswer(Published):
    """One programme: what may be spent in it, and what for. At `issueImmediateThreshold` points a voucher is issued."""

    loyalty_program_id: str
    description: str
    points_balance: Number
    issue_immediate_threshold: Number | None
    purchases: tuple[OfferAnswer, ...]


class CustomerInfoAnswer(Published):
    """Who the customer is; what is not known is null. The date of birth is a date, at midnight UTC."""

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
    date_of_birth: InstantText | None
    gender: Gender
    communication_via_email: bool
    communication_via_sms: bool


class CustomerAnswer(Published):
    """A customer with every active programme and the vouchers; `customerLevel` is the code in the primary tier set."""

    customer_id: str
    card_number: str
    customer_level: str | None
    customer_info: CustomerInfoAnswer
    vouchers: tuple[OwnedVoucherAnswer, ...]
    balances: tuple[CustomerBalanceAnswer, ...]
