"""The wire of the points service: its commands, events, refusals, the public change stream, and its snapshots.

Amounts in events, changes and snapshots are integers in the programme's smallest unit (`scale` digits after the
point). Times are UTC instants. The journal stores events in exactly this shape.
"""

from enum import StrEnum
from typing import Annotated, Literal, get_args

from pydantic import Field

from schemas.base import Amount, Instant, Key, Published, Wire
from schemas.programme import Programme, ProgrammeState
from schemas.transaction import Context, Transaction


class PostTransaction(Transaction):
    """`points.post_transaction.v1`: loads and redemptions over several programmes, all or nothing (RULES 4.2.1)."""

    account_number: Key


class Adjust(Wire):
    """`points.adjust.v1`: a correction by hand; a negative one beyond the balance is refused (RULES 4.1.6)."""

    account_number: Key
    programme: Key
    value: Amount
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    active_from: Instant | None = None
    expires_at: Instant | None = None
    context: Context = Context()


class PutProgramme(Wire):
    """`points.put_programme.v1`: declare a programme, or a new version of it; an equal one is a no-op."""

    programme: Programme


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
    BALANCE_LIMIT_EXCEEDED = "balance_limit_exceeded"
    TOO_MANY_LOTS = "too_many_lots"
    EXPIRY_IN_PAST = "expiry_in_past"
    EXPIRY_BEFORE_ACTIVATION = "expiry_before_activation"
    SCHEDULED_DEBIT = "scheduled_debit"
    VOUCHERS_UNAVAILABLE = "vouchers_unavailable"
    SCALE_CHANGED = "scale_changed"
    UNIT_CHANGED = "unit_changed"
    PROGRAMME_MISMATCH = "programme_mismatch"


class PointsRejected(Published):
    """`points.<what>_rejected.v1`: the command changed nothing; `pointer` names its first wrong part."""

    command: str
    code: str
    detail: str
    pointer: str | None = None


class Source(Published):
    """Where a movement comes from, in the words of whoever caused it."""

    order: str | None = None
    receipt: str | None = None
    shop: str | None = None
    till: str | None = None
    operator: str | None = None


class LotPart(Published):
    """An amount put into or taken from one lot; `lot` is unique within the account's programme."""

    lot: int
    amount: int
    active_from: Instant | None = None
    expires_at: Instant | None = None
    restriction: str | None = None
    campaign: str | None = None


class AccountOpened(Published):
    """`points.account_opened.v1`: the number's first credit opened an account without an owner."""

    type: Literal["points.account_opened.v1"] = "points.account_opened.v1"
    account: str
    account_number: str
    booked_at: Instant


class ProgrammeApplied(Published):
    """`points.programme_applied.v1`: the programme has these rules from now on."""

    type: Literal["points.programme_applied.v1"] = "points.programme_applied.v1"
    programme: Programme
    version: int
    booked_at: Instant


class _Booking(Published):
    """What every booking says. `transaction_id` is the command's id, `operation` its index in processing order.

    Operations of value zero count too. What was due before the command's own operations has operation -1 and an
    empty source, and occurred when it was due. The order of processing: loads, then redemptions (RULES 4.2.1).
    """

    account: str
    account_number: str
    programme: str
    programme_version: int
    scale: int
    transaction_id: str
    operation: int
    source: Source = Source()
    reason: str | None = None
    occurred_at: Instant
    booked_at: Instant
    lots: tuple[LotPart, ...]
    account_expires_at: Instant | None = None


class Scheduled(_Booking):
    """`points.scheduled.v1`: a credit that becomes active later. No movement; it enters by an activation."""

    type: Literal["points.scheduled.v1"] = "points.scheduled.v1"
    amount: int


class _Movement(_Booking):
    """A booking that moves the balance: `sequence` runs over the whole account, the sums are those after it."""

    sequence: int
    delta: int
    pending_delta: int = 0
    booked: int
    pending: int = 0


class Loaded(_Movement):
    """`points.loaded.v1`: a credit, active at once."""

    type: Literal["points.loaded.v1"] = "points.loaded.v1"
    kind: Literal["load"] = "load"


class Redeemed(_Movement):
    """`points.redeemed.v1`: points spent; `lots` says from where, in spending order."""

    type: Literal["points.redeemed.v1"] = "points.redeemed.v1"
    kind: Literal["redeem"] = "redeem"


class Adjusted(_Movement):
    """`points.adjusted.v1`: a correction by hand, up or down."""

    type: Literal["points.adjusted.v1"] = "points.adjusted.v1"
    kind: Literal["adjust"] = "adjust"


class Activated(_Movement):
    """`points.activated.v1`: the time of a future-dated credit has come."""

    type: Literal["points.activated.v1"] = "points.activated.v1"
    kind: Literal["activate"] = "activate"


class Expired(_Movement):
    """`points.expired.v1`: what was left of a lot (`reason` lot), or of the programme's account (`account`)."""

    type: Literal["points.expired.v1"] = "points.expired.v1"
    kind: Literal["expire"] = "expire"


Movement = Loaded | Redeemed | Adjusted | Activated | Expired
PointsEvent = Annotated[AccountOpened | ProgrammeApplied | Scheduled | Movement, Field(discriminator="type")]


class PointsChanged(Published):
    """`points.changed.v1` on `points.changes`: one balance movement, in order of `sequence` per account.

    A public contract (DESIGN 3): fields are added, never renamed; kinds are an open list.
    """

    account: str
    account_number: str
    programme: str
    programme_version: int
    sequence: int
    kind: str
    delta: int
    pending_delta: int
    scale: int
    booked: int
    pending: int
    transaction_id: str
    operation: int
    source: Source
    reason: str | None
    occurred_at: Instant
    booked_at: Instant


class DatedAmount(Published):
    """An amount that something happens to at an instant; no instant means never."""

    at: Instant | None
    amount: int


class BalanceView(Published):
    """One programme of an account. `balance` is what may be spent; the counters run over its whole life."""

    programme: str
    scale: int
    balance: int
    booked: int
    earned: int
    redeemed: int
    expired: int
    adjusted_up: int
    adjusted_down: int
    expiring: tuple[DatedAmount, ...]
    scheduled: tuple[DatedAmount, ...]
    account_expires_at: Instant | None


class AccountView(Published):
    """`points.account.v1` on `points.snapshots`: an account with all its programmes."""

    account: str
    account_number: str
    sequence: int
    balances: tuple[BalanceView, ...]
    booked_at: Instant


class ProgrammeView(Published):
    """`points.programme.v1` on `points.snapshots`: a programme's current rules."""

    programme: Programme
    version: int
    state: ProgrammeState


class BalanceResult(Published):
    """A balance after a command, in the smallest unit."""

    loyalty_program_id: str
    points_balance: int
    scale: int


class TransactionResult(Published):
    """What an accepted transaction answers; vouchers stay empty until there is a voucher service."""

    transaction_id: str
    balances: tuple[BalanceResult, ...]
    issued_vouchers: tuple[str, ...] = ()
    redeemed_vouchers: tuple[str, ...] = ()
    voided_vouchers: tuple[str, ...] = ()


COMMANDS: dict[str, type[Wire]] = {
    "points.post_transaction.v1": PostTransaction,
    "points.adjust.v1": Adjust,
    "points.put_programme.v1": PutProgramme,
}

REJECTIONS: dict[str, str] = {
    "points.post_transaction.v1": "points.transaction_rejected.v1",
    "points.adjust.v1": "points.adjustment_rejected.v1",
    "points.put_programme.v1": "points.programme_rejected.v1",
}

EVENTS: dict[str, type[Published]] = {
    event.model_fields["type"].default: event for event in get_args(get_args(PointsEvent)[0])
}

CHANGED = "points.changed.v1"
ACCOUNT_VIEW = "points.account.v1"
PROGRAMME_VIEW = "points.programme.v1"
