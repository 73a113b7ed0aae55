"""The response headers in the OpenAPI document, all but `X-Content-Type-Options`."""

from typing import Any

Headers = dict[str, dict[str, Any]]


def _header(description: str, example: Any, **schema: Any) -> dict[str, Any]:
    """A header that each response that declares it has."""
    return {"description": description, "required": True, "schema": schema, "example": example}


CACHE_CONTROL: Headers = {
    "Cache-Control": _header("Caches must not store any answer.", "no-store", type="string"),
}
RETRY_AFTER: Headers = {
    "Retry-After": _header("After how many seconds to send the request again.", 1, type="integer", minimum=1),
}
LOCATION: Headers = {
    "Location": _header(
        "The path to poll for the outcome: `/operations/{operationId}`.",
        "/operations/points.3.0199d2a5-7c00-7000-8000-000000000001.1795341600000.5f0c1d2e3b4a59687786a5b4c3d2e1f0",
        type="string",
    ),
}
AUTHENTICATE: Headers = {
    "WWW-Authenticate": _header(
        "How to authenticate (RFC 6750 3; of the token endpoint RFC 7617).", 'Bearer realm="fealty"', type="string"
    ),
}
PRAGMA: Headers = {"Pragma": _header("As RFC 6749 5.1 asks for.", "no-cache", type="string")}
REPLAYED = "Idempotency-Replayed"
IDEMPOTENCY_REPLAYED: Headers = {
    REPLAYED: {
        "description": "Present, and `true`, when this is the outcome of an earlier request with the same "
        "`Idempotency-Key`: nothing was booked now.",
        "required": False,
        "schema": {"type": "boolean", "const": True},
        "example": True,
    },
}
PENDING: Headers = {**LOCATION, **RETRY_AFTER}

PROBLEM_HEADERS: dict[str, Headers] = {
    "unauthenticated": AUTHENTICATE,
    "token_expired": AUTHENTICATE,
    "token_invalid": AUTHENTICATE,
    "insufficient_scope": AUTHENTICATE,
    "too_many_requests": RETRY_AFTER,
    "too_many_wrong_codes": RETRY_AFTER,
    "unavailable": RETRY_AFTER,
    "too_late": RETRY_AFTER,
    "outcome_unknown": PENDING,
}
"""The headers of problem responses, by code. All codes of a status that have headers have the same."""
