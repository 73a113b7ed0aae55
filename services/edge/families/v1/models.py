"""The shapes of our own family about vouchers and customers: bodies that differ from their commands, and answers."""

from typing import Annotated, Any

from pydantic import Field

from schemas.base import Instant, Published, Wire
from schemas.movements import Unit
from schemas.refusals import RefusedInput
from schemas.text import Key, Reason
from schemas.transaction import Context
from schemas.voucher_benefit import Worth
from schemas.voucher_definition import Descriptions, Titles
from services.edge.http.models import AccountAnswer, InstantText, MovementAnswer, Number


class VoucherIssue(Wire):
    """A voucher to issue: to the account of a number, or without one to bearer; a serial that is not given is drawn."""

    voucher_id: Key
    serial_id: Key | None = None
    account_number: Key | None = None
    valid_from: Instant | None = None
    expires_at: Instant | None = None
    reason: Reason
    context: Context = Context()


class VoucherVoid(Wire):
    """Why a voucher shall never be used."""

    reason: Reason
    context: Context = Context()


class NewCard(Wire):
    """One more card, or one instead of the card `replaces`; a number that is not given is drawn."""

    card_number: Key | None = None
    replaces: Key | None = None


class VoucherAnswer(Published):
    """A voucher. `account` owns it, null is the bearer; `cost`, in `unit`, was paid in the programme `paidIn`."""

    serial_id: str
    voucher_id: str
    programme: str | None
    account: str | None
    account_number: str | None
    state: str
    titles: Titles
    descriptions: Descriptions
    default_language: str
    valid_from: InstantText
    valid_until: InstantText | None
    cost: Number
    unit: Unit | None
    paid_in: str | None
    transaction_id: str
    redeemed_in: str | None
    redeemed_by: str | None
    issued_at: InstantText
    changed_at: InstantText
    benefit: Worth


class RefusalAnswer(Published):
    """A command that was refused and changed nothing."""

    id: Annotated[str, Field(description="The id of the refusal event on `points.events`.")]
    at: Annotated[InstantText, Field(description="When it was refused.")]
    type: Annotated[str, Field(description="The type of the event.", examples=["points.order_rejected.v1"])]
    command: Annotated[
        str | None,
        Field(description="What was refused; null for an order's fact that had waited for its order."),
    ]
    code: Annotated[str, Field(description="Why, from the closed list of codes.", examples=["too_many_decimals"])]
    detail: Annotated[
        str | None, Field(description="The same for people, which may change; null when there is nothing to add.")
    ]
    pointer: Annotated[
        str | None, Field(description="A JSON pointer to the first wrong part; null for none.", examples=["/lines/0"])
    ]
    account_number: Annotated[
        str | None, Field(description="The account number as it was sent; null when there was none.")
    ]
    order: Annotated[str | None, Field(description="The order number, or a transaction's `receiptNr`; null for none.")]
    shop: Annotated[str | None, Field(description="The order's shop, or a transaction's `shopId`; null for none.")]
    fact: Annotated[str | None, Field(description="The sender's id of the order's fact; null for none.")]
    sender: Annotated[
        str | None, Field(description="`/edge` for HTTP, `/points/reactions` for inputs, `/cli`; null: not known.")
    ]
    input: Annotated[RefusedInput | None, Field(description="The record that was refused; null over HTTP.")]
    transaction_id: Annotated[
        str | None, Field(description="The id of the command, as Post Transaction answers it; null: not known.")
    ]
    correlation_id: Annotated[
        str | None, Field(description="The same in everything that one request caused; null: not known.")
    ]


class RefusalsAnswer(Published):
    """A page of refusals, newest first; `next` is the path of the next page, null after the last."""

    refusals: tuple[RefusalAnswer, ...]
    next: str | None


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
