"""Answers as bytes: exact JSON numbers in whole units, made from what the services store in smallest units."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from services.edge.http.problems import RETRY_AFTER_S
from shared.hashing import to_json
from shared.money import from_minor


def answer(document: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response; decimals are written digit by digit."""
    return Response(to_json(document), status, headers, "application/json")


def location(operation_id: str) -> str:
    """Where an operation is polled."""
    return f"/operations/{operation_id}"


def pending(operation_id: str, command_id: str) -> Response:
    """202: the command is on its way, and its outcome can be polled (protocol P8)."""
    document = {"operationId": operation_id, "commandId": command_id, "status": "pending"}
    return answer(document, 202, {"Location": location(operation_id), "Retry-After": RETRY_AFTER_S})


def exact(number: float) -> Decimal:
    """A number that JSON carried, as it was written: 500 where it says 500.0."""
    return Decimal(str(number))


def whole(minor: int, scale: int) -> int | Decimal:
    """An amount in whole units, exactly."""
    return minor if scale == 0 else from_minor(minor, scale)
