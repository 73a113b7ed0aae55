"""Batches of gift cards for sale: opening and watching them (rules 4.4.7). No card and no code is read here."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from services.edge.auth.principals import Administrator
from services.edge.bus.sending import Send, sends
from services.edge.families.v1.models.batches import BatchAnswer, BatchesAnswer, BatchRequest
from services.edge.families.v1.presenting import batch_of
from services.edge.http.answers import answer
from services.edge.http.bodies import Body, json_body
from services.edge.http.dependencies import EdgeDependency, ViewsDependency
from services.edge.http.documenting import success_responses
from services.edge.http.paging import SIZE, PageSize, next_page
from services.edge.http.parameters import BatchId, FilterText
from services.edge.http.problems import Problem
from services.edge.http.router import Router
from services.edge.views.views import Views

router = Router("Gift card batches", "/v1/giftcards/batches")

_FILLING: dict[str, Any] = {
    "batchId": "summer-2026",
    "cardType": "GIFT-EUR",
    "count": 5000,
    "created": 1200,
    "state": "filling",
    "openedAt": "2026-11-22T10:00:00.000Z",
    "changedAt": "2026-11-22T10:00:02.000Z",
}
_BATCH = partial(
    success_responses,
    BatchAnswer,
    "The batch as it is now.",
    examples={
        "filling": {"summary": "Cards are being created", "value": _FILLING},
        "filled": {"summary": "All cards are there", "value": {**_FILLING, "created": 5000, "state": "filled"}},
    },
)
BatchBody = Annotated[
    Body[BatchRequest],
    json_body(
        BatchRequest,
        summer={
            "summary": "Five thousand cards",
            "value": {"batchId": "summer-2026", "cardType": "GIFT-EUR", "count": 5000},
        },
    ),
]


@router.post("", summary="Create a batch of gift cards", responses=_BATCH())
async def open_batch(
    caller: Administrator,
    body: BatchBody,
    send: Annotated[Send, sends("giftcard.open_batch.v1")],
    edge: EdgeDependency,
) -> Response:
    """Have cards for sale created, without a balance. The response comes at once; the cards follow by themselves."""
    batch_id = body.value.batch_id
    value = {**body.command(), "key": edge.settings.code_key_set.current.id}
    return await send(caller, batch_id, value, body, partial(_current_batch, edge.views, caller.store))


@router.get("/{batchId}", summary="Get a batch of gift cards", responses=_BATCH("not_found"))
async def get_batch(caller: Administrator, batch_id: BatchId, views: ViewsDependency) -> Response:
    """How many cards of the batch are there, and whether they were exported for the printer."""
    batch = await views.giftcard_batches.one(caller.store, batch_id)
    if batch is None:
        raise Problem("not_found", "No batch has this id.")
    return answer(batch_of(batch))


@router.get(
    "",
    summary="List batches of gift cards",
    responses=success_responses(BatchesAnswer, "A page of batches, and where the next one is."),
)
async def list_batches(
    request: Request,
    caller: Administrator,
    views: ViewsDependency,
    size: PageSize = SIZE,
    after: Annotated[FilterText, Query(description="The id of the last batch of the page before.")] = None,
) -> Response:
    """All batches of the store, by id; follow `next` until it is null."""
    batches = await views.giftcard_batches.page(caller.store, after or "", size + 1)
    page = batches[:size]
    more = len(batches) > size
    following = next_page(request, "after", page[-1]["batchId"]) if more else None
    return answer({"batches": [batch_of(each) for each in page], "next": following})


async def _current_batch(views: Views, store: str, result: Mapping[str, Any]) -> dict[str, Any] | None:
    """The present batch of a command's result; None while the view does not have it."""
    batch = await views.giftcard_batches.one(store, result["batchId"])
    return None if batch is None else batch_of(batch)
