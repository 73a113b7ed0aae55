"""What the routes of all commands have in common: how they are described, and how they are sent."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from services.edge.auth.tokens import Caller
from services.edge.bus.commands import Ask
from services.edge.edge import Edge
from services.edge.http import bodies
from services.edge.http.head import ACCOUNT_NUMBER, IDEMPOTENCY_KEY, account_number, idempotency_key
from services.edge.http.headers import IDEMPOTENCY_REPLAYED, PENDING
from services.edge.http.models import PendingAnswer
from services.edge.http.openapi import BODY_PROBLEMS, COMMAND_PROBLEMS, body, refusals
from services.edge.http.pointers import SentBody
from services.edge.http.problems import RULE_CODES
from shared.hashing import canonical, to_json
from shared.ids import account_id


def described(
    schema: str | None,
    examples: Mapping[str, Any],
    accepted: Mapping[str, Any],
    rules: Sequence[str],
    *parameters: dict[str, Any],
    of: Sequence[dict[str, Any]] = (ACCOUNT_NUMBER,),
) -> dict[str, Any]:
    """The arguments of a route: its body's schema (None: it has no body), its 200, its refusals, more parameters.

    `of` has those that say what the command is for.
    """
    taken = (*of, *parameters, IDEMPOTENCY_KEY)
    numbered = ("invalid_account_number",) if ACCOUNT_NUMBER in of else ()
    placed = (*numbered, "invalid_parameter") if of or parameters else ()
    responses = {200: {**accepted}, **refusals(*COMMAND_PROBLEMS, *placed, *rules)}
    for status in {200, *(RULE_CODES[rule][0] for rule in rules if rule in RULE_CODES)}:
        responses[status]["headers"] = {**responses[status].get("headers", {}), **IDEMPOTENCY_REPLAYED}
    pending = {"model": PendingAnswer, "description": "On its way; poll the `Location`.", "headers": PENDING}
    return {
        "response_class": Response,
        "responses": {**responses, 202: pending},
        "openapi_extra": {"parameters": [*taken]} if schema is None else body(schema, examples, *taken),
    }


def described_preview(
    schema: str, examples: Mapping[str, Any], shown: Mapping[str, Any], rules: Sequence[str], of: dict[str, Any]
) -> dict[str, Any]:
    """The arguments of a route that decides a command and does not do it: there is nothing to poll, and no key."""
    numbered = ("invalid_account_number",) if of is ACCOUNT_NUMBER else ()
    told = (*BODY_PROBLEMS, "internal", "dead_lettered", "unavailable", "too_late", *numbered, "invalid_parameter")
    return {
        "response_class": Response,
        "responses": {200: dict(shown), **refusals(*told, *rules)},
        "openapi_extra": body(schema, examples, of),
    }


def in_any_case(app: FastAPI, *paths: str) -> None:
    """Match these paths in any case: the documents' own callers write them in several ways."""
    for route in app.routes:
        if isinstance(route, APIRoute) and route.path in paths:
            route.path_regex = re.compile(route.path_regex.pattern, re.IGNORECASE)


async def from_body(
    edge: Edge,
    request: Request,
    caller: Caller,
    route: str,
    type_: str,
    model: type[BaseModel],
    in_path: Mapping[str, str] | None = None,
    ours: Mapping[str, str | None] | None = None,
) -> Response:
    """Send a body of our own family as a command; the account's number and what is `in_path` go with it.

    `ours` are members of the command that the edge alone sets; a body that has one is refused.

    :raises Problem: a malformed head or body, or whatever the command ends in.
    """
    key, named = idempotency_key(request.headers), {"accountNumber": account_number(request), **(in_path or {})}
    said = bodies.exact(await bodies.read(request, edge.settings.record_bytes_max), model, {**named, **(ours or {})})
    command = bodies.validated(model, {**said, **named, **(ours or {})})
    value = command.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
    heard: Sequence[str | bytes] = (route, *named.values(), canonical(said))
    body = SentBody(said, model, no_part={**named, **(ours or {})})
    return await send(edge, caller, type_, named["accountNumber"], value, heard, key, body)


async def send(
    edge: Edge,
    caller: Caller,
    type_: str,
    number: str,
    value: Mapping[str, Any],
    said: Sequence[str | bytes],
    key: str | None,
    body: SentBody | None = None,
) -> Response:
    """Send a command of the points service to the account of `number` in the caller's store; the rest as in `Ask`.

    :raises Problem: what :meth:`Bus.execute` raises.
    """
    subject = account_id(caller.store, number)
    return await edge.bus.execute(
        Ask(
            caller=caller,
            service="points",
            type=type_,
            subject=subject,
            value=to_json(value),
            said=said,
            key=key,
            body=body,
        )
    )
