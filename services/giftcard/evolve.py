"""Folding: what one event makes of one stream's state."""

from typing import assert_never

from schemas.giftcard_batches import BatchCardsCreated, BatchExportBegun, BatchExportConfirmed, BatchOpened
from schemas.giftcard_saga import CardHoldEnded, CardHoldPlaced, PaymentEvent, PaymentSettled
from schemas.giftcards import (
    CancelRecorded,
    CardCancelled,
    CardGivenBack,
    CardRedeemed,
    CardTypePut,
    SerialNumberTaken,
)
from services.giftcard.state import (
    CANCEL_KEPT,
    AwaitedCancel,
    Batch,
    BatchEvent,
    Card,
    CardHold,
    DeclaredType,
    Event,
    Mutation,
    MutationEvent,
    NewCardEvent,
    Payment,
    SerialNumber,
    State,
)

KINDS: dict[str, str] = {
    "giftcard.created.v1": "create",
    "giftcard.issued.v1": "issue",
    "giftcard.imported.v1": "import",
    "giftcard.activated.v1": "activate",
    "giftcard.redeemed.v1": "redeem",
    "giftcard.given_back.v1": "give_back",
    "giftcard.cancelled.v1": "cancel",
    "giftcard.voided.v1": "void",
    "giftcard.refunded.v1": "refund",
    "giftcard.expired.v1": "expire",
}
"""The kind of mutation that each event books."""


def evolve(state: State, event: Event) -> State:
    """The state after `event`.

    :raises TypeError: when the event does not belong to such a stream.
    """
    match state:
        case Card() if isinstance(event, MutationEvent):
            return mutated(state, event)
        case Card() if isinstance(event, CancelRecorded):
            kept = [each for each in state.awaited if event.booked_at - each.at < CANCEL_KEPT]
            awaited = AwaitedCancel(event.transaction_id, event.booked_at)
            return state._replace(awaited=(*kept, awaited))
        case Card() if isinstance(event, CardHoldPlaced):
            hold = CardHold(event.transaction_id, event.operation, event.amount, event.gives_back)
            return state._replace(holds=(*state.holds, hold))
        case Card() if isinstance(event, CardHoldEnded):
            ended = (event.transaction_id, event.operation)
            return state._replace(holds=tuple(each for each in state.holds if each[:2] != ended))
        case Payment() if isinstance(event, PaymentEvent):
            return paid(state, event)
        case SerialNumber() if isinstance(event, SerialNumberTaken):
            return SerialNumber(state.number, event.card_id)
        case DeclaredType() if isinstance(event, CardTypePut):
            return DeclaredType(state.code, event.card_type, event.version)
        case Batch() if isinstance(event, BatchEvent):
            return progressed(state, event)
        case _:
            raise TypeError(f"{event.type} does not happen to a {type(state).__name__}")


def paid(payment: Payment, event: PaymentEvent) -> Payment:
    """A transaction's operation with a card after `event`."""
    if isinstance(event, PaymentSettled):
        return payment._replace(executed=event.executed)
    return payment._replace(decided=event)


def progressed(batch: Batch, event: BatchEvent) -> Batch:
    """The batch after an event."""
    match event:
        case BatchOpened():
            return Batch(
                batch.batch_id,
                event.rules,
                event.count,
                event.key,
                event.seed,
                opened_at=event.booked_at,
                changed_at=event.booked_at,
            )
        case BatchCardsCreated():
            return batch._replace(created=event.created, position=event.position, changed_at=event.booked_at)
        case BatchExportBegun():
            return batch._replace(export_id=event.export_id, changed_at=event.booked_at)
        case BatchExportConfirmed():
            return batch._replace(confirmed=True, changed_at=event.booked_at)
        case _:
            assert_never(event)


def mutated(card: Card, event: MutationEvent) -> Card:
    """The card after a mutation."""
    latest = Mutation(
        kind=KINDS[event.type],
        transaction_id=event.transaction_id,
        shop=event.source.shop,
        till=event.source.till,
        receipt=event.source.receipt,
        delta=event.delta,
        status_before=card.status,
        expires_before=card.expires_at,
        cancels=event.cancels if isinstance(event, CardCancelled) else None,
        operation=event.operation if isinstance(event, CardRedeemed | CardGivenBack) else None,
    )
    card = card._replace(
        status=event.new_status,
        balance=event.balance,
        expires_at=event.expires_at,
        sequence=event.sequence,
        changed_at=event.booked_at,
        latest=latest,
    )
    if not isinstance(event, NewCardEvent):
        return card
    return card._replace(
        serial_number=event.serial_number,
        rules=event.rules,
        code=event.code,
        batch=event.batch,
    )
