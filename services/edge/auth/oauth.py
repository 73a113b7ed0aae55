"""`POST /oauth/token`: a client's credentials against an access token (RFC 6749 4.4). Its errors are RFC 6749's own."""

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
from services.edge.auth.throttle import Remembered, Throttle
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
"""As RFC 6749 5.1 asks for."""


class _Given(NamedTuple):
    """A client's id and secret as a request has them."""

    client: str
    secret: str


class Refused(Exception):
    """A request for a token is refused, with a code of RFC 6749 5.2 and a sentence."""

    def __init__(self, error: str, detail: str, status: int = 400, **headers: str) -> None:
        super().__init__(detail)
        self.error = error
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class TokenEndpoint:
    """Gives tokens to clients that know their secret."""

    def __init__(self, access: Access, views: Views) -> None:
        self._access = access
        self._views = views
        self._throttle = Throttle()
        self._remembered = Remembered(self._read)

    async def serve(self, request: Request) -> dict[str, Any]:
        """The answer to a request for a token.

        :raises Refused: it is malformed, or its client may not have what it asks for.
        :raises Unavailable: when the server that knows the clients is away.
        """
        form = await _form(request)
        given = _credentials(request, form)
        if "grant_type" not in form:
            raise Refused("invalid_request", "grant_type is missing.")
        if form["grant_type"] != GRANT:
            raise Refused("unsupported_grant_type", f"The only supported grant_type is {GRANT}.")
        address = address_of(request)
        client = await self._authenticated(given, address)
        self._access.rates.take(client.id)
        scopes = _scopes(client, form.get("scope"))
        async with self._views.credentials() as credentials:
            key = (await credentials.keys()).current
            await credentials.used(client)
        token = tokens.sign(client, scopes, key, self._access.issuer, now_ms() // 1000)
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFE_S,
            "scope": " ".join(scopes),
        }

    async def _authenticated(self, given: _Given, address: str) -> Client:
        """The client, when this is its secret.

        :raises Refused: there is none of this secret, or there were too many tries and this one is wrong as well.
        """
        wait_s = self._throttle.count(given.client, address)
        client = await (self._remembered.client(given.client) if wait_s else self._read(given.client))
        if client is not None and client.knows(given.secret) and not client.disabled:
            self._throttle.succeeded(given.client, address)
            return client
        if wait_s:
            detail = "Too many wrong secrets in a row. Wait as long as Retry-After says, then try again."
            raise Refused("invalid_client", detail, 429, Retry_After=str(wait_s))
        raise _unknown("The client does not exist, is disabled, or has another secret.")

    async def _read(self, id_: str) -> Client | None:
        async with self._views.credentials() as credentials:
            return await credentials.client(id_)


async def _form(request: Request) -> dict[str, str]:
    """The form's fields; one without a value counts as left out (RFC 6749 3.2).

    :raises Refused: it is none, too large, or has a field twice.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != _FORM:
        raise Refused("invalid_request", f"Send the request as {_FORM}.")
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _FORM_BYTES_MAX:
            raise Refused("invalid_request", f"A request for a token has at most {_FORM_BYTES_MAX} bytes.")
    try:
        fields = parse_qsl(raw.decode("ascii"), errors="strict", max_num_fields=_FIELDS_MAX)
    except ValueError as error:
        raise Refused("invalid_request", "The form cannot be read.") from error
    form = dict(fields)
    if len(form) < len(fields):
        raise Refused("invalid_request", "A field is given twice.")
    return form


def _credentials(request: Request, form: Mapping[str, str]) -> _Given:
    """The client's id and secret, from the header or from the form, never from both.

    :raises Refused: there are none, or two, or they cannot be read.
    """
    headers = request.headers.getlist("authorization")
    if len(headers) > 1 or (headers and "client_secret" in form):
        raise Refused("invalid_request", "Authenticate once: by HTTP Basic, or by client_id and client_secret.")
    if not headers:
        if "client_id" not in form or "client_secret" not in form:
            raise _unknown("Authenticate by HTTP Basic, or by client_id and client_secret in the form.")
        return _Given(form["client_id"], form["client_secret"])
    given = _basic(headers[0])
    if form.get("client_id", given.client) != given.client:
        raise Refused("invalid_request", "client_id differs from that of the Authorization header.")
    return given


def _basic(header: str) -> _Given:
    """What HTTP Basic says; both parts are form-encoded in it (RFC 6749 2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError("not Basic")
        client, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        if not colon:
            raise ValueError("no secret")
        return _Given(unquote_plus(client), unquote_plus(secret))
    except (ValueError, binascii.Error) as error:
        raise _unknown("The Authorization header is not HTTP Basic with a client's id and secret.") from error


def _scopes(client: Client, asked: str | None) -> tuple[str, ...]:
    """What the token covers: all that the client may, or what was asked for of that.

    :raises Refused: more was asked for.
    """
    if asked is None:
        return client.scopes
    wanted = set(asked.split(" "))
    if not wanted <= set(client.scopes):
        raise Refused("invalid_scope", "Ask for scopes of the client only, with one space between them.")
    return tuple(scope for scope in client.scopes if scope in wanted)


def _unknown(detail: str) -> Refused:
    return Refused("invalid_client", detail, 401, WWW_Authenticate='Basic realm="fealty"')


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
"""A client with too many requests gets a problem document, as everywhere; all else is RFC 6749's."""


@router.post(TOKEN, summary="Get an access token", responses=_RESPONSES, openapi_extra=_BODY)
async def get_token(request: Request) -> Response:
    """Send the client's id and secret by HTTP Basic or in the form; send the token with every other request.

    The token has all scopes of the client, or those that `scope` names. Request a new one when it expires.
    """
    endpoint: TokenEndpoint = request.app.state.edge.tokens
    try:
        document = await endpoint.serve(request)
    except Refused as refusal:
        REQUESTS.labels("throttled" if refusal.status == 429 else refusal.error).inc()
        return answer({"error": refusal.error, "error_description": str(refusal)}, refusal.status, refusal.headers)
    REQUESTS.labels("issued").inc()
    return answer(document, headers=_NO_STORE)
