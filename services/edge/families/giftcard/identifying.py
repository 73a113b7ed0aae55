"""Which card a call is about: by its id, or by its serial number with the scratch code (rules 4.4.1)."""

from schemas.giftcard_events import CodeSource
from schemas.scratch_codes import code_matches
from services.edge.auth.tokens import Caller
from services.edge.edge import Edge
from services.edge.families.gift_cards import unknown_card
from services.edge.families.giftcard.models import Named
from shared.decider import Document


async def card_id_of(edge: Edge, caller: Caller, named: Named) -> str:
    """The id of the card that is named. Whether there is a card with a given id, its service knows best.

    :raises Problem: `gift_card_unknown`, also for a wrong scratch code.
    :raises Unavailable: the views cannot be reached.
    """
    if named.card_id is not None:
        return named.card_id
    card_id: str = (await _with_code(edge, caller, named))["cardId"]
    return card_id


async def card_named(edge: Edge, caller: Caller, named: Named) -> Document:
    """The card that is named, as the views have it. Raises as :func:`card_id_of`."""
    if named.card_id is None:
        card = await _with_code(edge, caller, named)
    else:
        found = await edge.views.giftcards.one(caller.store, named.card_id)
        if found is None:
            raise unknown_card("/cardId")
        card = found
    if named.switch_id not in (None, card["switchId"]):
        raise unknown_card(pointer_of(named))
    return card


async def _with_code(edge: Edge, caller: Caller, named: Named) -> Document:
    assert named.serial_number is not None
    assert named.scratch_code is not None
    card = await edge.views.giftcards.with_serial_number(caller.store, named.serial_number)
    card_id, source = (named.serial_number, None) if card is None else (card["cardId"], _source(card))
    matches = code_matches(edge.settings.code_key_set, caller.store, card_id, source, named.scratch_code)
    if card is None or not matches:
        raise unknown_card("/serialNumber")
    return card


def _source(card: Document) -> CodeSource | None:
    """How the card's code is checked; None when it has none."""
    return None if card["code"] is None else CodeSource.model_validate(card["code"])


def pointer_of(named: Named) -> str:
    """Where a body names its card."""
    return "/serialNumber" if named.card_id is None else "/cardId"
