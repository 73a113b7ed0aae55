"""Polling the outcome of a command after a 202 or 504 (protocol P8)."""

from starlette.responses import Response

from services.edge.auth.principals import Administrator, AnyClient
from services.edge.http.dependencies import EdgeDependency
from services.edge.http.documenting import Responses, success_responses
from services.edge.http.headers import PENDING
from services.edge.http.models import OperationAnswer, PendingAnswer
from services.edge.http.parameters import OperationId
from services.edge.http.router import Router

router = Router("Operations")

_ENDED = {
    "operationId": "points.3.0199d2a5-7c00-7000-8000-000000000001.1795341600000.5f0c1d2e3b4a59687786a5b4c3d2e1f0",
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
_RESPONSES: Responses = {
    **success_responses(
        OperationAnswer,
        "The outcome.",
        "operation_unknown",
        examples={"accepted": {"summary": "A transaction was booked", "value": _ENDED}},
    ),
    202: {
        "model": PendingAnswer,
        "description": "Still open; ask again after `Retry-After` seconds.",
        "headers": PENDING,
    },
}
_OUTCOME = """The outcome in the service's journal, the same from every edge process; 202 while it is still open.

`never_accepted` is final and comes at most a minute after the command was sent. Only the client that sent the command,
and clients of its store with `api_admin`, can see an operation.
"""


@router.get(
    "/operations/{operationId}", summary="Get the outcome of an operation", description=_OUTCOME, responses=_RESPONSES
)
async def get_operation(caller: AnyClient, operation: OperationId, edge: EdgeDependency) -> Response:
    """The path in `Location` headers, open to the clients of all families."""
    return await edge.bus.poll(operation, caller)


@router.get(
    "/v1/operations/{operationId}",
    summary="Get the outcome of an operation",
    description=_OUTCOME,
    responses=_RESPONSES,
)
async def get_operation_as_administrator(
    caller: Administrator, operation: OperationId, edge: EdgeDependency
) -> Response:
    """The same operation within the family `/v1`."""
    return await edge.bus.poll(operation, caller)
