"""With which codes a command of an HTTP caller is refused: what the operations that send it document.

Tests compare each row with the codes that the service's source reaches from that command. What waits for vouchers is
refused with the voucher service's codes, too; what waits for gift cards, with theirs.
"""

from collections.abc import Mapping

from schemas._registry import TOO_LARGE
from schemas.customers import CustomerRefusal as Customer
from schemas.giftcards import CardRefusal as Card
from schemas.refusals import PointsRefusal as Points
from schemas.refusals import VoucherRefusal as Voucher

_CONTACTS = (Customer.EMAIL_IN_USE, Customer.PHONE_IN_USE, Customer.BIRTH_DATE_IN_FUTURE)
_USABLE = (Card.GIFT_CARD_UNKNOWN, Card.GIFT_CARD_EXPIRED, Card.GIFT_CARD_VOID, Card.GIFT_CARD_REFUNDED)
_LIVING = (Customer.CUSTOMER_UNKNOWN, Customer.CUSTOMER_ANONYMISED, Customer.CUSTOMER_DELETED)
EXECUTING = (
    Voucher.VOUCHER_UNKNOWN,
    Voucher.VOUCHER_FOREIGN,
    Voucher.VOUCHER_VOID,
    Voucher.VOUCHER_REDEEMED,
    Voucher.VOUCHER_EXPIRED,
    Voucher.VOUCHER_NOT_YET_VALID,
    Voucher.PROGRAMME_MISMATCH,
    Voucher.DEFINITION_UNKNOWN,
    Voucher.DEFINITION_RETIRED,
    Voucher.SERIAL_IN_USE,
    Voucher.EXPIRY_IN_PAST,
    Voucher.EXPIRY_BEFORE_ACTIVATION,
)
"""Of a transaction's vouchers."""

REVERSING = (Voucher.VOUCHER_USED, Voucher.VOUCHER_UNKNOWN)
"""Of a reversal's."""

PAYING = (
    *_USABLE,
    Card.GIFT_CARD_NOT_ACTIVE,
    Card.CURRENCY_MISMATCH,
    Card.TOO_MANY_DECIMALS,
    Card.INSUFFICIENT_BALANCE,
    Card.TOO_MANY_OPEN_TRANSACTIONS,
)
"""Of a transaction's gift cards."""

GIVING_BACK = (
    Card.GIFT_CARD_UNKNOWN,
    Card.GIFT_CARD_VOID,
    Card.GIFT_CARD_REFUNDED,
    Card.TRANSACTION_UNKNOWN,
    Card.TOO_MANY_OPEN_TRANSACTIONS,
)
"""Of a reversal's."""

_CODES: Mapping[str, tuple[str, ...]] = {
    "points.post_transaction.v1": (
        Points.PROGRAMME_UNKNOWN,
        Points.PROGRAMME_RETIRED,
        Points.ACCOUNT_UNKNOWN,
        Points.ACCOUNT_SPENDING_BLOCKED,
        Points.ACCOUNT_SUSPENDED,
        Points.ACCOUNT_CLOSED,
        Points.ORDER_ALREADY_EARNS,
        Points.SHOP_REQUIRED,
        Points.VALUE_NEGATIVE,
        Points.TOO_MANY_DECIMALS,
        Points.INSUFFICIENT_POINTS,
        Points.LOAD_LIMIT_EXCEEDED,
        Points.THRESHOLD_LIMIT_EXCEEDED,
        Points.BALANCE_LIMIT_EXCEEDED,
        Points.TOO_MANY_LOTS,
        Points.VOUCHER_NOT_OFFERED,
        Points.TRANSACTION_TIMED_OUT,
        Points.TOO_MANY_OPEN_TRANSACTIONS,
        *EXECUTING,
    ),
    "points.adjust.v1": (
        Points.PROGRAMME_UNKNOWN,
        Points.PROGRAMME_RETIRED,
        Points.ACCOUNT_UNKNOWN,
        Points.ACCOUNT_CLOSED,
        Points.VALUE_ZERO,
        Points.TOO_MANY_DECIMALS,
        Points.INSUFFICIENT_POINTS,
        Points.THRESHOLD_LIMIT_EXCEEDED,
        Points.BALANCE_LIMIT_EXCEEDED,
        Points.TOO_MANY_LOTS,
        Points.EXPIRY_IN_PAST,
        Points.EXPIRY_BEFORE_ACTIVATION,
        Points.SCHEDULED_DEBIT,
    ),
    "points.reverse.v1": (
        Points.ACCOUNT_UNKNOWN,
        Points.ACCOUNT_CLOSED,
        Points.TRANSACTION_UNKNOWN,
        Points.TRANSACTION_FOREIGN,
        Points.REVERSED_OPERATION_UNKNOWN,
        Points.NOT_REVERSIBLE,
        Points.ALREADY_REVERSED,
        Points.REVERSAL_EXCEEDS_ORIGINAL,
        Points.TOO_MANY_DECIMALS,
        Points.BALANCE_LIMIT_EXCEEDED,
        Points.TRANSACTION_OPEN,
        Points.TOO_MANY_OPEN_TRANSACTIONS,
        *REVERSING,
        *GIVING_BACK,
    ),
    "points.set_account_state.v1": (Points.ACCOUNT_UNKNOWN, Points.ACCOUNT_CLOSED, Points.TRANSACTION_OPEN),
    "points.replace_number.v1": (
        Points.ACCOUNT_UNKNOWN,
        Points.ACCOUNT_CLOSED,
        Points.NUMBER_IN_USE,
        Points.TOO_MANY_NUMBERS,
    ),
    "points.pin_tier.v1": (
        Points.ACCOUNT_UNKNOWN,
        Points.ACCOUNT_CLOSED,
        Points.TIER_SET_UNKNOWN,
        Points.TIER_UNKNOWN,
    ),
    "voucher.issue.v1": (
        Voucher.DEFINITION_UNKNOWN,
        Voucher.DEFINITION_RETIRED,
        Voucher.BEARER_NOT_ALLOWED,
        Voucher.ACCOUNT_MISMATCH,
        Voucher.SERIAL_IN_USE,
        Voucher.EXPIRY_IN_PAST,
        Voucher.EXPIRY_BEFORE_ACTIVATION,
    ),
    "voucher.void.v1": (
        Voucher.VOUCHER_UNKNOWN,
        Voucher.VOUCHER_VOID,
        Voucher.VOUCHER_REDEEMED,
        Voucher.VOUCHER_EXPIRED,
    ),
    "giftcard.issue.v1": (
        Card.GIFT_CARD_EXISTS,
        Card.SERIAL_NUMBER_IN_USE,
        Card.CARD_TYPE_UNKNOWN,
        Card.CARD_TYPE_RETIRED,
        Card.CURRENCY_MISMATCH,
        Card.TRANSACTION_CANCELLED,
        Card.TOO_MANY_DECIMALS,
        Card.LOAD_TOO_SMALL,
        Card.LOAD_LIMIT_EXCEEDED,
        Card.BALANCE_LIMIT_EXCEEDED,
    ),
    "giftcard.open_batch.v1": (Card.BATCH_EXISTS, Card.CARD_TYPE_UNKNOWN, Card.CARD_TYPE_RETIRED),
    "giftcard.activate.v1": (
        *_USABLE,
        Card.TRANSACTION_CANCELLED,
        Card.CURRENCY_MISMATCH,
        Card.RELOAD_NOT_ALLOWED,
        Card.TOO_MANY_DECIMALS,
        Card.LOAD_TOO_SMALL,
        Card.LOAD_LIMIT_EXCEEDED,
        Card.BALANCE_LIMIT_EXCEEDED,
    ),
    "giftcard.redeem.v1": (
        *_USABLE,
        Card.TRANSACTION_CANCELLED,
        Card.CURRENCY_MISMATCH,
        Card.GIFT_CARD_NOT_ACTIVE,
        Card.TOO_MANY_DECIMALS,
        Card.INSUFFICIENT_BALANCE,
    ),
    "giftcard.cancel.v1": (
        *_USABLE,
        Card.NOT_CANCELLABLE,
        Card.NOT_LATEST_MUTATION,
        Card.MUTATION_FOREIGN,
        Card.TOO_MANY_CANCELS_WAIT,
        Card.TRANSACTION_OPEN,
    ),
    "giftcard.void.v1": (*_USABLE, Card.TRANSACTION_OPEN),
    "giftcard.refund.v1": (*_USABLE, Card.TRANSACTION_OPEN),
    "customer.create.v1": (
        *_CONTACTS,
        Customer.CARD_IN_USE,
        Customer.CUSTOMER_EXISTS,
        Customer.CUSTOMER_ID_INVALID,
    ),
    "customer.update.v1": (*_LIVING, *_CONTACTS),
    "customer.add_card.v1": (*_LIVING, Customer.CARD_IN_USE, Customer.TOO_MANY_CARDS),
    "customer.replace_card.v1": (
        *_LIVING,
        Customer.CARD_IN_USE,
        Customer.CARD_UNKNOWN,
        Customer.CARD_REPLACED,
        Customer.TOO_MANY_CARDS,
    ),
    "customer.set_state.v1": (Customer.CUSTOMER_UNKNOWN, Customer.CUSTOMER_ANONYMISED),
    "customer.anonymise.v1": (Customer.CUSTOMER_UNKNOWN,),
}

REFUSAL_CODES: Mapping[str, tuple[str, ...]] = {
    command: tuple(dict.fromkeys((*map(str, codes), TOO_LARGE))) for command, codes in _CODES.items()
}
"""By command. Each may be refused as `too_large`, which the runtime does."""
