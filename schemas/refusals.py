"""Why the services refuse: the closed lists of codes, and the event of a refusal."""

from enum import StrEnum

from schemas.base import Published


class PointsRefusal(StrEnum):
    """Why the points service refuses; the closed list of codes."""

    PROGRAMME_UNKNOWN = "programme_unknown"
    PROGRAMME_RETIRED = "programme_retired"
    ACCOUNT_UNKNOWN = "account_unknown"
    ACCOUNT_MISMATCH = "account_mismatch"
    VALUE_NEGATIVE = "value_negative"
    VALUE_ZERO = "value_zero"
    TOO_MANY_DECIMALS = "too_many_decimals"
    INSUFFICIENT_POINTS = "insufficient_points"
    LOAD_LIMIT_EXCEEDED = "load_limit_exceeded"
    THRESHOLD_LIMIT_EXCEEDED = "threshold_limit_exceeded"
    BALANCE_LIMIT_EXCEEDED = "balance_limit_exceeded"
    TOO_MANY_LOTS = "too_many_lots"
    EXPIRY_IN_PAST = "expiry_in_past"
    EXPIRY_BEFORE_ACTIVATION = "expiry_before_activation"
    SCHEDULED_DEBIT = "scheduled_debit"
    VOUCHER_NOT_OFFERED = "voucher_not_offered"
    TRANSACTION_TIMED_OUT = "transaction_timed_out"
    TRANSACTION_OPEN = "transaction_open"
    TOO_MANY_OPEN_TRANSACTIONS = "too_many_open_transactions"
    SCALE_CHANGED = "scale_changed"
    UNIT_CHANGED = "unit_changed"
    PROGRAMME_MISMATCH = "programme_mismatch"
    ACCOUNT_SPENDING_BLOCKED = "account_spending_blocked"
    ACCOUNT_SUSPENDED = "account_suspended"
    ACCOUNT_CLOSED = "account_closed"
    NUMBER_IN_USE = "number_in_use"
    TOO_MANY_NUMBERS = "too_many_numbers"
    TOO_MANY_INPUTS_WAIT = "too_many_inputs_wait"
    ORDER_ALREADY_EARNS = "order_already_earns"
    RECEIPT_ALREADY_LOADED = "receipt_already_loaded"
    ORDER_CONFLICT = "order_conflict"
    ORDER_ACCOUNT_MISMATCH = "order_account_mismatch"
    ORDER_AMENDMENT_BELOW_FACTS = "order_amendment_below_facts"
    ORDER_EXCEEDED = "order_exceeded"
    RETURN_EXCEEDS_FULFILLED = "return_exceeds_fulfilled"
    ORDER_LINE_UNKNOWN = "order_line_unknown"
    ORDER_FACT_CONFLICT = "order_fact_conflict"
    TOO_MANY_FACTS = "too_many_facts"
    ORDER_TOO_LARGE = "order_too_large"
    CURRENCY_CHANGED = "currency_changed"
    SHOP_REQUIRED = "shop_required"
    ORDER_NUMBERS_FIXED = "order_numbers_fixed"
    TRANSACTION_UNKNOWN = "transaction_unknown"
    TRANSACTION_FOREIGN = "transaction_foreign"
    REVERSED_OPERATION_UNKNOWN = "reversed_operation_unknown"
    NOT_REVERSIBLE = "not_reversible"
    ALREADY_REVERSED = "already_reversed"
    REVERSAL_EXCEEDS_ORIGINAL = "reversal_exceeds_original"
    TIER_SET_UNKNOWN = "tier_set_unknown"
    TIER_SET_MISMATCH = "tier_set_mismatch"
    TIER_UNKNOWN = "tier_unknown"
    TIER_SET_FIXED = "tier_set_fixed"
    PRIMARY_TAKEN = "primary_taken"


class RefusedInput(Published):
    """The record of another system that a refused command was translated from: its topic, `ce_source` and `ce_id`."""

    topic: str
    source: str
    id: str


class Refused(Published):
    """What every refusal says: the command changed nothing; `pointer` names its first wrong part.

    `sender` is the `ce_source` of the command: `/edge` for HTTP, `/points/reactions` for inputs, which `input` names.
    """

    command: str
    code: str
    detail: str
    pointer: str | None = None
    sender: str | None = None
    input: RefusedInput | None = None


class PointsRejected(Refused):
    """`points.<what>_rejected.v1`: whose account it was about, and which order of which shop, or which receipt."""

    account_number: str | None = None
    order: str | None = None
    shop: str | None = None


class VoucherRefusal(StrEnum):
    """Why the voucher service refuses; the closed list of codes. The first seven are checked in this order (4.3.3)."""

    VOUCHER_UNKNOWN = "voucher_unknown"
    VOUCHER_FOREIGN = "voucher_foreign"
    VOUCHER_VOID = "voucher_void"
    VOUCHER_REDEEMED = "voucher_redeemed"
    VOUCHER_EXPIRED = "voucher_expired"
    VOUCHER_NOT_YET_VALID = "voucher_not_yet_valid"
    PROGRAMME_MISMATCH = "programme_mismatch"
    VOUCHER_USED = "voucher_used"
    DEFINITION_UNKNOWN = "definition_unknown"
    DEFINITION_RETIRED = "definition_retired"
    DEFINITION_MISMATCH = "definition_mismatch"
    BEARER_NOT_ALLOWED = "bearer_not_allowed"
    ACCOUNT_MISMATCH = "account_mismatch"
    SERIAL_IN_USE = "serial_in_use"
    EXPIRY_IN_PAST = "expiry_in_past"
    EXPIRY_BEFORE_ACTIVATION = "expiry_before_activation"
    TOO_MANY_DECIMALS = "too_many_decimals"
    TOO_LATE = "too_late"


class VoucherRejected(Refused):
    """`voucher.<what>_rejected.v1`: the command of the voucher service was refused."""
