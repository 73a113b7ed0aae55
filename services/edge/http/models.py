"""The shapes of answers, for the OpenAPI document; the answers themselves are written as bytes by answers.py.

And of a body that differs from its command.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, WithJsonSchema

from schemas.base import Published
from schemas.changes import OpenKind
from schemas.movements import Unit
from schemas.points import AccountState, PinTier, Source
from schemas.text import Key
from schemas.voucher_saga import IssuedVoucher, VoucherDone

Number = Annotated[Decimal, WithJsonSchema({"type": "number"})]
"""An exact JSON number in whole units; read it as a decimal, not as a float."""

InstantText = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""A UTC instant, RFC 3339 with milliseconds."""


class BalanceAnswer(Published):
    """What may be spent in one programme after a transaction."""

    loyalty_program_id: str
    points_balance: Number


class TransactionAnswer(Published):
    """An accepted transaction: the balances after it, and what it did with which vouchers."""

    transaction_id: str
    balances: tuple[BalanceAnswer, ...]
    issued_vouchers: tuple[IssuedVoucher | VoucherDone, ...]
    redeemed_vouchers: tuple[VoucherDone, ...]
    voided_vouchers: tuple[VoucherDone, ...]


class ReversedAnswer(Published):
    """How much of an operation was undone, in whole units."""

    operation: int
    programme: str
    amount: Number


class ReversalAnswer(TransactionAnswer):
    """An accepted reversal; `voidedVouchers` were bought by the transaction, `restoredVouchers` redeemed by it."""

    reversed: tuple[ReversedAnswer, ...]
    restored_vouchers: tuple[VoucherDone, ...]


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


class TierPin(PinTier):
    """Hold an account at a level by hand, until that is taken back."""

    code: Key


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


class FaultAnswer(Published):
    """One thing wrong with a body."""

    code: str
    pointer: str | None
    detail: str


class ProblemDocument(Published):
    """An RFC 9457 problem document. `code` is stable and listed in docs/problems.md; `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    pointer: Annotated[str, Field(description="JSON pointer to the first wrong part of the body.")] = ""
    errors: tuple[FaultAnswer, ...] = ()
    parameter: Annotated[str, Field(description="Of `invalid_parameter`: its name.")] = ""
    operation_id: Annotated[str, Field(description="Of `outcome_unknown`: what to poll.")] = ""
    command_id: Annotated[str, Field(description="Of `outcome_unknown`: the command.")] = ""
    reason: Annotated[str, Field(description="Of `dead_lettered`: why it was put aside.")] = ""


class PendingAnswer(Published):
    """The outcome is open; poll `/operations/{operationId}`."""

    operation_id: str
    command_id: str
    status: Literal["pending"]


class OperationAnswer(Published):
    """How an operation ended. `never_accepted` is definite: it has no effect and never will have one."""

    operation_id: str
    command_id: str
    status: Literal["accepted", "rejected", "never_accepted", "too_late", "dead_lettered"]
    result: Annotated[
        dict[str, Any] | None, Field(description="What it answered; null or absent unless it was accepted.")
    ] = None
    problem: Annotated[
        ProblemDocument | None, Field(description="Why it was not accepted; null or absent when it was.")
    ] = None


class TokenAnswer(BaseModel):
    """An access token (RFC 6749 5.1); send it as `Authorization: Bearer …`."""

    access_token: Annotated[str, Field(description="The token, a JSON Web Token; treat it as opaque.")]
    token_type: Annotated[Literal["Bearer"], Field(description="How to send it.")]
    expires_in: Annotated[int, Field(description="For how many seconds it is good.")]
    scope: Annotated[str, Field(description="What it covers, with spaces between the scopes.")]


class TokenError(BaseModel):
    """Why there is no token (RFC 6749 5.2)."""

    error: Annotated[
        Literal["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"],
        Field(description="The code, as RFC 6749 5.2 lists them."),
    ]
    error_description: Annotated[str, Field(description="What is wrong, for people; it may change.")]
