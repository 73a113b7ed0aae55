"""Refused commands, mainly those of input messages, whose senders get no reply."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from services.edge.auth.principals import Administrator
from services.edge.families.v1.models.refusals import RefusalAnswer, RefusalsAnswer
from services.edge.http import cursors
from services.edge.http.answers import answer
from services.edge.http.dependencies import EdgeDependency, ViewsDependency
from services.edge.http.documenting import success_responses
from services.edge.http.paging import SIZE, Cursor, PageSize, invalid_cursor, next_page
from services.edge.http.parameters import Bound, FilterText, RefusalId
from services.edge.http.problems import Problem
from services.edge.http.router import Router
from services.edge.views.refusal_store import Place
from services.edge.views.refusal_store import Query as RefusalQuery

router = Router("Refusals", "/v1/refusals")


@router.get(
    "",
    summary="List refused commands",
    responses=success_responses(RefusalsAnswer, "A page of refusals, and where the next one is."),
)
async def list_refusals(
    request: Request,
    caller: Administrator,
    edge: EdgeDependency,
    topic: Annotated[
        FilterText, Query(description="Refusals of this topic's records only, such as `webshop.orders`.")
    ] = None,
    code: Annotated[FilterText, Query(description="Refusals with this code only.")] = None,
    account: Annotated[FilterText, Query(description="Refusals about the account with this number only.")] = None,
    order: Annotated[
        FilterText, Query(description="Refusals about this order, or of transactions with this receipt, only.")
    ] = None,
    from_: Annotated[Bound, Query(alias="from", description="Refused at this instant or later.")] = None,
    until: Annotated[Bound, Query(description="Refused before this instant.")] = None,
    size: PageSize = SIZE,
    cursor: Cursor = None,
) -> Response:
    """What the points service refused in the last 28 days, newest first; filters can be combined.

    A refused message from a topic has an `input`, which names its record; a refused HTTP request has none. A refusal
    appears within seconds. Follow `next` until it is null.
    """
    query = RefusalQuery(store=caller.store, topic=topic, code=code, order=order, from_=from_, until=until, limit=size)
    secret = edge.settings.secret.get_secret_value().encode()
    filters = replace(query, accounts=() if account is None else (account,))
    if cursor is not None:
        if (place := cursors.read_refusal(secret, filters, cursor)) is None:
            raise invalid_cursor()
        query = replace(query, below=place)
    refusals = await edge.views.refusals.page(replace(query, limit=size + 1), account)
    page = refusals[:size]
    next_ = None
    if len(refusals) > size:
        last = Place(datetime.fromisoformat(page[-1]["at"]), page[-1]["id"])
        next_ = next_page(request, "cursor", cursors.write_refusal(secret, filters, last))
    return answer({"refusals": page, "next": next_})


@router.get(
    "/{refusalId}",
    summary="Get a refused command",
    responses=success_responses(RefusalAnswer, "The refusal.", "refusal_unknown"),
)
async def get_refusal(caller: Administrator, refusal: RefusalId, views: ViewsDependency) -> Response:
    """One refusal, by its id in the list, which is also the id of its event on `points.events`."""
    found = await views.refusals.one(caller.store, refusal)
    if found is None:
        raise Problem("refusal_unknown", "No refusal has this id, or it is older than 28 days.")
    return answer(found)
