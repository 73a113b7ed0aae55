"""Who calls an operation, as the type of a parameter: it says what the caller needs, checks it, and documents it.

A principal is a client of an installation's store, with the scopes of its token.
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
"""The scope of who may undo what it has sent itself; with `ADMIN` it does not matter who has."""

TOKEN_PROBLEMS = ("unauthenticated", "token_expired", "token_invalid", "too_many_requests")


class ClientWith(SecurityBase, Documented):
    """A client whose token has one of these scopes; without any, every client."""

    def __init__(self, *scopes: str) -> None:
        self.scopes = scopes
        self.scheme_name = "oauth2"
        self.model = OAuth2(
            description="An access token of a client, good for an hour, sent as `Authorization: Bearer …`.",
            flows=OAuthFlows(clientCredentials=OAuthFlowClientCredentials(tokenUrl="/oauth/token", scopes={**SCOPES})),
        )

    async def __call__(self, request: Request) -> Caller:
        """Who calls; then the names of the query's parameters are looked at, which strangers learn nothing of.

        :raises Problem: the token, its scopes or its rate are refused, or `invalid_parameter`.
        :raises Unavailable: when the server that knows the keys and the clients is away.
        """
        caller: Caller = await request.app.state.edge.access.caller(request, *self.scopes)
        check_query(request)
        return caller

    def document(self, operation: Documentation) -> None:
        """How a request without a good token is refused."""
        operation.refuse(*TOKEN_PROBLEMS, *(("insufficient_scope",) if self.scopes else ()), "invalid_parameter")


def _client(*scopes: str) -> Any:
    return Security(ClientWith(*scopes), scopes=[*scopes])


Administrator = Annotated[Caller, _client(ADMIN)]
ReversingClient = Annotated[Caller, _client(REVERSE, ADMIN)]
LoyaltyClient = Annotated[Caller, _client("api_loyalty")]
CrmClient = Annotated[Caller, _client("api_crm")]
AnyClient = Annotated[Caller, _client()]


def scopes_of(route: APIRoute) -> tuple[str, ...] | None:
    """The scopes of which an operation needs one, none if any client may call it; None when anybody may."""
    found = [each.call for each in route.dependant.dependencies if isinstance(each.call, ClientWith)]
    return found[0].scopes if found else None
