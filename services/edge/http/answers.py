"""JSON responses, with exact numbers: amounts in whole units, converted from the stored smallest units."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from services.edge.http.problems import RETRY_AFTER_S
from shared.hashing import to_json
from shared.money import from_minor


def answer(document: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response; decimals keep every digit."""
    return Response(to_json(document), status, headers, "application/json")


def location(operation_id: str) -> str:
    """The path to poll an operation."""
    return f"/operations/{operation_id}"


def pending(operation_id: str, command_id: str) -> Response:
    """202: the outcome of the command is still open and can be polled (protocol P8)."""
    document = {"operationId": operation_id, "commandId": command_id, "status": "pending"}
    return answer(document, 202, {"Location": location(operation_id), "Retry-After": RETRY_AFTER_S})


def exact_number(number: float) -> Decimal:
    """The exact decimal of a JSON number, as it was written: 500.0 keeps its decimal place."""
    return Decimal(str(number))


def to_whole_units(minor: int, scale: int) -> int | Decimal:
    """Convert an amount from smallest units to whole units, exactly."""
    return minor if scale == 0 else from_minor(minor, scale)
