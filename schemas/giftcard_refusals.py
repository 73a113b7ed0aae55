"""Why the gift card service refuses: the closed list of codes, and the event of a refusal."""

from enum import StrEnum

from schemas.refusals import Refused


class CardRefusal(StrEnum):
    """Why the gift card service refuses; the closed list of codes."""

    CARD_TYPE_UNKNOWN = "card_type_unknown"
    CARD_TYPE_RETIRED = "card_type_retired"
    CARD_TYPE_MISMATCH = "card_type_mismatch"
    GIFT_CARD_EXISTS = "gift_card_exists"
    SERIAL_NUMBER_IN_USE = "serial_number_in_use"
    GIFT_CARD_UNKNOWN = "gift_card_unknown"
    GIFT_CARD_NOT_ACTIVE = "gift_card_not_active"
    GIFT_CARD_EXPIRED = "gift_card_expired"
    GIFT_CARD_VOID = "gift_card_void"
    GIFT_CARD_REFUNDED = "gift_card_refunded"
    RELOAD_NOT_ALLOWED = "reload_not_allowed"
    CURRENCY_MISMATCH = "currency_mismatch"
    TOO_MANY_DECIMALS = "too_many_decimals"
    LOAD_LIMIT_EXCEEDED = "load_limit_exceeded"
    LOAD_TOO_SMALL = "load_too_small"
    BALANCE_LIMIT_EXCEEDED = "balance_limit_exceeded"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    TRANSACTION_CANCELLED = "transaction_cancelled"
    NOT_CANCELLABLE = "not_cancellable"
    NOT_LATEST_MUTATION = "not_latest_mutation"
    MUTATION_FOREIGN = "mutation_foreign"
    TOO_MANY_CANCELS_WAIT = "too_many_cancels_wait"
    TRANSACTION_OPEN = "transaction_open"
    TRANSACTION_UNKNOWN = "transaction_unknown"
    TOO_MANY_OPEN_TRANSACTIONS = "too_many_open_transactions"
    TOO_LATE = "too_late"
    EXPIRY_IN_PAST = "expiry_in_past"
    BATCH_EXISTS = "batch_exists"
    BATCH_UNKNOWN = "batch_unknown"
    BATCH_NOT_FILLED = "batch_not_filled"
    BATCH_EXPORT_OPEN = "batch_export_open"
    BATCH_EXPORTED = "batch_exported"
    BATCH_EXPORT_UNKNOWN = "batch_export_unknown"


class CardRejected(Refused):
    """`giftcard.<what>_rejected.v1`: the command of the gift card service was refused."""
