"""What people change by hand on an account: balances, transactions, its state, its numbers, its tiers (rules 4.1)."""

from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from schemas.points import Adjust, PinTier, ReplaceNumber, Reverse, SetAccountState
from services.edge.auth.tokens import Caller
from services.edge.edge import Edge
from services.edge.families.v1.accounts import ACCOUNT, ADMIN
from services.edge.http import bodies, query
from services.edge.http.commands import described, from_body, send
from services.edge.http.head import REASON, TIER_SET, account_number, idempotency_key, tier_set
from services.edge.http.models import (
    ReplacementAnswer,
    ReversalAnswer,
    StateAnswer,
    TierPin,
    TierPinAnswer,
    TransactionAnswer,
)
from shared.hashing import canonical

ADJUSTMENTS = ACCOUNT + "/adjustments"
REVERSALS = ACCOUNT + "/reversals"
STATE = ACCOUNT + "/state"
REPLACEMENTS = ACCOUNT + "/replacements"
TIER = ACCOUNT + "/tiers/{tierSet}"

REVERSE = "api_reverse"
"""The scope of who may undo what it has sent itself; with `ADMIN` it does not matter who has."""

_ADJUST_RULES = (
    "programme_unknown",
    "programme_retired",
    "account_unknown",
    "account_closed",
    "value_zero",
    "too_many_decimals",
    "insufficient_points",
    "balance_limit_exceeded",
    "too_many_lots",
    "expiry_in_past",
    "expiry_before_activation",
    "scheduled_debit",
    "too_large",
)
_REVERSE_RULES = (
    "account_unknown",
    "account_closed",
    "transaction_unknown",
    "transaction_foreign",
    "reversed_operation_unknown",
    "not_reversible",
    "already_reversed",
    "reversal_exceeds_original",
    "too_many_decimals",
    "balance_limit_exceeded",
    "too_large",
    "transaction_open",
    "too_many_open_transactions",
    "voucher_used",
)
_STATE_RULES = ("account_unknown", "too_large")
_REPLACE_RULES = ("account_unknown", "account_closed", "number_in_use", "too_many_numbers", "too_large")
_TIER_RULES = ("account_unknown", "account_closed", "tier_set_unknown", "too_large")
_BOOKED = {"model": TransactionAnswer, "description": "Booked; the balance of the programme."}
_REVERSED = {"model": ReversalAnswer, "description": "Booked; what was undone, and the balances of the programmes."}
_STATE_SET = {"model": StateAnswer, "description": "The account has this state."}
_REPLACED = {"model": ReplacementAnswer, "description": "The number leads to the account."}
_PINNED = {"model": TierPinAnswer, "description": "The account has this level."}

_ADJUST_EXAMPLES: dict[str, Any] = {
    "up": {
        "summary": "Goodwill that expires",
        "value": {
            "programme": "LOY22-BuyVouchers",
            "value": 250,
            "reason": "late delivery",
            "expiresAt": "2030-12-31T23:00:00Z",
        },
    },
    "down": {"summary": "A correction", "value": {"programme": "CASHBACK", "value": -2.5, "reason": "counted twice"}},
}
_REVERSE_EXAMPLES: dict[str, Any] = {
    "all": {
        "summary": "The whole transaction",
        "value": {"transactionId": "0199d2a5-7c00-7000-8000-000000000001", "reason": "wrong card"},
    },
    "part": {
        "summary": "One operation in part, another wholly",
        "value": {
            "transactionId": "0199d2a5-7c00-7000-8000-000000000001",
            "operations": [{"operation": 0, "value": 2.5}, {"operation": 1}],
            "reason": "one article was sent back",
        },
    },
}
_STATE_EXAMPLES = {"block": {"summary": "A lost card", "value": {"state": "suspended", "reason": "reported lost"}}}
_REPLACE_EXAMPLES = {"card": {"summary": "A new card", "value": {"newNumber": "6299000000000000025"}}}
_TIER_EXAMPLES = {"vip": {"summary": "Hold at gold", "value": {"code": "gold", "reason": "a loyal customer"}}}


def add_routes(app: FastAPI, edge: Edge) -> None:
    """`POST` adjustments, reversals and replacements; `PUT` the state and a tier; `DELETE` a tier's pin."""
    _add_bookings(app, edge)
    _add_standing(app, edge)
    _add_tiers(app, edge)


def _add_bookings(app: FastAPI, edge: Edge) -> None:
    @app.post(
        ADJUSTMENTS,
        tags=["Accounts"],
        summary="Correct a balance by hand",
        **described("Adjustment", _ADJUST_EXAMPLES, _BOOKED, _ADJUST_RULES),
    )
    @edge.access.scoped(ADMIN)
    async def adjust_balance(request: Request, caller: Caller) -> Response:
        """Book a correction up or down, with its reason; one down beyond the balance is refused."""
        return await from_body(edge, request, caller, ADJUSTMENTS, "points.adjust.v1", Adjust)

    @app.post(
        REVERSALS,
        tags=["Accounts"],
        summary="Reverse a transaction",
        **described("Reversal", _REVERSE_EXAMPLES, _REVERSED, _REVERSE_RULES),
    )
    @edge.access.scoped(REVERSE, ADMIN)
    async def reverse_transaction(request: Request, caller: Caller) -> Response:
        """Undo a transaction: all of it, or the operations named, in part where a value is given.

        Over all reversals each operation is undone once at most. Points redeemed return to where they came from; what
        was loaded is revoked, and what of it has been spent becomes debt. A purchase gives its price back and voids its
        voucher, unless that was used since; vouchers redeemed become usable again. All of it is done, or nothing.

        With `api_admin`, any transaction; with `api_reverse`, those that this client itself has sent over HTTP, what
        they did with vouchers included; another's is refused (`transaction_foreign`).
        """
        ours = {"onlyBy": None if ADMIN in caller.scopes else caller.actor}
        return await from_body(edge, request, caller, REVERSALS, "points.reverse.v1", Reverse, ours=ours)


def _add_standing(app: FastAPI, edge: Edge) -> None:
    @app.put(
        STATE,
        tags=["Accounts"],
        summary="Block, suspend, close or free an account",
        **described("AccountStanding", _STATE_EXAMPLES, _STATE_SET, _STATE_RULES),
    )
    @edge.access.scoped(ADMIN)
    async def set_account_state(request: Request, caller: Caller) -> Response:
        """Say what an account may do from now on. The state that it has already changes nothing."""
        return await from_body(edge, request, caller, STATE, "points.set_account_state.v1", SetAccountState)

    @app.post(
        REPLACEMENTS,
        tags=["Accounts"],
        summary="Give an account another number",
        **described("Replacement", _REPLACE_EXAMPLES, _REPLACED, _REPLACE_RULES),
    )
    @edge.access.scoped(ADMIN)
    async def replace_account_number(request: Request, caller: Caller) -> Response:
        """From now on the new number leads to this account, too. The old one goes on to do so: none is ever freed."""
        return await from_body(edge, request, caller, REPLACEMENTS, "points.replace_number.v1", ReplaceNumber)


def _add_tiers(app: FastAPI, edge: Edge) -> None:
    @app.put(
        TIER,
        tags=["Accounts"],
        summary="Hold an account at a tier",
        **described("TierPin", _TIER_EXAMPLES, _PINNED, (*_TIER_RULES, "tier_unknown"), TIER_SET),
    )
    @edge.access.scoped(ADMIN)
    async def pin_tier(request: Request, caller: Caller) -> Response:
        """Hold an account at a tier by hand, whatever it earns, until that is taken back."""
        in_path = {"tierSet": tier_set(request)}
        return await from_body(edge, request, caller, TIER, "points.pin_tier.v1", TierPin, in_path)

    @app.delete(
        TIER,
        tags=["Accounts"],
        summary="Hold an account at a tier no longer",
        **described(None, {}, _PINNED, (*_TIER_RULES, "invalid_parameter"), TIER_SET, REASON),
    )
    @edge.access.scoped(ADMIN)
    async def unpin_tier(request: Request, caller: Caller) -> Response:
        """Take back what holds the account at a tier: it has the one again that it earned."""
        key, number, name = idempotency_key(request.headers), account_number(request), tier_set(request)
        reason = query.text(query.read(request, "reason"), "reason", 200)
        if reason is None:
            raise query.wrong("reason", "say why")
        said = {"code": None, "reason": reason}
        command = bodies.validated(PinTier, {"accountNumber": number, "tierSet": name, **said})
        value = command.model_dump(by_alias=True)
        return await send(edge, caller, "points.pin_tier.v1", number, value, (TIER, number, name, canonical(said)), key)
