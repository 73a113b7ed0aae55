"""The header `Idempotency-Key`: retries with the same key have one effect and one response."""

import re
from typing import Any

from starlette.datastructures import Headers

from services.edge.http.problems import Problem

PARAMETER: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"},
    "description": "Repeat a request with the same key and it has one effect and one answer, for at least 30 days. "
    "`Idempotency-Replayed: true` says that the answer is that of an earlier request.",
    "example": "order-12345-fulfilled",
}
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def idempotency_key(headers: Headers) -> str | None:
    """The idempotency key of a request, of 1 to 255 visible ASCII characters; None if there is none.

    :raises Problem: `invalid_idempotency_key`.
    """
    given = headers.getlist("idempotency-key")
    if not given:
        return None
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise Problem("invalid_idempotency_key", "Send one Idempotency-Key of 1 to 255 visible ASCII characters.")
    return given[0]
