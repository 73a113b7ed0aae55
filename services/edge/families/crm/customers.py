"""Customers, as the CRM document describes them (rules 4.5.2 to 4.5.4)."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from schemas.base import format_instant
from schemas.customers import CreateCustomer, UpdateCustomer
from schemas.transaction import Transaction
from services.edge.auth.tokens import Caller
from services.edge.bus.commands import Ask
from services.edge.bus.previews import preview
from services.edge.edge import Edge
from services.edge.families.crm import presenting as crm
from services.edge.families.crm.models import CustomerAnswer, CustomerSearch, SearchAnswer
from services.edge.families.posting import (
    BOOKED,
    EXAMPLES,
    POST_TRANSACTION,
    PREVIEW_RULES,
    PREVIEWED,
    RULES,
    transaction_of,
)
from services.edge.http import answers, bodies, query
from services.edge.http.commands import described, described_preview, in_any_case, send
from services.edge.http.head import CUSTOMER_ID, customer_id, idempotency_key
from services.edge.http.openapi import BODY_PROBLEMS, body, refusals
from services.edge.http.pointers import SentBody
from services.edge.http.problems import Problem
from services.edge.views.customers import APART
from shared.clock import instant, now_ms
from shared.decider import Document
from shared.hashing import canonical, to_json
from shared.ids import derived_id, new_id

FAMILY = "/api/v1.0/Switch/Crm/Customer"
SEARCH, CREATE, CUSTOMER = FAMILY + "/Search", FAMILY + "/Create", FAMILY + "/{customerId}"
TRANSACTION = CUSTOMER + "/Transaction"
PREVIEW = TRANSACTION + "/preview"
SCOPE = "api_crm"
PAGE_MAX, SIZE_MAX, SIZE = 1000, 100, 20
FOUND_MAX = 10_000
"""What is skipped is read: so far a search goes, and stays fast."""


_CONTACTS = ("email_in_use", "phone_in_use", "birth_date_in_future", "too_large")
_CREATE_RULES = (*_CONTACTS, "card_in_use")
_UPDATE_RULES = (*_CONTACTS, "customer_unknown", "customer_deleted", "customer_anonymised")
_SHOWN = {"model": CustomerAnswer, "description": "The customer, with balances and vouchers."}
_INFO = {"firstName": "Anna", "lastName": "de Vries", "emailAddress": "anna@example.com", "dateOfBirth": "1990-09-11"}
_CREATE_EXAMPLES = {"new": {"summary": "A new customer", "value": {"customerInfo": _INFO}}}
_UPDATE_EXAMPLES = {"moved": {"summary": "Another city", "value": {"customerInfo": {"city": "Utrecht"}}}}
_SEARCH_EXAMPLES = {
    "name": {
        "summary": "By name and postal code",
        "value": {"parameters": {"lastName": "vr", "postalCode": "1234 AB"}},
    },
    "card": {"summary": "By card", "value": {"parameters": {"cardNumber": "6299000000000000017"}}},
}


def _whole_number(name: str, most: int, default: int, told: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": told}


_PAGE = _whole_number("page", PAGE_MAX, 1, "Which page, from 1 on.")
_SIZE = _whole_number("size", SIZE_MAX, SIZE, "How many customers a page has.")


def add_routes(app: FastAPI, edge: Edge) -> None:
    """Search, Get, Create, Update, and the customer's Transaction."""
    _add_reads(app, edge)
    _add_writes(app, edge)
    _add_transaction(app, edge)
    in_any_case(app, SEARCH, CREATE, CUSTOMER, TRANSACTION, PREVIEW)


def _add_reads(app: FastAPI, edge: Edge) -> None:
    @app.post(
        SEARCH,
        tags=["Customers"],
        summary="Search for customers",
        response_class=Response,
        responses={
            200: {"model": SearchAnswer, "description": "Those who meet all criteria."},
            **refusals(*BODY_PROBLEMS, "invalid_parameter", "internal", "unavailable"),
        },
        openapi_extra=body("CustomerSearch", _SEARCH_EXAMPLES, _PAGE, _SIZE),
    )
    @edge.access.scoped(SCOPE)
    async def search_customers(request: Request, caller: Caller) -> Response:
        """Find the customers that meet all criteria given; at least one must be. Deleted ones are not found.

        The first 10,000 are shown. By a name they come in its order, else the oldest first.
        """
        values = query.read(request, "page", "size")
        page = query.number(values, "page", 1, PAGE_MAX, 1)
        size = query.number(values, "size", 1, SIZE_MAX, SIZE)
        raw = await bodies.read(request, edge.settings.record_bytes_max)
        wanted = bodies.validated(CustomerSearch, bodies.folded(raw, CustomerSearch))
        criteria = crm.criteria_of(wanted.parameters)
        if not criteria:
            raise Problem("invalid_value", "give at least one criterion that is not blank", pointer="/parameters")
        if page * size > FOUND_MAX:
            raise query.wrong("page", f"a search shows the first {FOUND_MAX:,} customers: give more criteria")
        found = await edge.views.customers.search(caller.store, criteria, (page - 1) * size, size)
        return answers.answer({"customers": [crm.found_of(document) for document in found]})

    @app.get(
        CUSTOMER,
        tags=["Customers"],
        summary="Get a customer",
        response_class=Response,
        responses={
            200: _SHOWN,
            **refusals("customer_unknown", "invalid_parameter", "internal", "unavailable"),
        },
        openapi_extra={"parameters": [CUSTOMER_ID]},
    )
    @edge.access.scoped(SCOPE)
    async def get_customer(request: Request, caller: Caller) -> Response:
        """The customer with every active programme, what is on offer in it, and the vouchers that can be used now.

        Of more than 100 vouchers it has those that expire first; `/v1/customers/{customerId}/vouchers` has all.

        A write that was answered 200 by this installation is always seen.
        """
        query.read(request)
        document = await known(edge, caller, customer_id(request))
        return answers.answer(await _answer(edge, document))


def _add_writes(app: FastAPI, edge: Edge) -> None:
    @app.post(
        CREATE,
        tags=["Customers"],
        summary="Create a customer",
        **described("CreateCustomer", _CREATE_EXAMPLES, _SHOWN, _CREATE_RULES, of=()),
    )
    @edge.access.scoped(SCOPE)
    async def create_customer(request: Request, caller: Caller) -> Response:
        """Register a customer, with the card of `cardNumber` or one that is drawn. Consents left out are not given."""
        key = idempotency_key(request.headers)
        who = new_id() if key is None else derived_id("customer", caller.store, caller.client, key)
        return await _describe(edge, request, caller, who, "customer.create.v1", CreateCustomer, (CREATE,))

    @app.put(
        CUSTOMER,
        tags=["Customers"],
        summary="Update a customer",
        **described("UpdateCustomer", _UPDATE_EXAMPLES, _SHOWN, _UPDATE_RULES, of=(CUSTOMER_ID,)),
    )
    @edge.access.scoped(SCOPE)
    async def update_customer(request: Request, caller: Caller) -> Response:
        """Change what is known of a customer: what is left out or null stays, an empty text clears."""
        who = customer_id(request)
        heard = (CUSTOMER, who)
        return await _describe(edge, request, caller, who, "customer.update.v1", UpdateCustomer, heard)


def _add_transaction(app: FastAPI, edge: Edge) -> None:
    @app.post(
        TRANSACTION,
        tags=["Customers"],
        summary="Post a customer's transaction",
        **described("Transaction", EXAMPLES, BOOKED, ("customer_unknown", *RULES), of=(CUSTOMER_ID,)),
    )
    @edge.access.scoped(SCOPE)
    async def post_customer_transaction(request: Request, caller: Caller) -> Response:
        """The LoyaltyVault's transaction, on the account that the customer's main card leads to."""
        key, who = idempotency_key(request.headers), customer_id(request)
        value, said = await transaction_of(edge, request, caller)
        number, _ = crm.leading(await known(edge, caller, who))
        command = {"accountNumber": number, **value}
        body = SentBody(value, Transaction)
        return await send(edge, caller, POST_TRANSACTION, number, command, (TRANSACTION, who, said), key, body)

    @app.post(
        PREVIEW,
        tags=["Customers"],
        summary="Preview a customer's transaction",
        **described_preview("Transaction", EXAMPLES, PREVIEWED, ("customer_unknown", *PREVIEW_RULES), CUSTOMER_ID),
    )
    @edge.access.scoped(SCOPE)
    async def preview_customer_transaction(request: Request, caller: Caller) -> Response:
        """The LoyaltyVault's preview, on the account that the customer's main card leads to; nothing is done."""
        who = customer_id(request)
        value, _ = await transaction_of(edge, request, caller)
        number, _ = crm.leading(await known(edge, caller, who))
        return answers.answer(await preview(edge.bus, caller, number, value))


async def _describe(
    edge: Edge,
    request: Request,
    caller: Caller,
    who: str,
    type_: str,
    model: type[BaseModel],
    heard: tuple[str, ...],
) -> Response:
    """Send what the body says of a customer, and answer with the customer as it is then."""
    key = idempotency_key(request.headers)
    said = bodies.folded(await bodies.read(request, edge.settings.record_bytes_max), model)
    command = bodies.validated(model, said)
    value = to_json(command.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True))

    async def show(result: Mapping[str, Any]) -> Document | None:
        document = await edge.views.customers.one(caller.store, result["customer"])
        return None if document is None or crm.is_deleted(document) else await _answer(edge, document)

    said_all: tuple[str | bytes, ...] = (*heard, canonical(said))
    asked = Ask(
        caller=caller,
        service="customer",
        type=type_,
        subject=who,
        value=value,
        said=said_all,
        key=key,
        body=SentBody(said, model),
    )
    return await edge.bus.execute(asked, show)


async def known(edge: Edge, caller: Caller, who: str) -> Document:
    """The customer's document.

    :raises Problem: `customer_unknown`, of deleted ones too.
    :raises Unavailable: when the views are away.
    """
    document = await edge.views.customers.one(caller.store, who)
    if document is None or crm.is_deleted(document):
        raise Problem("customer_unknown", "there is no customer with this id")
    return document


async def _answer(edge: Edge, document: Document) -> Document:
    """The customer now: one read, which has been done, or three for a customer who has had many vouchers."""
    at = format_instant(instant(now_ms()))
    if APART in document:
        vouchers = await edge.views.vouchers.usable(crm.owners(document), at, crm.VOUCHERS_SHOWN)
    else:
        vouchers = crm.usable(document, at)
    return crm.customer_of(document, vouchers, edge.views.catalogue.of(document["store"]), at)
