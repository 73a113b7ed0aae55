"""A file for `fealty apply -f`: vouchers, programmes, tier sets, gift card types, account and order numbers."""

from typing import Annotated

from schemas.base import AtMost, Wire
from schemas.giftcard_types import CardType
from schemas.order_numbers import OrderNumbers
from schemas.programme import Programme
from schemas.tiers import TierSet
from schemas.voucher_definition import VoucherDefinition
from schemas.waiting_inputs import (
    NumberPatterns,
)

STORE_WIDE = "all"
"""Stands for the id of what a store declares once."""


class Declarations(Wire):
    """Everything in a file is validated before anything is sent.

    `account_numbers` are the numbers under which inputs may open accounts, besides customers' cards;
    `order_numbers` say where an order number names one order.
    """

    vouchers: Annotated[tuple[VoucherDefinition, ...], AtMost(1000)] = ()
    programmes: Annotated[tuple[Programme, ...], AtMost(500)] = ()
    tier_sets: Annotated[tuple[TierSet, ...], AtMost(50)] = ()
    gift_card_types: Annotated[tuple[CardType, ...], AtMost(500)] = ()
    account_numbers: NumberPatterns | None = None
    order_numbers: OrderNumbers | None = None
