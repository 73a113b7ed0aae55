"""Statements: the movements of an account, newest first, in pages."""

from dataclasses import replace
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from schemas.changes import KINDS
from services.edge.auth.principals import Administrator
from services.edge.families.v1.accounts import account_unknown
from services.edge.families.v1.models.accounts import StatementAnswer
from services.edge.families.v1.presenting import movement_of
from services.edge.http import cursors
from services.edge.http.answers import answer
from services.edge.http.dependencies import EdgeDependency
from services.edge.http.documenting import success_responses
from services.edge.http.paging import SIZE, Cursor, PageSize, invalid_cursor, next_page
from services.edge.http.parameters import AccountNumber, Bound, FilterText, filter_texts
from services.edge.http.router import Router
from services.edge.views.statements import Query as StatementQuery
from shared.ids import account_id

router = Router("Accounts", "/v1/accounts/{accountNumber}")

_KINDS_MAX = 20


@router.get(
    "/statement",
    summary="List an account's movements",
    responses=success_responses(StatementAnswer, "A page of movements, and where the next one is.", "account_unknown"),
)
async def get_statement(
    request: Request,
    caller: Administrator,
    number: AccountNumber,
    edge: EdgeDependency,
    programme: Annotated[FilterText, Query(description="Movements of this programme only.")] = None,
    kind: Annotated[
        tuple[str, ...],
        *filter_texts(_KINDS_MAX, KINDS),
        Query(description="Movements of this kind only; repeat it for several."),
    ] = (),
    from_: Annotated[Bound, Query(alias="from", description="Booked at this instant or later.")] = None,
    until: Annotated[Bound, Query(description="Booked before this instant.")] = None,
    size: PageSize = SIZE,
    cursor: Cursor = None,
) -> Response:
    """The movements of all programmes, newest first; filters can be combined.

    Follow `next` until it is null: the pages show each movement once, even while new ones are booked, which come
    before the first page. A statement always has the writes that this installation has answered with 200.
    """
    identity = await edge.views.accounts.names(account_id(caller.store, number))
    if identity is None:
        raise account_unknown()
    account, account_number = identity
    query = StatementQuery(account=account, programme=programme, kinds=kind, from_=from_, until=until, limit=size)
    secret = edge.settings.secret.get_secret_value().encode()
    if cursor is not None:
        if (place := cursors.read(secret, query, cursor)) is None:
            raise invalid_cursor()
        query = replace(query, below=place)
    changes = await edge.views.statements.page(replace(query, limit=size + 1))
    page = changes[:size]
    actors = await edge.views.attributions.actors(page)
    more = len(changes) > size
    return answer(
        {
            "account": account,
            "accountNumber": account_number,
            "movements": [movement_of(change, actors) for change in page],
            "next": next_page(request, "cursor", cursors.write(secret, query, page[-1])) if more else None,
        }
    )
