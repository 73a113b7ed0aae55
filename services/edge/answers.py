"""Answers as bytes: exact JSON numbers in whole units, made from what the services store in smallest units."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from services.edge.problems import RETRY_AFTER_S
from shared.hashing import to_json
from shared.money import from_minor
from shared.runtime.requests import Operation

_AMOUNTS = ("balance", "booked", "earned", "redeemed", "expired", "adjustedUp", "adjustedDown")


def answer(document: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response; decimals are written digit by digit."""
    return Response(to_json(document), status, headers, "application/json")


def location(operation: Operation) -> str:
    """Where an operation is polled."""
    return f"/operations/{operation}"


def pending(operation: Operation) -> Response:
    """202: the command is on its way, and its outcome can be polled (DESIGN P8)."""
    document = {"operationId": str(operation), "commandId": operation.command_id, "status": "pending"}
    return answer(document, 202, {"Location": location(operation), "Retry-After": RETRY_AFTER_S})


def result_of(result: Mapping[str, Any] | None) -> dict[str, Any]:
    """A command's result as HTTP callers see it: each balance in whole units."""
    document = dict(result or {})
    if "balances" in document:
        document["balances"] = [
            {
                "loyaltyProgramId": balance["loyaltyProgramId"],
                "pointsBalance": _whole(balance["pointsBalance"], balance["scale"]),
            }
            for balance in document["balances"]
        ]
    return document


def account_of(version: int, view: Mapping[str, Any]) -> dict[str, Any]:
    """An account as HTTP callers see it, from its snapshot."""
    return {
        "account": view["account"],
        "accountNumber": view["accountNumber"],
        "version": version,
        "sequence": view["sequence"],
        "bookedAt": view["bookedAt"],
        "balances": [_balance(balance) for balance in view["balances"]],
    }


def _balance(balance: Mapping[str, Any]) -> dict[str, Any]:
    scale = balance["scale"]
    return {
        "programme": balance["programme"],
        "scale": scale,
        **{name: _whole(balance[name], scale) for name in _AMOUNTS},
        "expiring": [{"at": part["at"], "amount": _whole(part["amount"], scale)} for part in balance["expiring"]],
        "scheduled": [{"at": part["at"], "amount": _whole(part["amount"], scale)} for part in balance["scheduled"]],
        "accountExpiresAt": balance["accountExpiresAt"],
    }


def _whole(minor: int, scale: int) -> int | Decimal:
    return minor if scale == 0 else from_minor(minor, scale)
