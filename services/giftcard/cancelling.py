"""Cancelling the latest mutation of a gift card (rules 4.4.5).

A cancel is a mutation itself, so what lies before it cannot be cancelled any more. What a cancel names and the journal
does not know has not arrived yet: it is recorded, and the transaction is refused when it comes.
"""

from schemas.giftcards import CancelMutation, CancelRecorded, CardCancelled, CardRefusal, CardStatus
from services.giftcard.booking import (
    Outcome,
    States,
    accepted,
    booked,
    card_of,
    ended,
    in_transaction,
    of_other_provider,
    result_of,
    source_of,
    unchanged,
)
from services.giftcard.state import CANCEL_KEPT, CANCELS_WAITING_MAX, Card, Mutation, card_stream
from shared.decider import Accepted, Command, Entry, Rejected, Streams, entry_key
from shared.ids import mutation_id

REJECTED = "rejected"


def cancel_streams(command: Command, payload: CancelMutation) -> Streams:
    """The card, and what the journal knows of the transaction that is named."""
    named = payload.transaction_id
    entries = () if named is None else (mutation_id(command.store, payload.card_id, named), named)
    return Streams((card_stream(command.store, payload.card_id),), entries=entries)


def cancel(command: Command, payload: CancelMutation, states: States) -> Outcome:
    """Undo the latest mutation when it is the one that is meant; else say why not, or record the cancel."""
    card = card_of(command, states, payload.card_id)
    if refused := of_other_provider(card, payload.switch_id):
        return refused
    if payload.transaction_id is None:
        return _cancel_own(command, payload, card)
    return _cancel_named(command, payload, payload.transaction_id, card, states)


def _cancel_own(command: Command, payload: CancelMutation, card: Card) -> Outcome:
    """Cancel the latest mutation, which has to come from the same shop, till and receipt as the cancel."""
    latest, context = card.latest, payload.context
    if refused := ended(card, command.now):
        return refused
    if latest is None or not _undoes(payload, latest):
        detail = f"the latest mutation of the gift card is not of the kind {payload.mutation}"
        return Rejected(CardRefusal.NOT_LATEST_MUTATION, detail, "/mutation")
    own = (context.shop_id, context.pos_id, context.receipt_nr)
    if None in own or own != (latest.shop, latest.till, latest.receipt):
        detail = "the latest mutation has another shop, till or receipt; name its transaction to cancel it"
        return Rejected(CardRefusal.MUTATION_FOREIGN, detail, "/context")
    return _undone(command, payload, card, latest)


def _cancel_named(command: Command, payload: CancelMutation, named: str, card: Card, states: States) -> Outcome:
    """Cancel the transaction that is named, from any till, as long as it is the latest mutation."""
    latest = card.latest
    if latest is not None and latest.kind == "cancel" and latest.cancels == named:
        return unchanged(card, named)
    if latest is not None and latest.transaction_id == named:
        if not _undoes(payload, latest):
            detail = f"the transaction is of the kind {latest.kind}"
            return Rejected(CardRefusal.NOT_CANCELLABLE, detail, "/transactionId")
        if refused := ended(card, command.now):
            return refused
        return _undone(command, payload, card, latest)
    known = _entry(command, payload, named, states)
    if known is None:
        return _recorded(command, payload, named, card)
    if known.status == REJECTED and card.status is not None:
        return unchanged(card, named)
    detail = "something else has happened to the gift card since, or the transaction was cancelled"
    return ended(card, command.now) or Rejected(CardRefusal.NOT_LATEST_MUTATION, detail, "/transactionId")


def _undoes(payload: CancelMutation, latest: Mutation) -> bool:
    """Whether the cancel is of that kind: an issue is an activation, too."""
    return latest.kind == payload.mutation or (latest.kind, payload.mutation) == ("issue", "activate")


def _undone(command: Command, payload: CancelMutation, card: Card, latest: Mutation) -> Outcome:
    """Put the balance, the status and the expiry back; a card that was issued becomes void."""
    if latest.operation is not None:
        detail = f"it belongs to the transaction {latest.transaction_id}, which can be reversed as a whole"
        return Rejected(CardRefusal.NOT_CANCELLABLE, detail, "/mutation")
    if refused := in_transaction(card):
        return refused
    before = latest.status_before
    event = booked(
        CardCancelled,
        command,
        card,
        payload.context,
        status=CardStatus.VOID if before is None else before,
        delta=-latest.delta,
        transaction_id=None,
        expires_at=latest.expires_before,
        cancels=latest.transaction_id,
    )
    return accepted(command, card, event)


def _recorded(command: Command, payload: CancelMutation, named: str, card: Card) -> Outcome:
    """Remember that the transaction was cancelled before it arrived."""
    waiting = [each for each in card.awaited if command.now - each.at < CANCEL_KEPT]
    result = {"cardId": card.card_id} if card.status is None else result_of(card, named, 0)
    if any(each.transaction_id == named for each in waiting):
        return Accepted((), {**result, "transactionId": named, "amount": 0})
    if len(waiting) >= CANCELS_WAITING_MAX:
        detail = f"{CANCELS_WAITING_MAX} cancels wait for their transactions on this gift card"
        return Rejected(CardRefusal.TOO_MANY_CANCELS_WAIT, detail, "/transactionId")
    event = CancelRecorded(
        card_id=card.card_id, transaction_id=named, source=source_of(payload.context), booked_at=command.now
    )
    stream = card_stream(command.store, card.card_id)
    return Accepted(((stream, event),), {**result, "transactionId": named, "amount": 0})


def _entry(command: Command, payload: CancelMutation, named: str, states: States) -> Entry | None:
    """What the journal has of the transaction, under its caller's id or its command's."""
    for id_ in (mutation_id(command.store, payload.card_id, named), named):
        entry = states.get(entry_key(id_))
        if isinstance(entry, Entry):
            return entry
    return None
