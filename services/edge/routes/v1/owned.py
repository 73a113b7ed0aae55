"""A customer's vouchers, all of them, a page at a time (rules 4.3)."""

from typing import Any
from urllib.parse import quote, urlencode

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from schemas.text import LINE
from services.edge import answers
from services.edge.edge import Edge
from services.edge.openapi import refusals
from services.edge.problems import Problem
from services.edge.routes import query
from services.edge.routes.head import CUSTOMER_ID, customer_id
from services.edge.routes.v1.accounts import ADMIN
from services.edge.routes.v1.vouchers import voucher_of
from services.edge.tokens import Caller
from services.edge.v1_documents import CustomerVouchersAnswer
from services.edge.vouchers import stream_of

OWNED = "/v1/customers/{customerId}/vouchers"

_SIZE_MAX, _SIZE = 100, 25
_SERIAL_CHARS_MAX = 64


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


_PARAMETERS = (
    _parameter(
        "size",
        "How many vouchers a page has at most.",
        {"type": "integer", "minimum": 1, "maximum": _SIZE_MAX, "default": _SIZE},
    ),
    _parameter(
        "after",
        "The serial of the last voucher of the page before.",
        {"type": "string", "minLength": 1, "maxLength": _SERIAL_CHARS_MAX, "pattern": LINE.pattern},
    ),
)


def add_routes(app: FastAPI, edge: Edge) -> None:
    """`GET /v1/customers/{customerId}/vouchers`."""

    @app.get(
        OWNED,
        tags=["Customers"],
        summary="List a customer's vouchers",
        response_class=Response,
        responses={
            200: {"model": CustomerVouchersAnswer, "description": "A page of vouchers, and where the next one is."},
            **refusals("customer_unknown", "invalid_parameter", "internal", "unavailable"),
        },
        openapi_extra={"parameters": [CUSTOMER_ID, *_PARAMETERS]},
    )
    @edge.access.scoped(ADMIN)
    async def list_customer_vouchers(request: Request, caller: Caller) -> Response:
        """All vouchers of the customer, used ones too, by serial; follow `next` until it is null."""
        given = query.read(request, "size", "after")
        size = query.number(given, "size", 1, _SIZE_MAX, _SIZE)
        after = query.text(given, "after", _SERIAL_CHARS_MAX)
        who = customer_id(request)
        document = await edge.views.customer(caller.store, who)
        if document is None:
            raise Problem("customer_unknown", "there is no customer with this id")
        behind = "" if after is None else stream_of(caller.store, after)
        found = await edge.views.owned(document["links"], behind, size + 1)
        page = [view for _, view in found[:size]]
        following = None
        if len(found) > size:
            path = OWNED.replace("{customerId}", quote(who, safe=""))
            following = f"{path}?{urlencode({'size': size, 'after': found[size - 1][0].split('/', 2)[2]})}"
        return answers.answer({"customer": who, "vouchers": [voucher_of(view) for view in page], "next": following})
