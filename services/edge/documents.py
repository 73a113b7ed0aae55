"""The shapes of answers, for the OpenAPI document; the answers themselves are written as bytes by answers.py."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from schemas.base import Published

Number = Annotated[Decimal, WithJsonSchema({"type": "number"})]
"""An exact JSON number in whole units; read it as a decimal, not as a float."""

InstantText = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""A UTC instant, RFC 3339 with milliseconds."""


class BalanceAnswer(Published):
    """What may be spent in one programme after a transaction."""

    loyalty_program_id: str
    points_balance: Number


class TransactionAnswer(Published):
    """An accepted transaction. The voucher lists stay empty until there is a voucher service."""

    transaction_id: str
    balances: tuple[BalanceAnswer, ...]
    issued_vouchers: tuple[str, ...]
    redeemed_vouchers: tuple[str, ...]
    voided_vouchers: tuple[str, ...]


class DatedAmountAnswer(Published):
    """An amount that something happens to at an instant; no instant means never."""

    at: InstantText | None
    amount: Number


class ProgrammeBalanceAnswer(Published):
    """One programme of an account, in whole units. `balance` may be spent; the counters run over its whole life."""

    programme: str
    scale: Annotated[int, Field(description="Digits after the point that amounts of this programme can have.")]
    balance: Number
    booked: Number
    earned: Number
    redeemed: Number
    expired: Number
    adjusted_up: Number
    adjusted_down: Number
    expiring: tuple[DatedAmountAnswer, ...]
    scheduled: tuple[DatedAmountAnswer, ...]
    account_expires_at: InstantText | None


class AccountAnswer(Published):
    """An account. `version` counts its commands, `sequence` its movements on `points.changes`."""

    account: str
    account_number: str
    version: int
    sequence: int
    booked_at: InstantText
    balances: tuple[ProgrammeBalanceAnswer, ...]


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
    result: Annotated[dict[str, Any] | None, Field(description="Of an accepted operation: what it answered.")] = None
    problem: Annotated[ProblemDocument | None, Field(description="Of one that was not accepted: why.")] = None
