"""The card that every call answers, read from the views."""

from collections.abc import Mapping
from typing import Any

from schemas.base import format_instant
from services.edge.families.gift_cards import history_behind
from services.edge.families.giftcard.history import history_of
from services.edge.families.giftcard.models import HistoryDetail
from services.edge.families.giftcard.presenting import card_of, unknown_card_of
from services.edge.views.views import Views
from shared.clock import instant, now_ms


async def current_card(
    views: Views, store: str, detail: HistoryDetail, result: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The present card of a command's result; None while the views do not have it."""
    if "status" not in result:
        return unknown_card_of(result)
    card = await views.giftcards.one(store, result["cardId"])
    return None if card is None else await _shown(views, store, card, detail, result)


async def shown_card(views: Views, store: str, card: Mapping[str, Any], detail: HistoryDetail) -> dict[str, Any]:
    """The response for a card of the views.

    :raises Problem: `unavailable`, when its history has not arrived as far.
    """
    shown = await _shown(views, store, card, detail)
    if shown is None:
        raise history_behind()
    return shown


async def _shown(
    views: Views,
    store: str,
    card: Mapping[str, Any],
    detail: HistoryDetail,
    result: Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:
    history = None
    if detail is not HistoryDetail.NONE:
        history = await history_of(views, store, card, detail)
        if history is None:
            return None
    return card_of(card, history, format_instant(instant(now_ms())), result)
