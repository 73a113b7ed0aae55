"""Accounts, movements and vouchers as HTTP callers see them, from what the services publish: amounts in whole units."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from schemas.base import format_instant
from services.edge.http.answers import exact_number, to_whole_units
from services.edge.views.attributions import corrected

_AMOUNTS = (
    "balance",
    "booked",
    "pending",
    "debt",
    "held",
    "earned",
    "redeemed",
    "expired",
    "adjustedUp",
    "adjustedDown",
    "revoked",
    "givenBack",
)
_MOVED = ("delta", "pendingDelta", "booked", "pending")
_SAID = ("programme", "transactionId", "operation", "source", "reason", "occurredAt", "bookedAt")


def account_of(version: int, view: Mapping[str, Any], tier_sets: Mapping[str, Any]) -> dict[str, Any]:
    """An account as HTTP callers see it, from its snapshot; `tier_sets`, by id, say what the next level takes."""
    return {
        "account": view["account"],
        "accountNumber": view["accountNumber"],
        "numbers": view["numbers"],
        "state": view["state"],
        "version": version,
        "sequence": view["sequence"],
        "bookedAt": view["bookedAt"],
        "balances": [_balance(balance) for balance in view["balances"]],
        "tiers": [_tier(tier, tier_sets.get(tier["tierSet"])) for tier in view["tiers"]],
    }


def standing_of(account: str, number: str, at: datetime, changes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """An account as it was at `at`, from the last movement of each programme until then."""
    last = [*changes]
    return {
        "account": account,
        "accountNumber": number,
        "at": format_instant(at),
        "sequence": max((change["sequence"] for change in last), default=0),
        "balances": [
            {
                "programme": change["programme"],
                "scale": change["scale"],
                "unit": change.get("unit"),
                "booked": to_whole_units(change["booked"], change["scale"]),
                "pending": to_whole_units(change["pending"], change["scale"]),
            }
            for change in last
        ],
    }


def movement_of(change: Mapping[str, Any], actors: Mapping[str, str]) -> dict[str, Any]:
    """A movement as HTTP callers see it, from the value that was published; `actors` are those of corrections."""
    return {
        "sequence": change["sequence"],
        "kind": change["kind"],
        **{name: to_whole_units(change[name], change["scale"]) for name in _MOVED},
        "unit": change.get("unit"),
        **{name: change[name] for name in _SAID},
        "actor": actors.get(change["transactionId"]) if corrected(change) else None,
    }


def voucher_of(view: Mapping[str, Any]) -> dict[str, Any]:
    """A voucher, from its snapshot."""
    shown = {name: value for name, value in view.items() if name not in ("version", "scale")}
    shown.setdefault("benefit", None)  # The snapshot is from before there were any.
    shown.setdefault("unit", None)
    return {**shown, "cost": to_whole_units(view["cost"], view["scale"])}


def _tier(tier: Mapping[str, Any], tier_set: Mapping[str, Any] | None) -> dict[str, Any]:
    """A place in a tier set, and the progress to the next level."""
    levels = [] if tier_set is None else tier_set["levels"]
    measure = to_whole_units(tier["measure"], tier["scale"])
    codes = [level["code"] for level in levels]
    following = levels[codes.index(tier["code"]) + 1 if tier["code"] in codes else 0 :]
    shown = {**tier, "measure": measure, "primary": tier_set is not None and tier_set["primary"], "next": None}
    if following:
        at = exact_number(following[0]["at"])
        shown["next"] = {"code": following[0]["code"], "at": at, "missing": max(Decimal(0), at - measure)}
    return shown


def _balance(balance: Mapping[str, Any]) -> dict[str, Any]:
    scale = balance["scale"]
    return {
        "programme": balance["programme"],
        "scale": scale,
        **{name: to_whole_units(balance[name], scale) for name in _AMOUNTS},
        "expiring": [
            {"at": part["at"], "amount": to_whole_units(part["amount"], scale)} for part in balance["expiring"]
        ],
        "scheduled": [
            {"at": part["at"], "amount": to_whole_units(part["amount"], scale)} for part in balance["scheduled"]
        ],
        "accountExpiresAt": balance["accountExpiresAt"],
    }
