"""A customer's vouchers, all of them, a page at a time (rules 4.3)."""

from urllib.parse import quote

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from services.edge.auth.tokens import Caller
from services.edge.edge import Edge
from services.edge.families.v1.accounts import ADMIN
from services.edge.families.v1.models import CustomerVouchersAnswer
from services.edge.families.v1.vouchers import voucher_of
from services.edge.http import answers, query
from services.edge.http import paging as pages
from services.edge.http.head import CUSTOMER_ID, customer_id
from services.edge.http.openapi import refusals
from services.edge.http.paging import TEXT, parameter, sized
from services.edge.http.problems import Problem
from services.edge.views.vouchers import stream_of

OWNED = "/v1/customers/{customerId}/vouchers"

_PARAMETERS = (sized("vouchers"), parameter("after", "The serial of the last voucher of the page before.", TEXT))


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
        size = pages.size_of(given)
        after = pages.text(given, "after")
        who = customer_id(request)
        document = await edge.views.customers.one(caller.store, who)
        if document is None:
            raise Problem("customer_unknown", "there is no customer with this id")
        behind = "" if after is None else stream_of(caller.store, after)
        found = await edge.views.vouchers.owned(document["links"], behind, size + 1)
        page = [view for _, view in found[:size]]
        following = None
        if len(found) > size:
            path = OWNED.replace("{customerId}", quote(who, safe=""))
            following = pages.following(request, path, "after", found[size - 1][0].split("/", 2)[2])
        return answers.answer({"customer": who, "vouchers": [voucher_of(view) for view in page], "next": following})
