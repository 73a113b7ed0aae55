"""Statements: the movements of an account, newest first, a page at a time."""

from dataclasses import replace
from urllib.parse import quote

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from schemas.changes import KINDS
from services.edge.auth.tokens import Caller
from services.edge.edge import Edge
from services.edge.families.v1.accounts import ACCOUNT, ADMIN
from services.edge.http import answers, cursors, query
from services.edge.http import paging as pages
from services.edge.http.head import ACCOUNT_NUMBER, account_number
from services.edge.http.models import StatementAnswer
from services.edge.http.openapi import refusals
from services.edge.http.paging import CURSOR, INSTANT, TEXT, parameter, sized
from services.edge.http.problems import Problem
from services.edge.views.statements import Query
from shared.ids import account_id

STATEMENT = ACCOUNT + "/statement"

_KINDS_MAX = 20


def add_routes(app: FastAPI, edge: Edge) -> None:
    """`GET /v1/accounts/{accountNumber}/statement`."""
    secret = edge.settings.secret.get_secret_value().encode()

    @app.get(
        STATEMENT,
        tags=["Accounts"],
        summary="List an account's movements",
        response_class=Response,
        responses={
            200: {"model": StatementAnswer, "description": "A page of movements, and where the next one is."},
            **refusals("invalid_account_number", "invalid_parameter", "account_unknown", "internal", "unavailable"),
        },
        openapi_extra={"parameters": [ACCOUNT_NUMBER, *_PARAMETERS]},
    )
    @edge.access.scoped(ADMIN)
    async def get_statement(request: Request, caller: Caller) -> Response:
        """The movements of all programmes, newest first; filters go together in any combination.

        Follow `next` until it is null: the pages show each movement once, however many are booked meanwhile, which
        stand before the first page. What a write that was answered 200 by this installation booked is always seen.
        """
        number = account_number(request)
        asked = read(request)
        names = await edge.views.accounts.names(account_id(caller.store, number))
        if names is None:
            raise Problem("account_unknown", "no account has this number")
        account, own_number = names
        asked = replace(asked, account=account)
        if (cursor := request.query_params.get("cursor")) is not None:
            if (place := cursors.read(secret, asked, cursor)) is None:
                raise pages.not_ours()
            asked = replace(asked, below=place)
        changes = await edge.views.statements.page(replace(asked, limit=asked.limit + 1))
        page = changes[: asked.limit]
        more = len(changes) > len(page)
        actors = await edge.views.attributions.actors(page)
        path = STATEMENT.replace("{accountNumber}", quote(number, safe=""))
        document = {
            "account": account,
            "accountNumber": own_number,
            "movements": [answers.movement_of(change, actors) for change in page],
            "next": pages.following(request, path, "cursor", cursors.write(secret, asked, page[-1])) if more else None,
        }
        return answers.answer(document)


def read(request: Request) -> Query:
    """The filters and the size of a page, all but the account and the cursor.

    :raises Problem: `invalid_parameter`.
    """
    given = query.read(request, "programme", "from", "until", "size", "cursor", repeated=["kind"])
    kinds = query.texts(given, "kind", pages.CHARS_MAX)
    if len(kinds) > _KINDS_MAX:
        raise query.wrong("kind", f"at most {_KINDS_MAX} different ones")
    return Query(
        account="",
        programme=pages.text(given, "programme"),
        kinds=kinds,
        from_=query.instant(given, "from", up=True),
        until=query.instant(given, "until", up=True),
        limit=pages.size_of(given),
    )


_PARAMETERS = (
    parameter("programme", "Movements of this programme only.", TEXT),
    parameter(
        "kind",
        "Movements of this kind only; repeat it for several.",
        {"type": "array", "items": {**TEXT, "examples": KINDS}, "maxItems": _KINDS_MAX},
        style="form",
        explode=True,
    ),
    parameter("from", "Booked at this instant or later.", INSTANT),
    parameter("until", "Booked before this instant.", INSTANT),
    sized("movements"),
    CURSOR,
)
