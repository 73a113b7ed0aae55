"""Models of the customer operations under `/v1`."""

from typing import Any

from schemas.base import Published, Wire
from schemas.text import Key
from services.edge.families.v1.models.accounts import AccountAnswer, MovementAnswer
from services.edge.families.v1.models.vouchers import VoucherAnswer
from services.edge.http.models import InstantText


class NewCard(Wire):
    """One more card, or one instead of the card `replaces`; a number that is not given is drawn."""

    card_number: Key | None = None
    replaces: Key | None = None


class CardAnswer(Published):
    """The customer's new card."""

    customer: str
    card_number: str


class CustomerStateAnswer(Published):
    """The customer's state now."""

    customer: str
    state: str


class AnonymisedAnswer(Published):
    """The person is forgotten; at `goneBy` no topic has anything of it any more."""

    customer: str
    gone_by: InstantText


class ExportedAccount(AccountAnswer):
    """An account with all its movements, newest first."""

    movements: tuple[MovementAnswer, ...]


class CustomerVouchersAnswer(Published):
    """A customer's vouchers by serial. `next` is the path of the page after this one, null when there is none."""

    customer: str
    vouchers: tuple[VoucherAnswer, ...]
    next: str | None


class ExportAnswer(Published):
    """All that is kept of a customer: profile, cards and consents; the accounts with their movements; all vouchers."""

    customer: dict[str, Any]
    accounts: tuple[ExportedAccount, ...]
    vouchers: tuple[VoucherAnswer, ...]
