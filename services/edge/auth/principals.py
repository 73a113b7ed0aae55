"""Principals: dependencies that authenticate the caller of an operation, check its scopes, and document both.

A principal is a client of a store, with the scopes of its token.
"""

from typing import Annotated, Any

from fastapi import Security
from fastapi.openapi.models import OAuth2, OAuthFlowClientCredentials, OAuthFlows
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase
from starlette.requests import Request

from services.edge.auth.clients import SCOPES
from services.edge.auth.tokens import Caller
from services.edge.http.documenting import Documentation, Documented
from services.edge.http.parameters import check_query

ADMIN = "api_admin"
"""The scope of everything under `/v1/`."""

REVERSE = "api_reverse"
"""The scope for reversing the client's own transactions; `ADMIN` may reverse those of every client."""

TOKEN_PROBLEMS = ("unauthenticated", "token_expired", "token_invalid", "too_many_requests")


class ClientWith(SecurityBase, Documented):
    """Requires a client whose token has one of these scopes; without scopes, any client."""

    def __init__(self, *scopes: str) -> None:
        self.scopes = scopes
        self.scheme_name = "oauth2"
        self.model = OAuth2(
            description="An access token of a client, good for an hour, sent as `Authorization: Bearer …`.",
            flows=OAuthFlows(clientCredentials=OAuthFlowClientCredentials(tokenUrl="/oauth/token", scopes={**SCOPES})),
        )

    async def __call__(self, request: Request) -> Caller:
        """The caller. The query is checked after authentication, so unauthenticated callers learn nothing from it.

        :raises Problem: the token, its scopes or its rate are refused, or `invalid_parameter`.
        :raises Unavailable: the database of the keys and the clients cannot be reached.
        """
        caller: Caller = await request.app.state.edge.access.caller(request, *self.scopes)
        check_query(request)
        return caller

    def document(self, operation: Documentation) -> None:
        """Add the problems of authentication, authorization and unknown parameters."""
        operation.refuse(*TOKEN_PROBLEMS, *(("insufficient_scope",) if self.scopes else ()), "invalid_parameter")


def _client(*scopes: str) -> Any:
    return Security(ClientWith(*scopes), scopes=[*scopes])


Administrator = Annotated[Caller, _client(ADMIN)]
ReversingClient = Annotated[Caller, _client(REVERSE, ADMIN)]
LoyaltyClient = Annotated[Caller, _client("api_loyalty")]
SwitchClient = Annotated[Caller, _client("api_switch")]
CrmClient = Annotated[Caller, _client("api_crm")]
AnyClient = Annotated[Caller, _client()]


def scopes_of(route: APIRoute) -> tuple[str, ...] | None:
    """The scopes of which an operation needs one; empty if any client may call it, None if it needs no token."""
    found = [each.call for each in route.dependant.dependencies if isinstance(each.call, ClientWith)]
    return found[0].scopes if found else None
