"""Customer operations for administrators: cards, states, anonymisation, export, vouchers (rules 4.5)."""

from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from schemas.customers import SetCustomerState
from services.edge.auth.principals import Administrator
from services.edge.bus.sending import Send, sends
from services.edge.families.v1.exporting import export_document
from services.edge.families.v1.models.customers import (
    AnonymisedAnswer,
    CardAnswer,
    CustomerStateAnswer,
    CustomerVouchersAnswer,
    ExportAnswer,
    NewCard,
)
from services.edge.families.v1.presenting import voucher_of
from services.edge.http.answers import answer
from services.edge.http.bodies import Body, json_body
from services.edge.http.dependencies import EdgeDependency, ViewsDependency
from services.edge.http.documenting import success_responses
from services.edge.http.paging import SIZE, PageSize, next_page
from services.edge.http.parameters import CustomerId, FilterText
from services.edge.http.problems import Problem
from services.edge.http.router import Router
from services.edge.views.vouchers import stream_of

router = Router("Customers", "/v1/customers/{customerId}")

_REPLACING = {"cardNumber": "replaces", "newNumber": "cardNumber"}
"""The members of the command to replace a card, with their names in the body."""

CardBody = Annotated[
    Body[NewCard],
    json_body(NewCard, lost={"summary": "Instead of a lost one", "value": {"replaces": "6299000000000000017"}}),
]
StateBody = Annotated[
    Body[SetCustomerState],
    json_body(SetCustomerState, block={"summary": "Block", "value": {"state": "blocked", "reason": "fraud"}}),
]


@router.post(
    "/cards", summary="Add or replace a card", responses=success_responses(CardAnswer, "The customer has this card.")
)
async def give_card(
    caller: Administrator,
    customer: CustomerId,
    body: CardBody,
    add: Annotated[Send, sends("customer.add_card.v1")],
    replace: Annotated[Send, sends("customer.replace_card.v1")],
) -> Response:
    """Add a card, or replace one: the new card leads to the old one's account. Numbers are never used again."""
    new_card = body.value
    if new_card.replaces is None:
        return await add(caller, customer, body.command(), body)
    command = _without_none(cardNumber=new_card.replaces, newNumber=new_card.card_number)
    return await replace(caller, customer, command, body.renamed_by(_REPLACING))


@router.put(
    "/state",
    summary="Set a customer's state",
    responses=success_responses(CustomerStateAnswer, "The customer has this state."),
)
async def set_customer_state(
    caller: Administrator,
    customer: CustomerId,
    body: StateBody,
    send: Annotated[Send, sends("customer.set_state.v1")],
) -> Response:
    """Activate, block, delete or restore a customer. Setting the state that it already has changes nothing."""
    return await send(caller, customer, body.command(), body)


@router.post(
    "/anonymise",
    summary="Anonymise a customer",
    responses=success_responses(AnonymisedAnswer, "Anonymised; all copies are gone by `goneBy`."),
)
async def anonymise_customer(
    caller: Administrator, customer: CustomerId, send: Annotated[Send, sends("customer.anonymise.v1")]
) -> Response:
    """Erase all personal data. It cannot be undone; accounts, cards and vouchers stay."""
    return await send(caller, customer, {})


@router.get(
    "/export",
    summary="Export a customer's data",
    responses=success_responses(ExportAnswer, "All of it.", "customer_unknown"),
)
async def export_customer(caller: Administrator, customer: CustomerId, edge: EdgeDependency) -> Response:
    """Profile, cards, consents, accounts with all their movements, and all vouchers; of deleted customers too."""
    document = await edge.views.customers.one(caller.store, customer)
    if document is None:
        raise _customer_unknown()
    return StreamingResponse(export_document(edge, caller.store, document), media_type="application/json")


@router.get(
    "/vouchers",
    summary="List a customer's vouchers",
    responses=success_responses(
        CustomerVouchersAnswer, "A page of vouchers, and where the next one is.", "customer_unknown"
    ),
)
async def list_customer_vouchers(
    request: Request,
    caller: Administrator,
    customer: CustomerId,
    views: ViewsDependency,
    size: PageSize = SIZE,
    after: Annotated[FilterText, Query(description="The serial of the last voucher of the page before.")] = None,
) -> Response:
    """All vouchers of the customer, used ones too, by serial; follow `next` until it is null."""
    document = await views.customers.one(caller.store, customer)
    if document is None:
        raise _customer_unknown()
    after_id = "" if after is None else stream_of(caller.store, after)
    vouchers = await views.vouchers.owned(document["links"], after_id, size + 1)
    page = vouchers[:size]
    more = len(vouchers) > size
    return answer(
        {
            "customer": customer,
            "vouchers": [voucher_of(view) for _, view in page],
            "next": next_page(request, "after", page[-1][0].split("/", 2)[2]) if more else None,
        }
    )


def _customer_unknown() -> Problem:
    return Problem("customer_unknown", "No customer has this id.")


def _without_none(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
