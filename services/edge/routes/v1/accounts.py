"""Accounts: one read from the view, and corrections by hand (RULES 4.1.3, 4.1.6)."""

from fastapi import FastAPI
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from schemas.points import Adjust
from services.edge import answers, bodies
from services.edge.bus import Ask
from services.edge.documents import AccountAnswer, PendingAnswer, TransactionAnswer
from services.edge.edge import Edge
from services.edge.openapi import COMMAND_PROBLEMS, body, refusals
from services.edge.problems import Problem
from services.edge.routes.head import ACCOUNT_NUMBER, IDEMPOTENCY_KEY, account_number, idempotency_key
from shared.hashing import canonical, to_json
from shared.ids import account_id

ACCOUNT = "/v1/accounts/{accountNumber}"
ADJUSTMENTS = ACCOUNT + "/adjustments"

_ADJUST: TypeAdapter[Adjust] = TypeAdapter(Adjust)
_RULES = (
    "programme_unknown",
    "programme_retired",
    "account_unknown",
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
_EXAMPLES = {
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


def add_routes(app: FastAPI, edge: Edge) -> None:
    """`GET /v1/accounts/{accountNumber}` and `POST …/adjustments`."""
    store = edge.settings.store

    @app.get(
        ACCOUNT,
        tags=["Accounts"],
        summary="Look at an account",
        response_class=Response,
        responses={
            200: {"model": AccountAnswer, "description": "The account with all its programmes."},
            **refusals("invalid_account_number", "account_unknown", "internal", "unavailable"),
        },
        openapi_extra={"parameters": [ACCOUNT_NUMBER]},
    )
    async def get_account(request: Request) -> Response:
        """Balances, what expires when, what becomes active when, and counters over the account's whole life.

        A write that was answered 200 by this installation is always seen.
        """
        found = await edge.views.account(account_id(store, account_number(request)))
        if found is None:
            raise Problem("account_unknown", "no account has this number")
        return answers.answer(answers.account_of(*found))

    @app.post(
        ADJUSTMENTS,
        tags=["Accounts"],
        summary="Correct a balance by hand",
        response_class=Response,
        responses={
            200: {"model": TransactionAnswer, "description": "Booked; the balance of the programme."},
            202: {"model": PendingAnswer, "description": "On its way; poll the `Location`."},
            **refusals(*COMMAND_PROBLEMS, *_RULES),
        },
        openapi_extra=body("Adjustment", _EXAMPLES, ACCOUNT_NUMBER, IDEMPOTENCY_KEY),
    )
    async def adjust(request: Request) -> Response:
        """Book a correction up or down, with its reason; one down beyond the balance is refused."""
        key, number = idempotency_key(request.headers), account_number(request)
        said = bodies.exact(await bodies.read(request, edge.settings.record_bytes_max))
        if "accountNumber" in said:
            raise Problem("unknown_field", "the account's number is in the path", pointer="/accountNumber")
        command = bodies.validated(_ADJUST, {**said, "accountNumber": number})
        return await edge.bus.execute(
            Ask(
                service="points",
                type="points.adjust.v1",
                subject=account_id(store, number),
                value=to_json(command.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)),
                said=(ADJUSTMENTS, number, canonical(said)),
                key=key,
            )
        )
