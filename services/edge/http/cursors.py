"""Opaque cursors: the place of a page's last movement, sealed together with the query that it belongs to."""

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
_SEAL_BYTES = 14
_FORM = struct.Struct(f">qq{_SEAL_BYTES}s")
"""Milliseconds since 1970, sequence, seal: 30 bytes, so that base64 has neither padding nor bits to spare."""
_REFUSAL_SEAL_BYTES = 15
_REFUSAL = struct.Struct(f">q16s{_REFUSAL_SEAL_BYTES}s")
"""The same of a refusal, which has an id: 39 bytes."""
_REFUSAL_CURSOR = re.compile(r"[A-Za-z0-9_-]{52}")
_CURSOR = re.compile(r"[A-Za-z0-9_-]{40}")


def write(secret: bytes, query: Query, last: Mapping[str, Any]) -> str:
    """The cursor of the page below `last`, a value of `points.changes`, in the same query."""
    ms, sequence = (datetime.fromisoformat(last["bookedAt"]) - _EPOCH) // _MS, last["sequence"]
    return urlsafe_b64encode(_FORM.pack(ms, sequence, _seal(secret, query, ms, sequence))).decode()


def read(secret: bytes, query: Query, cursor: str) -> Place | None:
    """The place that a cursor stands for; None when it was not written here for this account and these filters."""
    if not _CURSOR.fullmatch(cursor):
        return None
    ms, sequence, seal = _FORM.unpack(urlsafe_b64decode(cursor))
    if not hmac.compare_digest(seal, _seal(secret, query, ms, sequence)):
        return None
    return Place(_EPOCH + ms * _MS, sequence)


def write_refusal(secret: bytes, query: refusals.Query, last: refusals.Place) -> str:
    """The cursor of the page of refusals below `last`, in the same query."""
    ms = (last.at - _EPOCH) // _MS
    seal = _refusal_seal(secret, query, ms, last.id)
    return urlsafe_b64encode(_REFUSAL.pack(ms, UUID(last.id).bytes, seal)).decode()


def read_refusal(secret: bytes, query: refusals.Query, cursor: str) -> refusals.Place | None:
    """The place that a cursor of refusals stands for; None when it was not written here for these filters."""
    if not _REFUSAL_CURSOR.fullmatch(cursor):
        return None
    ms, raw, seal = _REFUSAL.unpack(urlsafe_b64decode(cursor))
    id_ = str(UUID(bytes=raw))
    if not hmac.compare_digest(seal, _refusal_seal(secret, query, ms, id_)):
        return None
    return refusals.Place(_EPOCH + ms * _MS, id_)


def _refusal_seal(secret: bytes, query: refusals.Query, ms: int, id_: str) -> bytes:
    said = [query.store, query.topic, query.code, query.accounts, query.order, query.from_, query.until, ms, id_]
    return bytes.fromhex(request_hash(secret, "refusals", canonical(said)))[:_REFUSAL_SEAL_BYTES]


def _seal(secret: bytes, query: Query, ms: int, sequence: int) -> bytes:
    said = [query.account, query.programme, query.kinds, query.from_, query.until, ms, sequence]
    return bytes.fromhex(request_hash(secret, "statement", canonical(said)))[:_SEAL_BYTES]
