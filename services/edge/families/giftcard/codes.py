"""Drawing virtual cards, and their scratch codes: derived from the card, stored nowhere (rules 4.4.2)."""

import hmac
from base64 import b32encode
from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.hashing import keyed_hash
from shared.numbers import drawn_number

_KEY = "1"
_CODE_BYTES = 10


class DrawnCard(NamedTuple):
    """The numbers of a new card, and how its scratch code is checked."""

    card_id: str
    serial_number: str
    code: dict[str, str]


def draw_card(secret: bytes, store: str, seed: str) -> DrawnCard:
    """The card that a request draws: a retry, which has the same seed, draws the same."""
    card_id, serial_number = (drawn_number(secret, what, store, seed) for what in ("gift card", "serial number"))
    return DrawnCard(card_id, serial_number, {"key": _KEY})


def scratch_code(secret: bytes, store: str, card: Mapping[str, Any]) -> str:
    """The scratch code of a card whose code was derived."""
    derived = keyed_hash(secret, "scratch code", card["code"]["key"], store, card["cardId"])
    return b32encode(bytes.fromhex(derived)[:_CODE_BYTES]).decode()


def scratch_code_matches(secret: bytes, store: str, card: Mapping[str, Any] | None, given: str) -> bool:
    """Whether a card has this scratch code; no card has any."""
    if card is None or card["code"].get("key") is None:
        return False
    return hmac.compare_digest(scratch_code(secret, store, card), given.upper())
