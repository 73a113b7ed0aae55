"""`POST /oauth/token`: issues access tokens for client credentials (RFC 6749 4.4); errors are those of RFC 6749."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote_plus

from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import Response

from services.edge.auth import tokens
from services.edge.auth.access import Access, address_of
from services.edge.auth.clients import Client
from services.edge.auth.keys import TOKEN_LIFE_S
from services.edge.auth.models import TokenAnswer, TokenError
from services.edge.auth.throttle import ClientCache, Throttle
from services.edge.http.answers import answer
from services.edge.http.documenting import refusals
from services.edge.http.headers import AUTHENTICATE, PRAGMA
from services.edge.http.router import Router
from services.edge.views.views import Views
from shared.clock import now_ms

TOKEN = "/oauth/token"

router = Router("Tokens")
GRANT = "client_credentials"

REQUESTS = Counter("fealty_token_requests_total", "Requests for access tokens, by outcome.", ["outcome"])

_FORM = "application/x-www-form-urlencoded"
_FORM_BYTES_MAX = 8_192
_FIELDS_MAX = 20
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
"""Headers that RFC 6749 5.1 requires."""


class _ClientCredentials(NamedTuple):
    """The client id and the secret of a request, not verified yet."""

    client: str
    secret: str


class TokenRequestRefused(Exception):
    """Refuses a token request, with an error code of RFC 6749 5.2 and a description."""

    def __init__(self, code: str, detail: str, status: int = 400, **headers: str) -> None:
        super().__init__(detail)
        self.code = code
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class TokenEndpoint:
    """Issues tokens to clients that authenticate with their secret."""

    def __init__(self, access: Access, views: Views) -> None:
        self._access = access
        self._views = views
        self._throttle = Throttle()
        self._client_cache = ClientCache(self._read)

    async def serve(self, request: Request) -> dict[str, Any]:
        """The body of the response to a token request.

        :raises TokenRequestRefused: the request is malformed, or the client is not allowed what it requests.
        :raises Unavailable: the database of the clients cannot be reached.
        """
        form = await _form(request)
        credentials = _credentials(request, form)
        if "grant_type" not in form:
            raise TokenRequestRefused("invalid_request", "grant_type is missing.")
        if form["grant_type"] != GRANT:
            raise TokenRequestRefused("unsupported_grant_type", f"The only supported grant_type is {GRANT}.")
        address = address_of(request)
        client = await self._authenticate(credentials, address)
        self._access.client_rates.take(client.id)
        scopes = _scopes(client, form.get("scope"))
        async with self._views.credentials() as store:
            key = (await store.keys()).current
            await store.record_use(client)
        token = tokens.sign(client, scopes, key, self._access.issuer, now_ms() // 1000)
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFE_S,
            "scope": " ".join(scopes),
        }

    async def _authenticate(self, credentials: _ClientCredentials, address: str) -> Client:
        """The client with these credentials.

        :raises TokenRequestRefused: the credentials are wrong, or wrong again after too many failed attempts.
        """
        wait_s = self._throttle.count(credentials.client, address)
        client = await (self._client_cache.client(credentials.client) if wait_s else self._read(credentials.client))
        if client is not None and client.has_secret(credentials.secret) and not client.disabled:
            self._throttle.succeeded(credentials.client, address)
            return client
        if wait_s:
            detail = "Too many wrong secrets in a row. Wait as long as Retry-After says, then try again."
            raise TokenRequestRefused("invalid_client", detail, 429, Retry_After=str(wait_s))
        raise _invalid_client("The client does not exist, is disabled, or has another secret.")

    async def _read(self, id_: str) -> Client | None:
        async with self._views.credentials() as store:
            return await store.client(id_)


async def _form(request: Request) -> dict[str, str]:
    """The fields of the form; a field without a value counts as absent (RFC 6749 3.2).

    :raises TokenRequestRefused: the body is not a form, is too large, or has a field twice.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != _FORM:
        raise TokenRequestRefused("invalid_request", f"Send the request as {_FORM}.")
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _FORM_BYTES_MAX:
            raise TokenRequestRefused("invalid_request", f"A request for a token has at most {_FORM_BYTES_MAX} bytes.")
    try:
        fields = parse_qsl(raw.decode("ascii"), errors="strict", max_num_fields=_FIELDS_MAX)
    except ValueError as error:
        raise TokenRequestRefused("invalid_request", "The form cannot be read.") from error
    form = dict(fields)
    if len(form) < len(fields):
        raise TokenRequestRefused("invalid_request", "A field is given twice.")
    return form


def _credentials(request: Request, form: Mapping[str, str]) -> _ClientCredentials:
    """The client id and secret, from either the header or the form.

    :raises TokenRequestRefused: they are missing, given twice, or malformed.
    """
    headers = request.headers.getlist("authorization")
    if len(headers) > 1 or (headers and "client_secret" in form):
        raise TokenRequestRefused(
            "invalid_request", "Authenticate once: by HTTP Basic, or by client_id and client_secret."
        )
    if not headers:
        if "client_id" not in form or "client_secret" not in form:
            raise _invalid_client("Authenticate by HTTP Basic, or by client_id and client_secret in the form.")
        return _ClientCredentials(form["client_id"], form["client_secret"])
    credentials = _basic_credentials(headers[0])
    if form.get("client_id", credentials.client) != credentials.client:
        raise TokenRequestRefused("invalid_request", "client_id differs from that of the Authorization header.")
    return credentials


def _basic_credentials(header: str) -> _ClientCredentials:
    """The credentials of an HTTP Basic header, both form-encoded in it (RFC 6749 2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError("not Basic")
        client, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        if not colon:
            raise ValueError("no secret")
        return _ClientCredentials(unquote_plus(client), unquote_plus(secret))
    except (ValueError, binascii.Error) as error:
        raise _invalid_client("The Authorization header is not HTTP Basic with a client's id and secret.") from error


def _scopes(client: Client, requested: str | None) -> tuple[str, ...]:
    """The scopes of the token: those requested, or by default all of the client.

    :raises TokenRequestRefused: a requested scope is not one of the client.
    """
    if requested is None:
        return client.scopes
    requested_scopes = set(requested.split(" "))
    if not requested_scopes <= set(client.scopes):
        raise TokenRequestRefused("invalid_scope", "Ask for scopes of the client only, with one space between them.")
    return tuple(scope for scope in client.scopes if scope in requested_scopes)


def _invalid_client(detail: str) -> TokenRequestRefused:
    return TokenRequestRefused("invalid_client", detail, 401, WWW_Authenticate='Basic realm="fealty"')


_TEXT = {"type": "string"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            _FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "const": GRANT, "description": "The one grant there is."},
                        "scope": {
                            **_TEXT,
                            "description": "Scopes of the client, one space between them; all if absent.",
                        },
                        "client_id": {**_TEXT, "description": "Unless HTTP Basic has it."},
                        "client_secret": {**_TEXT, "description": "Unless HTTP Basic has it."},
                    },
                }
            }
        },
    }
}
_TOO_MANY = refusals("too_many_requests")[429]
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": TokenAnswer, "description": "A token, good for an hour.", "headers": PRAGMA},
    400: {"model": TokenError, "description": "`invalid_request`, `unsupported_grant_type`, `invalid_scope`"},
    401: {
        "model": TokenError,
        "description": "`invalid_client`: unknown, disabled, or another secret.",
        "headers": AUTHENTICATE,
    },
    429: {
        **_TOO_MANY,
        "model": TokenError,
        "description": f"`invalid_client`: too many wrong secrets. {_TOO_MANY['description']}: too many tokens.",
    },
    **refusals("internal", "unavailable"),
}
"""The rate limit answers with a problem document, as everywhere; all other errors are those of RFC 6749."""


@router.post(TOKEN, summary="Get an access token", responses=_RESPONSES, openapi_extra=_BODY)
async def get_token(request: Request) -> Response:
    """Send the client's id and secret by HTTP Basic or in the form; send the token with every other request.

    The token has all scopes of the client, or those that `scope` names. Request a new one when it expires.
    """
    endpoint: TokenEndpoint = request.app.state.edge.tokens
    try:
        document = await endpoint.serve(request)
    except TokenRequestRefused as refused:
        REQUESTS.labels("throttled" if refused.status == 429 else refused.code).inc()
        return answer({"error": refused.code, "error_description": str(refused)}, refused.status, refused.headers)
    REQUESTS.labels("issued").inc()
    return answer(document, headers=_NO_STORE)
