"""Models of transactions that gift cards pay."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from schemas.base import AtMost, Published, Wire
from schemas.giftcard_saga import GIFT_CARDS_MAX, Money
from schemas.giftcard_types import Currency
from schemas.text import Key
from schemas.transaction import Transaction, check_operations
from services.edge.families.giftcard.models import Named, ScratchCodeText
from services.edge.families.models import TransactionAnswer


class GiftCardPayment(Wire):
    """A gift card that pays exactly `amount`: named by `cardId`, or by `serialNumber` with `scratchCode`."""

    card_id: Key | None = None
    serial_number: Key | None = None
    scratch_code: ScratchCodeText | None = Field(default=None, repr=False)
    amount: Money
    currency: Currency | None = None

    @model_validator(mode="after")
    def _named_one_way(self) -> Self:
        self.named()
        return self

    def named(self) -> Named:
        """Which card it is."""
        return Named(card_id=self.card_id, serial_number=self.serial_number, scratch_code=self.scratch_code)


class PaidTransaction(Transaction):
    """Operations over several programmes, vouchers and gift cards, processed as one; at most a hundred in all."""

    giftcards: Annotated[
        tuple[GiftCardPayment, ...],
        AtMost(GIFT_CARDS_MAX),
        Field(description="The gift cards that pay, after everything else; at most ten."),
    ] = ()

    @model_validator(mode="after")
    def _few_with_cards(self) -> Self:
        check_operations(self.loyalty_programs, self.voucher_redemptions, len(self.giftcards))
        return self


class PaidCardAnswer(Published):
    """A gift card that has paid, or that got its money back."""

    operation: Annotated[int, Field(description="The operation, in the order of processing; a reversal names it so.")]
    card_id: str
    amount: Annotated[float, Field(description="In whole units of the card's currency.", examples=[9.95])]
    currency: Annotated[
        str | None, Field(description="The currency, if the request names it; null or absent if not.")
    ] = None


class PaidTransactionAnswer(TransactionAnswer):
    """An accepted transaction: balances after it, what it did with which vouchers, and which gift cards paid."""

    giftcards: Annotated[
        tuple[PaidCardAnswer, ...] | None,
        Field(description="The gift cards that paid; null or absent if none takes part."),
    ] = None
