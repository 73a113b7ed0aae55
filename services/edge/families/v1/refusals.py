"""Refused commands, those of inputs above all: nobody waits for their answers."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from services.edge.auth.tokens import Caller
from services.edge.edge import Edge
from services.edge.families.v1.accounts import ADMIN
from services.edge.families.v1.models import RefusalAnswer, RefusalsAnswer
from services.edge.http import answers, cursors, query
from services.edge.http import paging as pages
from services.edge.http.openapi import refusals
from services.edge.http.paging import CURSOR, INSTANT, TEXT, parameter, sized
from services.edge.http.problems import Problem
from services.edge.views.refusal_store import Place, Query

REFUSALS = "/v1/refusals"
REFUSAL = REFUSALS + "/{refusalId}"


def add_routes(app: FastAPI, edge: Edge) -> None:
    """`GET /v1/refusals` and `GET …/{refusalId}`."""
    secret = edge.settings.secret.get_secret_value().encode()

    @app.get(
        REFUSALS,
        tags=["Refusals"],
        summary="List refused commands",
        response_class=Response,
        responses={
            200: {"model": RefusalsAnswer, "description": "A page of refusals, and where the next one is."},
            **refusals("invalid_parameter", "internal", "unavailable"),
        },
        openapi_extra={"parameters": [*_PARAMETERS]},
    )
    @edge.access.scoped(ADMIN)
    async def list_refusals(request: Request, caller: Caller) -> Response:
        """What the points service refused within 28 days, newest first; filters go together in any combination.

        Refusals of inputs have an `input`, which names their record; those of HTTP callers, who were told at once, have
        none. They are seen within seconds. Follow `next` until it is null.
        """
        asked, number = read(request, caller.store)
        sealed = replace(asked, accounts=() if number is None else (number,))
        if (cursor := request.query_params.get("cursor")) is not None:
            if (place := cursors.read_refusal(secret, sealed, cursor)) is None:
                raise pages.not_ours()
            asked = replace(asked, below=place)
        found = await edge.views.refusals.page(replace(asked, limit=asked.limit + 1), number)
        page = found[: asked.limit]
        following = None
        if len(found) > len(page):
            last = Place(datetime.fromisoformat(page[-1]["at"]), page[-1]["id"])
            cursor = cursors.write_refusal(secret, sealed, last)
            following = pages.following(request, REFUSALS, "cursor", cursor)
        return answers.answer({"refusals": page, "next": following})

    @app.get(
        REFUSAL,
        tags=["Refusals"],
        summary="Look at a refused command",
        response_class=Response,
        responses={
            200: {"model": RefusalAnswer, "description": "The refusal."},
            **refusals("invalid_parameter", "refusal_unknown", "internal", "unavailable"),
        },
        openapi_extra={"parameters": [_REFUSAL_ID]},
    )
    @edge.access.scoped(ADMIN)
    async def get_refusal(request: Request, caller: Caller) -> Response:
        """One refusal, by the id that the list shows, which is also that of its event on `points.events`."""
        query.read(request)
        found = await edge.views.refusals.one(caller.store, request.path_params["refusalId"][: pages.CHARS_MAX])
        if found is None:
            raise Problem("refusal_unknown", "there is no refusal with this id, or it is older than 28 days")
        return answers.answer(found)


def read(request: Request, store: str) -> tuple[Query, str | None]:
    """The filters and the size of a page, and the account's number, if one is given.

    :raises Problem: `invalid_parameter`.
    """
    given = query.read(request, "topic", "code", "account", "order", "from", "until", "size", "cursor")
    asked = Query(
        store=store,
        topic=pages.text(given, "topic"),
        code=pages.text(given, "code"),
        order=pages.text(given, "order"),
        from_=query.instant(given, "from", up=True),
        until=query.instant(given, "until", up=True),
        limit=pages.size_of(given),
    )
    return asked, pages.text(given, "account")


_PARAMETERS = (
    parameter("topic", "Refusals of this topic's records only, such as `webshop.orders`.", TEXT),
    parameter("code", "Refusals with this code only.", TEXT),
    parameter("account", "Refusals about the account with this number only.", TEXT),
    parameter("order", "Refusals about this order, or of transactions with this receipt, only.", TEXT),
    parameter("from", "Refused at this instant or later.", INSTANT),
    parameter("until", "Refused before this instant.", INSTANT),
    sized("refusals"),
    CURSOR,
)
_REFUSAL_ID: dict[str, Any] = {
    "name": "refusalId",
    "in": "path",
    "required": True,
    "schema": TEXT,
    "description": "A refusal's id, as the list shows it.",
    "example": "5d0d1f0a-7c00-5000-8000-000000000001",
}
