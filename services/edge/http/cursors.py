"""Opaque cursors: the position of a page's last entry, with a keyed hash (MAC) of it and of its query."""

import hmac
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.edge.views import refusal_store as refusals
from services.edge.views.statements import Place, Query
from shared.hashing import canonical, request_hash

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_MAC_BYTES = 14
_FORM = struct.Struct(f">qq{_MAC_BYTES}s")
"""Milliseconds since 1970, sequence, MAC: 30 bytes, so that base64 has neither padding nor spare bits."""
_CARD_MAC_BYTES = 16
_CARD = struct.Struct(f">q{_CARD_MAC_BYTES}s")
"""Sequence, MAC: 24 bytes."""
_CARD_CURSOR = re.compile(r"[A-Za-z0-9_-]{32}")
_REFUSAL_MAC_BYTES = 15
_REFUSAL = struct.Struct(f">q16s{_REFUSAL_MAC_BYTES}s")
"""Milliseconds since 1970, id of the refusal, MAC: 39 bytes."""
_REFUSAL_CURSOR = re.compile(r"[A-Za-z0-9_-]{52}")
_CURSOR = re.compile(r"[A-Za-z0-9_-]{40}")


def write(secret: bytes, query: Query, last: Mapping[str, Any]) -> str:
    """The cursor of the page below `last`, a value of `points.changes`, in the same query."""
    ms, sequence = (datetime.fromisoformat(last["bookedAt"]) - _EPOCH) // _MS, last["sequence"]
    return urlsafe_b64encode(_FORM.pack(ms, sequence, _mac(secret, query, ms, sequence))).decode()


def read(secret: bytes, query: Query, cursor: str) -> Place | None:
    """The position of a cursor; None if it is not valid for this account and these filters."""
    if not _CURSOR.fullmatch(cursor):
        return None
    ms, sequence, mac = _FORM.unpack(urlsafe_b64decode(cursor))
    if not hmac.compare_digest(mac, _mac(secret, query, ms, sequence)):
        return None
    return Place(_EPOCH + ms * _MS, sequence)


def write_refusal(secret: bytes, query: refusals.Query, last: refusals.Place) -> str:
    """The cursor of the page of refusals below `last`, in the same query."""
    ms = (last.at - _EPOCH) // _MS
    mac = _refusal_mac(secret, query, ms, last.id)
    return urlsafe_b64encode(_REFUSAL.pack(ms, UUID(last.id).bytes, mac)).decode()


def read_refusal(secret: bytes, query: refusals.Query, cursor: str) -> refusals.Place | None:
    """The position of a cursor of refusals; None if it is not valid for these filters."""
    if not _REFUSAL_CURSOR.fullmatch(cursor):
        return None
    ms, raw, mac = _REFUSAL.unpack(urlsafe_b64decode(cursor))
    id_ = str(UUID(bytes=raw))
    if not hmac.compare_digest(mac, _refusal_mac(secret, query, ms, id_)):
        return None
    return refusals.Place(_EPOCH + ms * _MS, id_)


def write_card(secret: bytes, store: str, card_id: str, sequence: int) -> str:
    """The cursor of the page of a gift card's history below `sequence`."""
    mac = _card_mac(secret, store, card_id, sequence)
    return urlsafe_b64encode(_CARD.pack(sequence, mac)).decode()


def read_card(secret: bytes, store: str, card_id: str, cursor: str) -> int | None:
    """The sequence of a cursor of a gift card's history; None if it is not valid for this card."""
    if not _CARD_CURSOR.fullmatch(cursor):
        return None
    sequence, mac = _CARD.unpack(urlsafe_b64decode(cursor))
    valid = hmac.compare_digest(mac, _card_mac(secret, store, card_id, sequence))
    return int(sequence) if valid else None


def _card_mac(secret: bytes, store: str, card_id: str, sequence: int) -> bytes:
    return bytes.fromhex(request_hash(secret, "card history", canonical([store, card_id, sequence])))[:_CARD_MAC_BYTES]


def _refusal_mac(secret: bytes, query: refusals.Query, ms: int, id_: str) -> bytes:
    parts = [query.store, query.topic, query.code, query.accounts, query.order, query.from_, query.until, ms, id_]
    return bytes.fromhex(request_hash(secret, "refusals", canonical(parts)))[:_REFUSAL_MAC_BYTES]


def _mac(secret: bytes, query: Query, ms: int, sequence: int) -> bytes:
    parts = [query.account, query.programme, query.kinds, query.from_, query.until, ms, sequence]
    return bytes.fromhex(request_hash(secret, "statement", canonical(parts)))[:_MAC_BYTES]
