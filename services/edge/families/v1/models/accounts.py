"""Response models of accounts, statements and corrections."""

from typing import Annotated

from pydantic import Field

from schemas.base import Published
from schemas.changes import OpenKind
from schemas.movements import Unit
from schemas.points import AccountState, Source
from schemas.voucher_saga import VoucherDone
from services.edge.families.models import TransactionAnswer
from services.edge.families.v1.models.transactions import PaidCardAnswer
from services.edge.http.models import InstantText, Number


class ReversedAnswer(Published):
    """How much of an operation was undone, in whole units."""

    operation: int
    programme: str
    amount: Number


class ReversalAnswer(TransactionAnswer):
    """An accepted reversal; `voidedVouchers` were bought by the transaction, `restoredVouchers` redeemed by it."""

    reversed: tuple[ReversedAnswer, ...]
    restored_vouchers: tuple[VoucherDone, ...]
    giftcards: Annotated[
        tuple[PaidCardAnswer, ...] | None,
        Field(description="The gift cards that get their money back; null or absent if none does."),
    ] = None


class StateAnswer(TransactionAnswer):
    """What the account may do now."""

    state: str


class ReplacementAnswer(TransactionAnswer):
    """The account's own number, and the one that leads to it now."""

    account_number: str
    new_number: str


class TierPinAnswer(TransactionAnswer):
    """The account's level now."""

    tier_set: str
    code: str | None
    pinned: bool


class DatedAmountAnswer(Published):
    """An amount that something happens to at an instant; no instant means never."""

    at: InstantText | None
    amount: Number


class ProgrammeBalanceAnswer(Published):
    """One programme of an account, in whole units. `balance` may be spent; the counters run over its whole life.

    `pending` waits for orders to be fulfilled; `debt` was revoked beyond what was there.
    """

    programme: str
    scale: Annotated[int, Field(description="Digits after the point that amounts of this programme can have.")]
    balance: Number
    booked: Number
    pending: Number
    debt: Number
    held: Number
    earned: Number
    redeemed: Number
    expired: Number
    adjusted_up: Number
    adjusted_down: Number
    revoked: Number
    given_back: Number
    expiring: tuple[DatedAmountAnswer, ...]
    scheduled: tuple[DatedAmountAnswer, ...]
    account_expires_at: InstantText | None


class NextTierAnswer(Published):
    """The level above, reached at `at` (whole units of points, or of money); `missing` is what is left to it."""

    code: str
    at: Number
    missing: Number


class TierAnswer(Published):
    """An account's place in a tier set; no code is no level. `measure` is what counts so far in the period.

    `downAt` is when the level is lost for `downTo`, unless enough is earned before. The `primary` set's code is the
    customer's level.
    """

    tier_set: str
    code: str | None
    since: InstantText
    pinned: bool
    measure: Number
    scale: int
    period_ends_at: InstantText | None
    down_at: InstantText | None
    down_to: str | None
    primary: bool
    next: NextTierAnswer | None


class AccountAnswer(Published):
    """An account. `version` counts its commands, `sequence` its movements on `points.changes`.

    `numbers` are those that lead here besides its own.
    """

    account: str
    account_number: str
    numbers: tuple[str, ...]
    state: Annotated[str, Field(examples=[state.value for state in AccountState])]
    version: int
    sequence: int
    booked_at: InstantText
    balances: tuple[ProgrammeBalanceAnswer, ...]
    tiers: tuple[TierAnswer, ...]


class PastBalanceAnswer(Published):
    """One programme of an account at an instant, in whole units."""

    programme: str
    scale: int
    unit: Unit | None
    booked: Number
    pending: Number


class PastAccountAnswer(Published):
    """An account as it was at `at`, by time of booking; `sequence` is its last movement until then, 0 before any."""

    account: str
    account_number: str
    at: InstantText
    sequence: int
    balances: tuple[PastBalanceAnswer, ...]


class MovementAnswer(Published):
    """A movement of a balance, in whole units; `booked` and `pending` are the programme's sums after it."""

    sequence: int
    kind: OpenKind
    delta: Number
    pending_delta: Number
    booked: Number
    pending: Number
    unit: Unit | None
    programme: str
    transaction_id: str
    operation: int
    source: Source
    reason: str | None
    occurred_at: InstantText
    booked_at: InstantText
    actor: Annotated[
        str | None,
        Field(
            description="Who had an adjustment or a reversal booked, by the API client's id; null for all else.",
            examples=["client:0199d2a5-7c00-7000-8000-000000000001"],
        ),
    ]


class StatementAnswer(Published):
    """Movements, newest first. `next` is the path of the page with those before them, null when there are none."""

    account: str
    account_number: str
    movements: tuple[MovementAnswer, ...]
    next: str | None
