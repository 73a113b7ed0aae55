"""Accounts as they are, and as they were at any instant (rules 4.1.3)."""

from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from services.edge.auth.tokens import Caller
from services.edge.edge import Edge
from services.edge.http import answers, query
from services.edge.http.head import ACCOUNT_NUMBER, account_number
from services.edge.http.models import AccountAnswer, PastAccountAnswer
from services.edge.http.openapi import refusals
from services.edge.http.problems import Problem
from shared.ids import account_id

ACCOUNT = "/v1/accounts/{accountNumber}"
ADMIN = "api_admin"
"""The scope of everything under `/v1/`."""
BALANCES = ACCOUNT + "/balances"

_AT: dict[str, Any] = {
    "name": "at",
    "in": "query",
    "required": True,
    "schema": {"type": "string", "format": "date-time"},
    "description": "The instant to show, by time of booking.",
    "example": "2026-12-31T23:59:59.999Z",
}


def add_routes(app: FastAPI, edge: Edge) -> None:
    """`GET /v1/accounts/{accountNumber}` and `GET …/balances`."""

    @app.get(
        ACCOUNT,
        tags=["Accounts"],
        summary="Look at an account",
        response_class=Response,
        responses={
            200: {"model": AccountAnswer, "description": "The account with all its programmes."},
            **refusals("invalid_account_number", "invalid_parameter", "account_unknown", "internal", "unavailable"),
        },
        openapi_extra={"parameters": [ACCOUNT_NUMBER]},
    )
    @edge.access.scoped(ADMIN)
    async def get_account(request: Request, caller: Caller) -> Response:
        """Balances, what expires when, what becomes active when, and counters over the account's whole life.

        A write that was answered 200 by this installation is always seen.
        """
        query.read(request)
        found = await edge.views.accounts.one(account_id(caller.store, account_number(request)))
        if found is None:
            raise Problem("account_unknown", "no account has this number")
        tier_sets = await edge.views.catalogue.tier_sets(caller.store) if found[1]["tiers"] else {}
        return answers.answer(answers.account_of(*found, tier_sets))

    @app.get(
        BALANCES,
        tags=["Accounts"],
        summary="Look at the balances as they were",
        response_class=Response,
        responses={
            200: {"model": PastAccountAnswer, "description": "What was booked and pending in each programme."},
            **refusals("invalid_account_number", "invalid_parameter", "account_unknown", "internal", "unavailable"),
        },
        openapi_extra={"parameters": [ACCOUNT_NUMBER, _AT]},
    )
    @edge.access.scoped(ADMIN)
    async def get_past_balances(request: Request, caller: Caller) -> Response:
        """What was booked and pending after the last movement at or before an instant.

        Nothing before the first movement; the present in the future.
        """
        account = account_id(caller.store, account_number(request))
        at = query.instant(query.read(request, "at"), "at", up=False)
        if at is None:
            raise query.wrong("at", "an instant is needed")
        names = await edge.views.accounts.names(account)
        if names is None:
            raise Problem("account_unknown", "no account has this number")
        return answers.answer(answers.standing_of(*names, at, await edge.views.statements.standing(names[0], at)))
