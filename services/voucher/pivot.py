"""The pivot: the first decision on a transaction or a reversal is final, and is told again (rules 4.2.2)."""

from typing import assert_never

from schemas.vouchers import (
    CLOSE_REVERSAL,
    CLOSE_TRANSACTION,
    CloseReversal,
    CloseTransaction,
    Decision,
    ReversalExecuted,
    ReversalRefused,
    TransactionCancelled,
    TransactionExecuted,
    TransactionRefused,
)
from services.voucher.desk import Desk, Outcome, States
from services.voucher.state import DecisionEvent, Event, Pivot, transaction_stream
from shared.decider import Accepted, Command, Document, FollowUp
from shared.ids import closing_id

SNAPSHOTS_MAX = 20
"""So many vouchers' snapshots go with an answer; those of a larger transaction come by their topic alone."""


def decided(command: Command, transaction: str, states: States) -> Outcome | None:
    """The decision that stands, told once more, booking nothing; None as long as there is none."""
    stream = transaction_stream(command.store, transaction)
    pivot = states[stream]
    if not isinstance(pivot, Pivot):
        raise TypeError(f"{stream} holds no decision")
    if pivot.decision is None:
        return None
    return Accepted((), _result(pivot.decision), (answer(pivot.decision),))


def decide_now(command: Command, event: DecisionEvent, desk: Desk | None = None) -> Outcome:
    """Book the decision, with all that was done on the desk, and tell it."""
    stream = transaction_stream(command.store, _id(event))
    done: tuple[tuple[str, Event], ...] = () if desk is None else tuple(desk.events)
    vouchers = {} if desk is None else desk.states
    told = answer(event, snapshots=0 < len(vouchers) <= SNAPSHOTS_MAX)
    after = {stream: Pivot(_id(event), event), **vouchers}
    return Accepted((*done, (stream, event)), _result(event), (told,), states=after)


def answer(event: DecisionEvent, snapshots: bool = False) -> FollowUp:
    """The command that tells the points service, always with the same id and content (but for the snapshots)."""
    match event:
        case TransactionExecuted():
            closing: CloseTransaction | CloseReversal = CloseTransaction(
                transaction_id=event.transaction_id,
                account=event.account,
                decision=Decision.EXECUTED,
                issued=event.issued,
                redeemed=event.redeemed,
                voided=event.voided,
            )
        case TransactionRefused():
            closing = CloseTransaction(
                transaction_id=event.transaction_id,
                account=event.account,
                decision=Decision.REFUSED,
                code=event.code,
                detail=event.detail,
                pointer=event.pointer,
            )
        case TransactionCancelled():
            closing = CloseTransaction(
                transaction_id=event.transaction_id, account=event.account, decision=Decision.CANCELLED
            )
        case ReversalExecuted():
            closing = CloseReversal(
                reversal_id=event.reversal_id,
                transaction_id=event.transaction_id,
                account=event.account,
                decision=Decision.EXECUTED,
                restored=event.restored,
                voided=event.voided,
            )
        case ReversalRefused():
            closing = CloseReversal(
                reversal_id=event.reversal_id,
                transaction_id=event.transaction_id,
                account=event.account,
                decision=Decision.REFUSED,
                code=event.code,
                detail=event.detail,
                pointer=event.pointer,
            )
        case _:
            assert_never(event)
    name = CLOSE_REVERSAL if isinstance(closing, CloseReversal) else CLOSE_TRANSACTION
    payload = closing.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"snapshots"})
    return FollowUp("points.commands", name, event.account, payload, closing_id(_id(event)), snapshots)


def _id(event: DecisionEvent) -> str:
    return event.reversal_id if isinstance(event, ReversalExecuted | ReversalRefused) else event.transaction_id


def _result(event: DecisionEvent) -> Document:
    payload = answer(event).payload
    return {name: payload[name] for name in ("transactionId", "reversalId", "decision") if name in payload}
