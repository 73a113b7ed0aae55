"""What operators do with customers beside the CRM document's calls: cards, states, forgetting, export (rules 4.5)."""

from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from schemas.customers import SetCustomerState
from services.edge.auth.tokens import Caller
from services.edge.bus.commands import Ask
from services.edge.edge import Edge
from services.edge.families.v1.accounts import ADMIN
from services.edge.families.v1.exporting import exported
from services.edge.families.v1.models import AnonymisedAnswer, CardAnswer, CustomerStateAnswer, ExportAnswer, NewCard
from services.edge.http import bodies, query
from services.edge.http.commands import described
from services.edge.http.head import CUSTOMER_ID, customer_id, idempotency_key
from services.edge.http.openapi import refusals
from services.edge.http.pointers import SentBody
from services.edge.http.problems import Problem
from shared.hashing import canonical, to_json

CUSTOMER = "/v1/customers/{customerId}"
CARDS, STATE, ANONYMISE, EXPORT = (f"{CUSTOMER}/{name}" for name in ("cards", "state", "anonymise", "export"))

_KNOWN = ("customer_unknown", "too_large")
_LIVING = (*_KNOWN, "customer_anonymised")
_CARD_RULES = (*_LIVING, "customer_deleted", "card_in_use", "card_unknown", "card_replaced", "too_many_cards")
_CARD_EXAMPLES = {"lost": {"summary": "Instead of a lost one", "value": {"replaces": "6299000000000000017"}}}
_STATE_EXAMPLES = {"block": {"summary": "Block", "value": {"state": "blocked", "reason": "fraud"}}}


def add_routes(app: FastAPI, edge: Edge) -> None:
    """`POST` cards and anonymise, `PUT` the state, `GET` the export."""
    _add_changes(app, edge)
    _add_personal(app, edge)


def _add_changes(app: FastAPI, edge: Edge) -> None:
    @app.post(
        CARDS,
        tags=["Customers"],
        summary="Give a customer a card",
        **described(
            "NewCard",
            _CARD_EXAMPLES,
            {"model": CardAnswer, "description": "The customer has this card."},
            _CARD_RULES,
            of=(CUSTOMER_ID,),
        ),
    )
    @edge.access.scoped(ADMIN)
    async def give_card(request: Request, caller: Caller) -> Response:
        """One more card, or one instead of another, whose account it leads to from now on. No number is ever freed."""
        said = bodies.exact(await bodies.read(request, edge.settings.record_bytes_max), NewCard)
        given = bodies.validated(NewCard, said)
        if given.replaces is None:
            added = {"cardNumber": given.card_number}
            body = SentBody(said, NewCard)
            return await _send(edge, request, caller, CARDS, "customer.add_card.v1", added, body)
        replaced = {"cardNumber": given.replaces, "newNumber": given.card_number}
        body = SentBody(said, NewCard, {"cardNumber": "replaces", "newNumber": "cardNumber"})
        return await _send(edge, request, caller, CARDS, "customer.replace_card.v1", replaced, body)

    @app.put(
        STATE,
        tags=["Customers"],
        summary="Block, delete or restore a customer",
        **described(
            "SetCustomerState",
            _STATE_EXAMPLES,
            {"model": CustomerStateAnswer, "description": "The customer has this state."},
            _LIVING,
            of=(CUSTOMER_ID,),
        ),
    )
    @edge.access.scoped(ADMIN)
    async def set_customer_state(request: Request, caller: Caller) -> Response:
        """Say what a customer is from now on. The state that it has already changes nothing."""
        said = bodies.exact(await bodies.read(request, edge.settings.record_bytes_max), SetCustomerState)
        value = bodies.validated(SetCustomerState, said).model_dump(mode="json", by_alias=True)
        body = SentBody(said, SetCustomerState)
        return await _send(edge, request, caller, STATE, "customer.set_state.v1", value, body)


def _add_personal(app: FastAPI, edge: Edge) -> None:
    @app.post(
        ANONYMISE,
        tags=["Customers"],
        summary="Forget a customer",
        **described(
            None,
            {},
            {"model": AnonymisedAnswer, "description": "Forgotten; everywhere by `goneBy`."},
            _KNOWN,
            of=(CUSTOMER_ID,),
        ),
    )
    @edge.access.scoped(ADMIN)
    async def anonymise_customer(request: Request, caller: Caller) -> Response:
        """Blank all that is personal. It cannot be undone; accounts, cards and vouchers stay."""
        return await _send(edge, request, caller, ANONYMISE, "customer.anonymise.v1", {}, None)

    @app.get(
        EXPORT,
        tags=["Customers"],
        summary="Export all that is kept of a customer",
        response_class=Response,
        responses={
            200: {"model": ExportAnswer, "description": "All of it."},
            **refusals("customer_unknown", "invalid_parameter", "internal", "unavailable"),
        },
        openapi_extra={"parameters": [CUSTOMER_ID]},
    )
    @edge.access.scoped(ADMIN)
    async def export_customer(request: Request, caller: Caller) -> Response:
        """Profile, cards, consents, accounts with all their movements, and all vouchers; of deleted customers too."""
        query.read(request)
        document = await edge.views.customers.one(caller.store, customer_id(request))
        if document is None:
            raise Problem("customer_unknown", "there is no customer with this id")
        return StreamingResponse(exported(edge, caller.store, document), media_type="application/json")


async def _send(
    edge: Edge,
    request: Request,
    caller: Caller,
    route: str,
    type_: str,
    value: dict[str, Any],
    body: SentBody | None,
) -> Response:
    who, key = customer_id(request), idempotency_key(request.headers)
    heard = (route, who, canonical({} if body is None else body.document))
    command = to_json({name: each for name, each in value.items() if each is not None})
    asked = Ask(
        caller=caller, service="customer", type=type_, subject=who, value=command, said=heard, key=key, body=body
    )
    return await edge.bus.execute(asked)
