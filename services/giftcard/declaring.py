"""Declaring card types, and their versions (rules 4.1.1, 4.4)."""

from schemas.giftcards import CardRefusal, CardTypePut, PutCardType
from services.giftcard.booking import Outcome, States
from services.giftcard.state import DeclaredType, type_stream
from shared.decider import Accepted, Command, Rejected
from shared.money import currency_scale, to_minor


def put_type(command: Command, payload: PutCardType, states: States) -> Outcome:
    """Declare a card type or a new version; all of it may change, since cards keep what they were created with."""
    stream, declared = type_stream(command.store, command.subject), payload.card_type
    known = states[stream]
    if not isinstance(known, DeclaredType):
        raise TypeError(f"{stream} holds no card type")
    if command.subject != declared.code:
        detail = "the command is addressed to another card type than it declares"
        return Rejected(CardRefusal.CARD_TYPE_MISMATCH, detail, "/cardType/code")
    scale = currency_scale(declared.currency)
    for name, limit in (
        ("minLoad", declared.min_load),
        ("maxLoad", declared.max_load),
        ("maxBalance", declared.max_balance),
    ):
        if limit is not None and to_minor(limit, scale) is None:
            detail = f"{declared.currency} has {scale} decimals"
            return Rejected(CardRefusal.TOO_MANY_DECIMALS, detail, f"/cardType/{name}")
    if known.card_type == declared:
        return Accepted((), {"cardType": declared.code, "version": known.version})
    version = known.version + 1
    event = CardTypePut(card_type=declared, version=version, booked_at=command.now)
    return Accepted(((stream, event),), {"cardType": declared.code, "version": version})
