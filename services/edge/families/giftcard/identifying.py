"""Which card a call is about: by its id, or by its serial number with the scratch code (rules 4.4.1)."""

from services.edge.auth.scratch_codes import Tried, unknown_card
from services.edge.auth.tokens import Caller
from services.edge.edge import Edge
from services.edge.families.giftcard.models import Named
from shared.decider import Document


async def card_id_of(edge: Edge, caller: Caller, shopper: str | None, named: Named) -> str:
    """The id of the card that is named. Whether there is a card with a given id, its service knows best.

    :raises Problem: `gift_card_unknown`, also for a wrong scratch code; `too_many_wrong_codes`.
    :raises Unavailable: the views cannot be reached.
    """
    if named.card_id is not None:
        return named.card_id
    card_id: str = (await _with_code(edge, caller, shopper, named))["cardId"]
    return card_id


async def card_named(edge: Edge, caller: Caller, shopper: str | None, named: Named) -> Document:
    """The card that is named, as the views have it. Raises as :func:`card_id_of`."""
    if named.card_id is None:
        return await _with_code(edge, caller, shopper, named)
    card = await edge.views.giftcards.one(caller.store, named.card_id)
    if card is None or named.switch_id not in (None, card["switchId"]):
        raise unknown_card("/cardId")
    return card


async def _with_code(edge: Edge, caller: Caller, shopper: str | None, named: Named) -> Document:
    assert named.serial_number is not None
    assert named.scratch_code is not None
    tried = Tried(named.serial_number, named.scratch_code, named.switch_id, shopper)
    return await edge.scratch_codes.card(caller, tried)
