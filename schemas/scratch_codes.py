"""Scratch codes of gift cards, and the ids and serial numbers of the cards that we draw (rules 4.4.2).

A code that we draw is derived from store, card id and a key, wherever it is needed, and stored nowhere; of a code that
was given to us, a keyed hash is stored. Neither travels on a topic.
"""

import hmac
import secrets
from typing import NamedTuple
from uuid import UUID

from schemas.giftcard_events import CodeSource
from schemas.giftcards import ScratchCode
from schemas.key_sets import KeySet, SecretKey
from schemas.luhn import check_digit

CODE_CHARS = 16
"""Five bits each: 80 in all."""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: without I, L, O and U."""

_FOLDED = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})
_SERIAL_DIGITS = 18
"""Without the check digit."""


class CodeKeyUnknown(LookupError):
    """A card's code is checked by a key that this process was not given."""


class DrawnCard(NamedTuple):
    """What names a card that we draw; neither can be guessed, since a card id identifies a card without its code."""

    card_id: str
    serial_number: str


def drawn_card(secret: bytes, store: str, *parts: str) -> DrawnCard:
    """The card that `parts` draw, such as a caller and its transaction id: the same at each retry.

    It must be the same whatever the current key of the codes is: `secret` is one that never changes.
    """
    return _drawn(secret, store, *parts)


def random_card() -> DrawnCard:
    """A new card of a request that has no id of its own."""
    return _drawn(secrets.token_bytes(32))


def derived_code(keys: KeySet, store: str, card_id: str, source: CodeSource) -> str | None:
    """The scratch code of a card as it is printed, `XXXX-XXXX-XXXX-XXXX`; None when it was given to us.

    :raises CodeKeyUnknown: the card's key is not in the set.
    """
    if source.hash is not None:
        return None
    code = _code(_key(keys, source), store, card_id)
    return "-".join(code[start : start + 4] for start in range(0, CODE_CHARS, 4))


def drawn_code(keys: KeySet) -> ScratchCode:
    """How the code of a new card is checked: it is derived with the current key."""
    return ScratchCode(key=keys.current.id)


def given_code(keys: KeySet, store: str, card_id: str, code: str) -> ScratchCode:
    """How a code that was given to us is checked: by its hash under the current key.

    :raises ValueError: nothing is left of it without blanks and hyphens.
    """
    if not normalised(code):
        raise ValueError("a scratch code has at least one character that is neither a blank nor a hyphen")
    return ScratchCode(key=keys.current.id, hash=_hash(keys.current, store, card_id, code))


def code_matches(keys: KeySet, store: str, card_id: str, source: CodeSource | None, code: str) -> bool:
    """Whether `code` is that of the card; an unknown card has no `source`, and any id.

    Takes the same time for a right and a wrong code, a derived and a given one, a known and an unknown card.

    :raises CodeKeyUnknown: the card's key is not in the set.
    """
    key = keys.current if source is None else _key(keys, source)
    derived = _hash(key, store, card_id, _code(key, store, card_id))
    wanted = derived if source is None or source.hash is None else source.hash
    return hmac.compare_digest(wanted, _hash(key, store, card_id, code)) and source is not None


def normalised(code: str) -> str:
    """A code as it is compared: in upper case, without blanks and hyphens, O read as 0, I and L as 1."""
    return code.upper().translate(_FOLDED)


def _key(keys: KeySet, source: CodeSource) -> SecretKey:
    key = keys.find(source.key)
    if key is None:
        raise CodeKeyUnknown(f"the key {source.key} of scratch codes is not among the keys of this process")
    return key


def _code(key: SecretKey, store: str, card_id: str) -> str:
    number = int.from_bytes(_digest(key.secret, "derived code", store, card_id)[:10], "big")
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(CODE_CHARS)))


def _hash(key: SecretKey, store: str, card_id: str, code: str) -> str:
    return _digest(key.secret, "hash of code", store, card_id, normalised(code)).hex()


def _drawn(secret: bytes, *parts: str) -> DrawnCard:
    least = 10 ** (_SERIAL_DIGITS - 1)
    digits = str(least + int.from_bytes(_digest(secret, "serial number", *parts), "big") % (9 * least))
    return DrawnCard(_uuid(_digest(secret, "card id", *parts)), f"{digits}{check_digit(digits)}")


def _uuid(digest: bytes) -> str:
    """A UUID of version 8, which is free in how its 122 bits are made."""
    number = int.from_bytes(digest[:16], "big")
    return str(UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0x2 << 62))


def _digest(secret: bytes, *parts: str) -> bytes:
    """HMAC-SHA-256 over the parts and their lengths, so that no two lists give the same."""
    message = b"".join(
        len(raw).to_bytes(4, "big") + raw for raw in (part.encode(errors="surrogatepass") for part in parts)
    )
    return hmac.digest(secret, message, "sha256")
