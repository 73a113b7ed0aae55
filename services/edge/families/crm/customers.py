"""Customers, as the CRM document describes them (rules 4.5.2 to 4.5.4)."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from schemas.base import format_instant
from schemas.customers import CreateCustomer, UpdateCustomer
from services.edge.auth.principals import CrmClient
from services.edge.bus.previews import Previews
from services.edge.bus.sending import Send, sends
from services.edge.families.crm import presenting
from services.edge.families.crm.models import CustomerAnswer, CustomerSearch, SearchAnswer
from services.edge.families.posting import BOOKED, POST_TRANSACTION, PREVIEWED, TransactionBody, check_voids
from services.edge.http.answers import answer
from services.edge.http.bodies import Body, case_insensitive_body
from services.edge.http.dependencies import ViewsDependency
from services.edge.http.documenting import success_responses
from services.edge.http.parameters import CustomerId, whole_number
from services.edge.http.problems import Problem, invalid_parameter
from services.edge.http.router import CaseInsensitiveRoute, Router
from services.edge.views.customers import APART
from services.edge.views.views import Views
from shared.clock import instant, now_ms
from shared.decider import Document
from shared.ids import derived_id, new_id

router = Router("Customers", "/api/v1.0/Switch/Crm/Customer", CaseInsensitiveRoute)

PAGE_MAX, SIZE_MAX, SIZE = 1000, 100, 20
FOUND_MAX = 10_000
"""The last result that a search can page to: skipped results are read too, so a deeper page would be slow."""

_INFO = {"firstName": "Anna", "lastName": "de Vries", "emailAddress": "anna@example.com", "dateOfBirth": "1990-09-11"}
_CUSTOMER = partial(success_responses, CustomerAnswer, "The customer, with balances and vouchers.")

SearchBody = Annotated[
    Body[CustomerSearch],
    case_insensitive_body(
        CustomerSearch,
        name={
            "summary": "By name and postal code",
            "value": {"parameters": {"lastName": "vr", "postalCode": "1234 AB"}},
        },
        card={"summary": "By card", "value": {"parameters": {"cardNumber": "6299000000000000017"}}},
    ),
]
NewCustomer = Annotated[
    Body[CreateCustomer],
    case_insensitive_body(CreateCustomer, new={"summary": "A new customer", "value": {"customerInfo": _INFO}}),
]
ChangedCustomer = Annotated[
    Body[UpdateCustomer],
    case_insensitive_body(
        UpdateCustomer, moved={"summary": "Another city", "value": {"customerInfo": {"city": "Utrecht"}}}
    ),
]
Page = Annotated[int, *whole_number(1, PAGE_MAX, 1), Query(description="Which page, from 1 on.")]
Size = Annotated[int, *whole_number(1, SIZE_MAX, SIZE), Query(description="How many customers a page has.")]


@router.post(
    "/Search",
    summary="Search for customers",
    responses=success_responses(SearchAnswer, "A page of the customers that meet all criteria."),
)
async def search_customers(
    caller: CrmClient, body: SearchBody, views: ViewsDependency, page: Page = 1, size: Size = SIZE
) -> Response:
    """Find the customers that meet all given criteria, of which there must be at least one; never deleted customers.

    A search returns at most the first 10,000. By name they are sorted by it, otherwise the oldest come first.
    """
    criteria = presenting.criteria_of(body.value.parameters)
    if not criteria:
        raise Problem("invalid_value", "Give at least one criterion that is not blank.", pointer="/parameters")
    if page * size > FOUND_MAX:
        raise invalid_parameter("page", f"A search shows the first {FOUND_MAX:,} customers. Give more criteria.")
    documents = await views.customers.search(caller.store, criteria, (page - 1) * size, size)
    return answer({"customers": [presenting.search_result_of(document) for document in documents]})


@router.get("/{customerId}", summary="Get a customer", responses=_CUSTOMER("customer_unknown"))
async def get_customer(caller: CrmClient, customer: CustomerId, views: ViewsDependency) -> Response:
    """The customer with every active programme, its offers, and the vouchers that can be used now.

    Of more than 100 vouchers it has those that expire first; `/v1/customers/{customerId}/vouchers` lists all.

    A read always sees the writes that this installation has answered with 200.
    """
    return answer(await _present(views, await existing_customer(views, caller.store, customer)))


@router.post("/Create", summary="Create a customer", responses=_CUSTOMER())
async def create_customer(
    caller: CrmClient, body: NewCustomer, send: Annotated[Send, sends("customer.create.v1")], views: ViewsDependency
) -> Response:
    """Register a customer, with the card `cardNumber` or a generated one. Consents that are left out are not given."""
    new_customer_id = new_id() if send.key is None else derived_id("customer", caller.store, caller.client, send.key)
    return await send(caller, new_customer_id, body.command(), body, partial(_current_customer, views, caller.store))


@router.put("/{customerId}", summary="Update a customer", responses=_CUSTOMER())
async def update_customer(
    caller: CrmClient,
    customer: CustomerId,
    body: ChangedCustomer,
    send: Annotated[Send, sends("customer.update.v1")],
    views: ViewsDependency,
) -> Response:
    """Update a customer's data: fields that are left out or null keep their value, an empty text clears it."""
    return await send(caller, customer, body.command(), body, partial(_current_customer, views, caller.store))


@router.post("/{customerId}/Transaction", summary="Post a customer's transaction", responses=BOOKED("customer_unknown"))
async def post_customer_transaction(
    caller: CrmClient,
    customer: CustomerId,
    body: TransactionBody,
    send: Annotated[Send, sends(POST_TRANSACTION)],
    views: ViewsDependency,
) -> Response:
    """Post a LoyaltyVault transaction on the account of the customer's main card."""
    check_voids(caller, body.value)
    number, _ = presenting.main_account(await existing_customer(views, caller.store, customer))
    return await send.to_account(caller, number, body.command(), body)


@router.post(
    "/{customerId}/Transaction/preview",
    summary="Preview a customer's transaction",
    responses=PREVIEWED("customer_unknown"),
)
async def preview_customer_transaction(
    caller: CrmClient, customer: CustomerId, body: TransactionBody, preview: Previews, views: ViewsDependency
) -> Response:
    """Preview a LoyaltyVault transaction on the account of the customer's main card; nothing is booked."""
    check_voids(caller, body.value)
    number, _ = presenting.main_account(await existing_customer(views, caller.store, customer))
    return await preview(caller, number, body)


async def existing_customer(views: Views, store: str, customer: str) -> Document:
    """The view document of a customer.

    :raises Problem: `customer_unknown`, also for deleted customers.
    :raises Unavailable: the views cannot be reached.
    """
    document = await views.customers.one(store, customer)
    if document is None or presenting.is_deleted(document):
        raise Problem("customer_unknown", "No customer has this id.")
    return document


async def _current_customer(views: Views, store: str, result: Mapping[str, Any]) -> Document | None:
    """The response for the customer of a command's result; None while the view does not have the customer."""
    document = await views.customers.one(store, result["customer"])
    return None if document is None or presenting.is_deleted(document) else await _present(views, document)


async def _present(views: Views, document: Document) -> Document:
    """The response for a customer: needs no further read, or two for a customer with many vouchers."""
    at = format_instant(instant(now_ms()))
    if APART in document:
        vouchers = await views.vouchers.usable(presenting.voucher_accounts(document), at, presenting.VOUCHERS_SHOWN)
    else:
        vouchers = presenting.usable_vouchers(document, at)
    return presenting.customer_of(document, vouchers, views.catalogue.of(document["store"]), at)
