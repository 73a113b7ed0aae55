"""Creating, issuing and activating gift cards (rules 4.4.3, 4.4.5)."""

from datetime import datetime
from decimal import Decimal

from schemas.giftcards import (
    ActivateCard,
    CardActivated,
    CardCreated,
    CardIssued,
    CardRefusal,
    CardStatus,
    CardType,
    CodeSource,
    CreateCard,
    ImportCard,
    IssueCard,
    ScratchCode,
)
from services.giftcard.booking import (
    Outcome,
    States,
    accepted,
    accepted_new,
    booked,
    card_of,
    ended,
    in_currency,
    minor_of,
    of_other_provider,
    serial_of,
    type_of,
)
from services.giftcard.state import CANCEL_KEPT, Card, card_stream, serial_stream, type_stream
from shared.calendar import expiry_instant, local_date
from shared.decider import Command, Rejected, Streams
from shared.money import to_minor


def new_card_streams(command: Command, payload: CreateCard | IssueCard | ImportCard) -> Streams:
    """A new card and its serial number are written; its type is read."""
    store = command.store
    writes = (card_stream(store, payload.card_id), serial_stream(store, payload.serial_number))
    return Streams(writes, reads=(type_stream(store, payload.card_type),))


def create(command: Command, payload: CreateCard, states: States) -> Outcome:
    """Make a card that is for sale and has no balance."""
    found = new_card(command, payload, states)
    if isinstance(found, Rejected):
        return found
    card = found
    event = booked(
        CardCreated,
        command,
        card,
        payload.context,
        status=CardStatus.CREATED,
        delta=0,
        transaction_id=None,
        rules=card.pinned,
        code=code_source(payload.code),
        batch=payload.batch,
    )
    return accepted_new(command, card, event)


def issue(command: Command, payload: IssueCard, states: States) -> Outcome:
    """Make a virtual card, with a balance."""
    found = new_card(command, payload, states)
    if isinstance(found, Rejected):
        return found
    card = found
    if refused := cancelled_before(card, payload.transaction_id, command.now):
        return refused
    if refused := in_currency(card, payload.currency) or _of_other_provider(card, payload.switch_id):
        return refused
    amount = minor_of(payload.amount, card)
    if isinstance(amount, Rejected):
        return amount
    if refused := _beyond(card, amount):
        return refused
    event = booked(
        CardIssued,
        command,
        card,
        payload.context,
        status=CardStatus.ACTIVE,
        delta=amount,
        transaction_id=payload.transaction_id,
        expires_at=_expiry(card.pinned, command.now),
        rules=card.pinned,
        code=code_source(payload.code),
    )
    return accepted_new(command, card, event)


def activate(command: Command, payload: ActivateCard, states: States) -> Outcome:
    """Load a card for the first time; again only where its type allows it."""
    card = card_of(command, states, payload.card_id)
    if refused := of_other_provider(card, payload.switch_id):
        return refused
    if refused := cancelled_before(card, payload.transaction_id, command.now):
        return refused
    if refused := ended(card, command.now) or in_currency(card, payload.currency):
        return refused
    again = card.status is not CardStatus.CREATED
    if again and not card.pinned.reload:
        detail = f"gift cards of the type {card.pinned.code} are loaded once"
        return Rejected(CardRefusal.RELOAD_NOT_ALLOWED, detail, "/cardId")
    amount = minor_of(payload.amount, card)
    if isinstance(amount, Rejected):
        return amount
    if refused := _beyond(card, amount):
        return refused
    event = booked(
        CardActivated,
        command,
        card,
        payload.context,
        status=CardStatus.ACTIVE,
        delta=amount,
        transaction_id=payload.transaction_id,
        expires_at=card.expires_at if again else _expiry(card.pinned, command.now),
    )
    return accepted(command, card, event)


def cancelled_before(card: Card, transaction_id: str | None, now: datetime) -> Rejected | None:
    """`transaction_cancelled`, when the transaction was cancelled before it arrived."""
    waiting = {each.transaction_id for each in card.awaited if now - each.at < CANCEL_KEPT}
    if transaction_id not in waiting:
        return None
    detail = "the transaction was cancelled before it arrived"
    return Rejected(CardRefusal.TRANSACTION_CANCELLED, detail, "/transactionId")


def new_card(command: Command, payload: CreateCard | IssueCard, states: States) -> Card | Rejected:
    """A card that is not there yet, with what its type gives it; or why there cannot be one."""
    if refused := taken(command, payload, states):
        return refused
    rules = type_of(command, states, payload.card_type)
    if isinstance(rules, Rejected):
        return rules
    card = card_of(command, states, payload.card_id)
    return card._replace(serial_number=payload.serial_number, rules=rules)


def taken(command: Command, payload: CreateCard | IssueCard | ImportCard, states: States) -> Rejected | None:
    """Why a card cannot have its id or its serial number; None when both are free."""
    if card_of(command, states, payload.card_id).status is not None:
        return Rejected(CardRefusal.GIFT_CARD_EXISTS, "there is a gift card with this id", "/cardId")
    if serial_of(states, serial_stream(command.store, payload.serial_number)).card_id is not None:
        detail = "another gift card has this serial number"
        return Rejected(CardRefusal.SERIAL_NUMBER_IN_USE, detail, "/serialNumber")
    return None


def code_source(code: ScratchCode | None) -> CodeSource | None:
    """How the code of a new card is checked; None when it has none."""
    return None if code is None else CodeSource(key=code.key, hash=code.hash)


def _of_other_provider(card: Card, switch_id: str | None) -> Rejected | None:
    """`card_type_unknown`, when a caller names another provider than that of the new card's type."""
    if switch_id in (None, card.pinned.switch_id):
        return None
    detail = f"{switch_id} has no card type {card.pinned.code}"
    return Rejected(CardRefusal.CARD_TYPE_UNKNOWN, detail, "/cardType")


def _beyond(card: Card, amount: int) -> Rejected | None:
    """Why the card's rules do not allow such a load, or such a balance after it."""
    rules, currency = card.pinned, card.pinned.currency
    if rules.min_load is not None and amount < _minor(rules.min_load, card):
        detail = f"one activation loads at least {rules.min_load} {currency}"
        return Rejected(CardRefusal.LOAD_TOO_SMALL, detail, "/amount")
    if rules.max_load is not None and amount > _minor(rules.max_load, card):
        detail = f"one activation loads at most {rules.max_load} {currency}"
        return Rejected(CardRefusal.LOAD_LIMIT_EXCEEDED, detail, "/amount")
    if rules.max_balance is not None and card.balance + amount > _minor(rules.max_balance, card):
        detail = f"a gift card holds at most {rules.max_balance} {currency}"
        return Rejected(CardRefusal.BALANCE_LIMIT_EXCEEDED, detail, "/amount")
    return None


def _minor(limit: Decimal, card: Card) -> int:
    minor = to_minor(limit, card.scale)
    if minor is None:
        raise ValueError("a card type was declared with a limit that its currency cannot have")
    return minor


def _expiry(rules: CardType, now: datetime) -> datetime | None:
    if rules.validity is None:
        return None
    return expiry_instant(rules.validity, rules.zone, local_date(now, rules.zone))
