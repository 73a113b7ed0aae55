"""States as they are published to `giftcard.snapshots`."""

from typing import assert_never

from schemas.base import format_instant
from schemas.giftcard_batches import BATCH_VIEW
from schemas.giftcards import CARD_TYPE_VIEW, CARD_VIEW
from services.giftcard.state import Batch, Card, DeclaredType, Payment, SerialNumber, State
from shared.decider import View


def views(state: State) -> View | None:
    """A `CardView`, a `CardTypeView` or a `BatchView`; None as long as there is nothing to show."""
    match state:
        case Card():
            return _card(state)
        case DeclaredType():
            return _card_type(state)
        case SerialNumber() | Payment():
            return None
        case Batch():
            return _batch(state)
        case _:
            assert_never(state)


def _card(card: Card) -> View | None:
    if card.status is None or card.changed_at is None:
        return None
    rules = card.pinned
    value = {
        "cardId": card.card_id,
        "serialNumber": card.serial_number,
        "cardType": rules.code,
        "currency": rules.currency,
        "scale": card.scale,
        "status": card.status.value,
        "balance": card.balance,
        "held": card.held,
        "expiresAt": None if card.expires_at is None else format_instant(card.expires_at),
        "articleSetCode": rules.article_set_code,
        "switchId": rules.switch_id,
        "code": None if card.code is None else card.code.model_dump(),
        "batch": card.batch,
        "sequence": card.sequence,
        "changedAt": format_instant(card.changed_at),
    }
    return View(CARD_VIEW, card.card_id, value)


def _batch(batch: Batch) -> View | None:
    if batch.opened_at is None or batch.changed_at is None:
        return None
    value = {
        "batchId": batch.batch_id,
        "cardType": batch.pinned.code,
        "count": batch.wanted,
        "created": batch.created,
        "state": batch.state.value,
        "exportId": batch.export_id,
        "openedAt": format_instant(batch.opened_at),
        "changedAt": format_instant(batch.changed_at),
    }
    return View(BATCH_VIEW, batch.batch_id, value)


def _card_type(declared: DeclaredType) -> View | None:
    if declared.card_type is None:
        return None
    value = {
        "cardType": declared.card_type.model_dump(mode="json", by_alias=True),
        "version": declared.version,
        "state": declared.card_type.state.value,
    }
    return View(CARD_TYPE_VIEW, declared.code, value)
