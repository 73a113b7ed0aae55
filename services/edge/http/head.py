"""What the head of a request carries: path and key. Read from the request itself, which is cheaper than by FastAPI."""

import re
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request

from schemas.text import IDENTIFIER, IDENTIFIER_CHARS_MAX, LINE
from services.edge.http.problems import Problem
from services.edge.http.query import wrong

IDENTIFIER_SCHEMA: dict[str, Any] = {
    "type": "string",
    "minLength": 1,
    "maxLength": IDENTIFIER_CHARS_MAX,
    "pattern": IDENTIFIER.pattern,
}
ACCOUNT_NUMBER: dict[str, Any] = {
    "name": "accountNumber",
    "in": "path",
    "required": True,
    "schema": IDENTIFIER_SCHEMA,
    "description": "A card's or account's number: an opaque string.",
    "example": "6299000000000000017",
}
CUSTOMER_ID: dict[str, Any] = {
    "name": "customerId",
    "in": "path",
    "required": True,
    "schema": IDENTIFIER_SCHEMA,
    "description": "A customer's id, as Create answered it.",
    "example": "0199d2a5-7c00-7000-8000-00000000000c",
}
SERIAL_ID: dict[str, Any] = {
    "name": "serialId",
    "in": "path",
    "required": True,
    "schema": IDENTIFIER_SCHEMA,
    "description": "A voucher's serial: an opaque string.",
    "example": "6666160395443995410",
}
TIER_SET: dict[str, Any] = {
    "name": "tierSet",
    "in": "path",
    "required": True,
    "schema": IDENTIFIER_SCHEMA,
    "description": "A tier set's id, as it was declared.",
    "example": "LEVELS",
}
REASON: dict[str, Any] = {
    "name": "reason",
    "in": "query",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": LINE.pattern},
    "description": "Why, for whoever reads it later.",
}
OPERATION_ID: dict[str, Any] = {
    "name": "operationId",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "pattern": LINE.pattern},
    "description": "As the `Location` of a 202 or 504 named it; good for the client that got it.",
}
IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"},
    "description": "Repeat a request with the same key and it has one effect and one answer, for at least 30 days. "
    "`Idempotency-Replayed: true` says that the answer is that of an earlier request.",
    "example": "order-12345-fulfilled",
}
_CHARS_MAX = IDENTIFIER_CHARS_MAX
_NOT_UTF8 = "\ufffd"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def _segment(request: Request, name: str) -> str | None:
    """What stands in the path for `name`; None when no number, id or serial can be that.

    :raises Problem: `invalid_parameter` when it has characters that no identifier has.
    """
    text: str = request.path_params[name]
    if len(text) > _CHARS_MAX or _NOT_UTF8 in text:
        return None
    if not IDENTIFIER.fit(text):
        raise wrong(name, IDENTIFIER.wanted)
    return text


def account_number(request: Request) -> str:
    """The number in the path.

    :raises Problem: `invalid_account_number` when it cannot be one.
    """
    number: str = request.path_params["accountNumber"]
    if len(number) > _CHARS_MAX or _NOT_UTF8 in number:
        raise Problem("invalid_account_number", f"an account number has 1 to {_CHARS_MAX} characters of UTF-8")
    if not IDENTIFIER.fit(number):
        raise Problem("invalid_account_number", f"an account number {IDENTIFIER.wanted}")
    return number


def customer_id(request: Request) -> str:
    """The customer's id in the path.

    :raises Problem: `customer_unknown` when it cannot be one.
    """
    customer = _segment(request, "customerId")
    if customer is None:
        raise Problem("customer_unknown", "there is no customer with this id")
    return customer


def serial_id(request: Request) -> str:
    """The voucher's serial in the path.

    :raises Problem: `not_found` when it cannot be one.
    """
    serial = _segment(request, "serialId")
    if serial is None:
        raise Problem("not_found", "no voucher has this serial")
    return serial


def tier_set(request: Request) -> str:
    """The tier set in the path.

    :raises Problem: `invalid_parameter` when it cannot be one.
    """
    name = _segment(request, "tierSet")
    if name is None:
        raise wrong("tierSet", f"1 to {_CHARS_MAX} characters of UTF-8")
    return name


def idempotency_key(headers: Headers) -> str | None:
    """The request's `Idempotency-Key`: 1 to 255 visible ASCII characters, at most one.

    :raises Problem: `invalid_idempotency_key`.
    """
    given = headers.getlist("idempotency-key")
    if not given:
        return None
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise Problem("invalid_idempotency_key", "give one Idempotency-Key of 1 to 255 visible ASCII characters")
    return given[0]
