"""How a command ended, for callers whose answer was 202 or 504 (protocol P8)."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from services.edge.auth.tokens import Caller
from services.edge.edge import Edge
from services.edge.families.v1.accounts import ADMIN
from services.edge.http.head import OPERATION_ID
from services.edge.http.headers import PENDING
from services.edge.http.models import OperationAnswer, PendingAnswer
from services.edge.http.openapi import refusals


def add_routes(app: FastAPI, edge: Edge) -> None:
    """`GET /operations/{operationId}`, and the same under `/v1`."""

    async def get_operation(request: Request, caller: Caller) -> Response:
        """The outcome as the service's journal knows it, whichever edge is asked; 202 as long as it is open.

        `never_accepted` is definite and comes at the latest a minute after the command was sent. An operation is known
        to the client that sent it, and to those of its store with `api_admin`.
        """
        return await edge.bus.poll(request.path_params["operationId"], caller)

    for path, name, *scopes in _PLACES:
        app.get(
            path,
            tags=["Operations"],
            summary="Ask how an operation ended",
            operation_id=name,
            response_class=Response,
            responses=_RESPONSES,
            openapi_extra={"parameters": [OPERATION_ID]},
        )(edge.access.scoped(*scopes)(get_operation))


_PLACES = (
    ("/v1/operations/{operationId}", "getOperationAsAdministrator", ADMIN),
    ("/operations/{operationId}", "getOperation"),
)
"""Every family's answers lead to the second, so that it is for the clients of every family."""

_ID = "points.3.0199d2a5-7c00-7000-8000-000000000001.1795341600000.5f0c1d2e3b4a59687786a5b4c3d2e1f0"
_ENDED = {
    "operationId": _ID,
    "commandId": "0199d2a5-7c00-7000-8000-000000000001",
    "status": "accepted",
    "result": {
        "transactionId": "0199d2a5-7c00-7000-8000-000000000001",
        "balances": [{"loyaltyProgramId": "LOY22-BuyVouchers", "pointsBalance": 4200}],
        "issuedVouchers": [],
        "redeemedVouchers": [],
        "voidedVouchers": [],
    },
}
_RESPONSES = {
    200: {
        "model": OperationAnswer,
        "description": "It ended, and how.",
        "content": {"application/json": {"example": _ENDED}},
    },
    202: {
        "model": PendingAnswer,
        "description": "Still open; ask again after `Retry-After` seconds.",
        "headers": PENDING,
    },
    **refusals("operation_unknown", "invalid_parameter", "internal", "unavailable"),
}
