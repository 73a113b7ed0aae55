"""A gift card's part of a transaction, or of a reversal: what it pays is held until the transaction closes (rules 4.2).

A card decides once on each of a transaction's operations. Where no voucher takes part, the hold of the last card
decides the whole transaction.
"""

from dataclasses import replace
from typing import Any

from schemas.base import Wire
from schemas.giftcard_saga import (
    HOLD_CARD,
    CancelHold,
    CardHoldPlaced,
    HeldCard,
    HoldCard,
    PaymentCancelled,
    PaymentHeld,
    PaymentRefused,
)
from schemas.giftcards import CardRefusal, CardStatus
from schemas.voucher_saga import (
    CLOSE_REVERSAL,
    CLOSE_TRANSACTION,
    Answer,
    CloseReversal,
    CloseTransaction,
    Decision,
)
from services.giftcard.booking import Outcome, States, card_of, ended, minor_of, payment_of
from services.giftcard.evolve import evolve
from services.giftcard.redeeming import payable, uncovered
from services.giftcard.state import HOLDS_MAX, Card, Event, Payment, card_stream, payment_stream
from shared.decider import Accepted, Command, Document, FollowUp, Rejected, Streams
from shared.ids import closing_id


def hold_streams(command: Command, payload: HoldCard) -> Streams:
    """The card and its part of the transaction; of a reversal, what the card has paid in the original."""
    store, card = command.store, payload.card
    writes = (card_stream(store, card.card_id), payment_stream(store, payload.transaction_id, card.operation))
    reads = () if payload.reverses is None else (payment_stream(store, payload.reverses, card.operation),)
    return Streams(writes, reads)


def cancel_streams(command: Command, payload: CancelHold) -> Streams:
    """The card's part of the transaction."""
    return Streams((payment_stream(command.store, payload.transaction_id, payload.operation),))


def hold(command: Command, payload: HoldCard, states: States) -> Outcome:
    """Set the amount aside and send the hold on; or decide that nothing is done. What was decided stands."""
    wanted, transaction = payload.card, payload.transaction_id
    payment = payment_of(command, states, transaction, wanted.operation)
    if payment.decided is not None or payment.executed is not None:
        return Accepted((), {}, told(payment))
    card = card_of(command, states, wanted.card_id)
    amount = _too_late(command, payload) or _amount(command, payload, card, states)
    if isinstance(amount, Rejected):
        return _refused(command, payload, payment, _placed(amount, wanted, payload.reverses))
    placed = CardHoldPlaced(
        card_id=card.card_id,
        transaction_id=transaction,
        operation=wanted.operation,
        amount=amount,
        gives_back=payload.reverses is not None,
        booked_at=command.now,
    )
    held = _held(command, payload, card, amount)
    streams = hold_streams(command, payload).writes
    events: tuple[tuple[str, Event], ...] = ((streams[0], placed), (streams[1], held))
    after = {streams[0]: evolve(card, placed), streams[1]: evolve(payment, held)}
    return Accepted(events, _result(held), (_next(payload, held),), states=after)


def cancel_hold(command: Command, payload: CancelHold, states: States) -> Outcome:
    """Decide that nothing shall come of the transaction, unless the card has decided before."""
    payment = payment_of(command, states, payload.transaction_id, payload.operation)
    if payment.decided is not None or payment.executed is not None:
        return Accepted((), {}, told(payment))
    event = PaymentCancelled(
        transaction_id=payload.transaction_id,
        operation=payload.operation,
        account=payload.account,
        card_id=payload.card_id,
        booked_at=command.now,
    )
    stream = payment_stream(command.store, payload.transaction_id, payload.operation)
    return Accepted(((stream, event),), _result(event), (_close(event),))


def told(payment: Payment) -> tuple[FollowUp, ...]:
    """The decision that stands, once more; nothing when the card's part decides nothing, or was let go unheld."""
    decided = payment.decided
    if decided is None or (isinstance(decided, PaymentHeld) and not decided.decides):
        return ()
    return (_close(decided),)


def _too_late(command: Command, payload: HoldCard) -> Rejected | None:
    if payload.deadline is None or command.now <= payload.deadline:
        return None
    return Rejected(CardRefusal.TOO_LATE, "the transaction's time was over before its gift card was looked at")


def _amount(command: Command, payload: HoldCard, card: Card, states: States) -> int | Rejected:
    """What is to be held, in the smallest unit; or why it cannot be."""
    if len(card.holds) >= HOLDS_MAX:
        detail = f"a gift card takes part in at most {HOLDS_MAX} open transactions"
        return Rejected(CardRefusal.TOO_MANY_OPEN_TRANSACTIONS, detail, "/cardId")
    if payload.reverses is not None:
        return _to_give_back(command, payload, card, payload.reverses, states)
    wanted = payload.card
    amount = payable(card, wanted.amount, wanted.currency, command.now)
    if isinstance(amount, Rejected):
        return amount
    return uncovered(card, amount) or amount


def _to_give_back(command: Command, payload: HoldCard, card: Card, original: str, states: States) -> int | Rejected:
    """What a card gets back that paid in `original`: also one that is used up, or has expired since."""
    if card.status_at(command.now) is not CardStatus.EXPIRED and (refused := ended(card, command.now)):
        return refused
    paid = payment_of(command, states, original, payload.card.operation)
    held = paid.decided
    if paid.executed is not True or not isinstance(held, PaymentHeld) or held.card_id != card.card_id:
        return Rejected(CardRefusal.TRANSACTION_UNKNOWN, "the gift card has not paid in this transaction")
    return minor_of(payload.card.amount, card)


def _placed(refused: Rejected, wanted: HeldCard, reverses: str | None) -> Rejected:
    """The refusal with its place in the caller's body; a reversal names the operation, and nothing of the card."""
    if reverses is not None:
        return replace(refused, pointer=wanted.pointer)
    return replace(refused, pointer=wanted.pointer + (refused.pointer or ""))


def _held(command: Command, payload: HoldCard, card: Card, amount: int) -> PaymentHeld:
    last = payload.at + 1 == len(payload.cards)
    return PaymentHeld(
        transaction_id=payload.transaction_id,
        operation=payload.card.operation,
        account=payload.account,
        card_id=card.card_id,
        amount=amount,
        currency=card.pinned.currency,
        scale=card.scale,
        reverses=payload.reverses,
        decides=last and payload.execute is None and payload.undo is None,
        reason=payload.reason,
        source=payload.source,
        comment=payload.comment,
        occurred_at=payload.occurred_at,
        booked_at=command.now,
    )


def _refused(command: Command, payload: HoldCard, payment: Payment, refused: Rejected) -> Outcome:
    event = PaymentRefused(
        transaction_id=payload.transaction_id,
        operation=payload.card.operation,
        account=payload.account,
        card_id=payload.card.card_id,
        reverses=payload.reverses,
        code=str(refused.code),
        detail=refused.detail,
        pointer=refused.pointer,
        booked_at=command.now,
    )
    stream = payment_stream(command.store, payload.transaction_id, payload.card.operation)
    return Accepted(((stream, event),), _result(event), (_close(event),), states={stream: evolve(payment, event)})


def _next(payload: HoldCard, held: PaymentHeld) -> FollowUp:
    """The hold of the next card; after the last one the vouchers' part, or the decision."""
    if payload.at + 1 < len(payload.cards):
        further = payload.model_copy(update={"at": payload.at + 1})
        return FollowUp("giftcard.commands", HOLD_CARD, further.card.card_id, _body(further))
    if payload.execute is not None:
        return FollowUp("voucher.commands", "voucher.execute.v1", payload.account, _body(payload.execute))
    if payload.undo is not None:
        return FollowUp("voucher.commands", "voucher.reverse.v1", payload.account, _body(payload.undo))
    return _close(held, snapshots=True)


def _close(event: PaymentHeld | PaymentRefused | PaymentCancelled, snapshots: bool = False) -> FollowUp:
    """The command that tells the points service, always with the same id and content (but for the snapshots)."""
    reverses = None if isinstance(event, PaymentCancelled) else event.reverses
    if reverses is None:
        name: str = CLOSE_TRANSACTION
        closing: Answer = CloseTransaction(transaction_id=event.transaction_id, **_said(event))
    else:
        name = CLOSE_REVERSAL
        closing = CloseReversal(reversal_id=event.transaction_id, transaction_id=reverses, **_said(event))
    body = closing.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return FollowUp("points.commands", name, event.account, body, closing_id(event.transaction_id), snapshots)


def _said(event: PaymentHeld | PaymentRefused | PaymentCancelled) -> dict[str, Any]:
    match event:
        case PaymentHeld():
            return {"account": event.account, "decision": Decision.EXECUTED}
        case PaymentCancelled():
            return {"account": event.account, "decision": Decision.CANCELLED}
        case PaymentRefused():
            why = {"code": event.code, "detail": event.detail, "pointer": event.pointer}
            return {"account": event.account, "decision": Decision.REFUSED, **why}


def _body(payload: Wire) -> Document:
    return payload.model_dump(mode="json", by_alias=True, exclude_none=True)


def _result(event: PaymentHeld | PaymentRefused | PaymentCancelled) -> Document:
    return {"transactionId": event.transaction_id, "operation": event.operation}
