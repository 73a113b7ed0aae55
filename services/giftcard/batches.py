"""Batches of cards for sale (rules 4.4.7): opened by a command, and filled by the service itself, a chunk at a time.

A chunk's cards and the batch's progress are one journal entry, whose follow-up is the next chunk: a service that is
killed loses nothing and makes no card twice. Ids and serial numbers come from the seed of the batch and a position.
"""

import hmac

from schemas.giftcard_batches import BatchCardsCreated, BatchOpened, FillBatch, OpenBatch
from schemas.giftcards import CardCreated, CardRefusal, CardStatus, CodeSource, SerialNumberTaken
from schemas.scratch_codes import DrawnCard, drawn_card
from schemas.transaction import Context
from services.giftcard.booking import Outcome, States, booked, card_of, serial_of, source_of, type_of
from services.giftcard.evolve import progressed
from services.giftcard.state import (
    Batch,
    BatchEvent,
    Card,
    Event,
    batch_stream,
    card_stream,
    serial_stream,
    type_stream,
)
from shared.decider import Accepted, Command, Document, FollowUp, Rejected, Streams

CHUNK_CARDS = 100


def batch_of(command: Command, states: States, batch_id: str) -> Batch:
    """The batch that a command is about."""
    batch = states[batch_stream(command.store, batch_id)]
    if not isinstance(batch, Batch):
        raise TypeError(f"{batch_id} is no batch")
    return batch


def result_of(batch_id: str, count: int, created: int) -> Document:
    """What a reply says of a batch."""
    return {"batchId": batch_id, "count": count, "created": created}


def opening_streams(command: Command, payload: OpenBatch) -> Streams:
    """The batch; the type of its cards is read."""
    store = command.store
    return Streams((batch_stream(store, payload.batch_id),), reads=(type_stream(store, payload.card_type),))


def open_batch(command: Command, payload: OpenBatch, states: States) -> Outcome:
    """Open a batch, whose cards have the rules that their type has now; its first chunk follows."""
    batch = batch_of(command, states, payload.batch_id)
    if batch.opened_at is not None:
        return Rejected(CardRefusal.BATCH_EXISTS, "there is a batch with this id", "/batchId")
    rules = type_of(command, states, payload.card_type)
    if isinstance(rules, Rejected):
        return rules
    name = f"giftcard batch {command.store}/{batch.batch_id} {command.id}"
    event = BatchOpened(
        batch_id=batch.batch_id,
        rules=rules,
        count=payload.count,
        key=payload.key,
        seed=hmac.digest(command.secret, name.encode(), "sha256").hex(),
        source=source_of(payload.context),
        comment=payload.context.comment,
        booked_at=command.now,
    )
    return _booked(command, batch, event)


def filling_streams(command: Command, payload: FillBatch) -> Streams:
    """The batch, and the cards and serial numbers that the next positions give."""
    store = command.store
    drawn = [drawn_at(store, payload, position) for position in _positions(payload)]
    cards = [stream for each in drawn for stream in _streams(store, each)]
    return Streams((batch_stream(store, payload.batch_id), *cards))


def fill_batch(command: Command, payload: FillBatch, states: States) -> Outcome:
    """Create the next cards, and send for those after them; nothing when another command has been here already.

    An id or a serial number that is taken is skipped, so that the batch gets its count all the same.
    """
    batch = batch_of(command, states, payload.batch_id)
    if batch.created == batch.wanted or (payload.seed, payload.position) != (batch.seed, batch.position):
        return Accepted((), result_of(batch.batch_id, batch.wanted, batch.created))
    events: list[tuple[str, Event]] = []
    created, position = batch.created, batch.position
    for position in _positions(payload):
        drawn = drawn_at(command.store, payload, position)
        if created < batch.wanted and _is_free(command, states, drawn):
            events += _card(command, batch, drawn)
            created += 1
    event = BatchCardsCreated(batch_id=batch.batch_id, created=created, position=position + 1, booked_at=command.now)
    return _booked(command, batch, event, events)


def drawn_at(store: str, batch: FillBatch | Batch, position: int) -> DrawnCard:
    """The card id and serial number that a batch has at a position."""
    return drawn_card(bytes.fromhex(batch.seed), store, batch.batch_id, str(position))


def next_fill(batch: Batch) -> Document:
    """The payload of the command that creates the batch's next cards."""
    cards = min(CHUNK_CARDS, batch.wanted - batch.created)
    return {"batchId": batch.batch_id, "seed": batch.seed, "position": batch.position, "cards": cards}


def _positions(payload: FillBatch) -> range:
    return range(payload.position, payload.position + payload.cards)


def _streams(store: str, drawn: DrawnCard) -> tuple[str, str]:
    return card_stream(store, drawn.card_id), serial_stream(store, drawn.serial_number)


def _is_free(command: Command, states: States, drawn: DrawnCard) -> bool:
    card = card_of(command, states, drawn.card_id)
    return card.status is None and serial_of(states, serial_stream(command.store, drawn.serial_number)).card_id is None


def _card(command: Command, batch: Batch, drawn: DrawnCard) -> list[tuple[str, Event]]:
    card, serial = _streams(command.store, drawn)
    created = booked(
        CardCreated,
        command,
        Card(drawn.card_id, serial_number=drawn.serial_number, rules=batch.rules),
        Context(),
        status=CardStatus.CREATED,
        delta=0,
        transaction_id=None,
        rules=batch.pinned,
        code=CodeSource(key=batch.key),
        batch=batch.batch_id,
    )
    taken = SerialNumberTaken(card_id=drawn.card_id, serial_number=drawn.serial_number, booked_at=command.now)
    return [(card, created), (serial, taken)]


def _booked(
    command: Command, batch: Batch, event: BatchEvent, cards: list[tuple[str, Event]] | None = None
) -> Accepted[Event]:
    """The outcome that books progress of the batch, and has the next cards created as long as some are missing."""
    after = progressed(batch, event)
    more = after.created < after.wanted
    fill = FollowUp("giftcard.commands", "giftcard.fill_batch.v1", batch.batch_id, next_fill(after)) if more else None
    return Accepted(
        ((batch_stream(command.store, batch.batch_id), event), *(cards or ())),
        result_of(batch.batch_id, after.wanted, after.created),
        () if fill is None else (fill,),
    )
