"""`fealty giftcards show`: one gift card, for an operator; its scratch code is never shown."""

from cli.commands.console import Failure
from cli.commands.output import Form, facts
from cli.commands.stores import journal_of
from cli.giftcards import card_of
from services.giftcard.decider import DECIDER
from services.giftcard.state import Card, SerialNumber, card_stream, serial_stream
from shared.money import from_minor
from shared.runtime.journal import Journal
from shared.settings import Settings


async def show_card(number: str, settings: Settings, form: Form) -> None:
    """Print the card with this card id or serial number.

    :raises Failure: there is none.
    :raises Unavailable: the database is away.
    """
    async with journal_of("giftcard", settings) as journal:
        card = await _card(journal, settings.store, number) or await _by_serial(journal, settings.store, number)
    if card is None:
        raise Failure(f"no gift card has the id or serial number {number!r}")
    shown = {
        "cardId": card.card_id,
        "serialNumber": card.serial_number,
        "cardType": card.pinned.code,
        "status": None if card.status is None else card.status.value,
        "balance": from_minor(card.balance, card.scale),
        "currency": card.pinned.currency,
        "expiresAt": card.expires_at,
        "batch": card.batch,
        "scratchCode": _code(card),
        "sequence": card.sequence,
        "changedAt": card.changed_at,
    }
    facts(shown, form)


def _code(card: Card) -> str:
    """How the card's code is checked, and not the code."""
    if card.code is None:
        return "none"
    return "derived" if card.code.hash is None else "given"


async def _by_serial(journal: Journal, store: str, number: str) -> Card | None:
    stream = serial_stream(store, number)
    stored = (await journal.load([], [stream])).streams.get(stream)
    taken = None if stored is None else DECIDER.load_state(stream, stored.document["state"])
    if not isinstance(taken, SerialNumber) or taken.card_id is None:
        return None
    return await _card(journal, store, taken.card_id)


async def _card(journal: Journal, store: str, card_id: str) -> Card | None:
    stream = card_stream(store, card_id)
    stored = (await journal.load([], [stream])).streams.get(stream)
    return None if stored is None else card_of(stream, stored)
