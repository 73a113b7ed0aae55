"""Converts what the services published to the responses of `/v1`, with amounts in whole units."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from schemas.base import format_instant
from services.edge.families.gift_cards import as_of
from services.edge.http.answers import exact_number, to_whole_units
from services.edge.views.attributions import corrected
from shared.clock import instant, now_ms

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
_CARD_MEMBERS = (
    *("cardId", "serialNumber", "cardType", "status", "currency", "expiresAt"),
    *("articleSetCode", "switchId", "sequence", "changedAt"),
)
_MUTATION_MEMBERS = (
    *("sequence", "kind", "oldStatus", "newStatus", "transactionId", "cancels"),
    *("source", "comment", "reason", "occurredAt", "bookedAt"),
)
_MOVED_AMOUNTS = ("delta", "pendingDelta", "booked", "pending")
_COPIED = ("programme", "transactionId", "operation", "source", "reason", "occurredAt", "bookedAt")


def account_of(version: int, view: Mapping[str, Any], tier_sets: Mapping[str, Any]) -> dict[str, Any]:
    """The response for an account, from its snapshot; `tier_sets`, by id, give the threshold of the next level."""
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


def past_balances_of(account: str, number: str, at: datetime, changes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The past balances of an account at `at`, from the last movement of each programme until then."""
    last_changes = [*changes]
    return {
        "account": account,
        "accountNumber": number,
        "at": format_instant(at),
        "sequence": max((change["sequence"] for change in last_changes), default=0),
        "balances": [
            {
                "programme": change["programme"],
                "scale": change["scale"],
                "unit": change.get("unit"),
                "booked": to_whole_units(change["booked"], change["scale"]),
                "pending": to_whole_units(change["pending"], change["scale"]),
            }
            for change in last_changes
        ],
    }


def movement_of(change: Mapping[str, Any], actors: Mapping[str, str]) -> dict[str, Any]:
    """A movement of a statement, from the published balance change; `actors` are those of corrections."""
    return {
        "sequence": change["sequence"],
        "kind": change["kind"],
        **{name: to_whole_units(change[name], change["scale"]) for name in _MOVED_AMOUNTS},
        "unit": change.get("unit"),
        **{name: change[name] for name in _COPIED},
        "actor": actors.get(change["transactionId"]) if corrected(change) else None,
    }


def voucher_of(view: Mapping[str, Any]) -> dict[str, Any]:
    """The response for a voucher, from its snapshot."""
    response = {name: value for name, value in view.items() if name not in ("version", "scale")}
    response.setdefault("benefit", None)  # Snapshots written before vouchers had benefits lack it.
    response.setdefault("unit", None)
    return {**response, "cost": to_whole_units(view["cost"], view["scale"])}


def giftcard_of(card: Mapping[str, Any]) -> dict[str, Any]:
    """The response for a gift card, from its snapshot, as it counts now; its scratch code is no part of it."""
    counted = as_of(card, format_instant(instant(now_ms())))
    return {
        **{name: counted[name] for name in _CARD_MEMBERS},
        "balance": to_whole_units(counted["balance"] - counted["held"], card["scale"]),
    }


def mutation_of(change: Mapping[str, Any]) -> dict[str, Any]:
    """A mutation of a gift card, from the published change."""
    amounts = {name: to_whole_units(change[name], change["scale"]) for name in ("delta", "balance")}
    return {**{name: change[name] for name in _MUTATION_MEMBERS}, **amounts}


def _tier(tier: Mapping[str, Any], tier_set: Mapping[str, Any] | None) -> dict[str, Any]:
    """The level in a tier set, and the progress to the next level."""
    levels = [] if tier_set is None else tier_set["levels"]
    measure = to_whole_units(tier["measure"], tier["scale"])
    codes = [level["code"] for level in levels]
    higher_levels = levels[codes.index(tier["code"]) + 1 if tier["code"] in codes else 0 :]
    response = {**tier, "measure": measure, "primary": tier_set is not None and tier_set["primary"], "next": None}
    if higher_levels:
        at = exact_number(higher_levels[0]["at"])
        response["next"] = {"code": higher_levels[0]["code"], "at": at, "missing": max(Decimal(0), at - measure)}
    return response


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


def batch_of(view: Mapping[str, Any]) -> dict[str, Any]:
    """A batch of gift cards from its view; the id of its export stays with operators."""
    names = ("batchId", "cardType", "count", "created", "state", "openedAt", "changedAt")
    return {name: view[name] for name in names}
