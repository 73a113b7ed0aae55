"""The dependency `send`: sends the command of one request, and documents how it can end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from schemas.refusal_codes import REFUSAL_CODES
from services.edge.auth.tokens import Caller
from services.edge.bus.commands import Bus, CommandRequest, ResultView
from services.edge.http.documenting import Documentation, Documented
from services.edge.http.headers import IDEMPOTENCY_REPLAYED, PENDING
from services.edge.http.idempotency import PARAMETER, idempotency_key
from services.edge.http.models import PendingAnswer
from services.edge.http.pointers import SentBody
from services.edge.http.problems import RULE_CODES
from shared.hashing import canonical, to_json
from shared.ids import account_id

DELIVERY_PROBLEMS = (
    "invalid_idempotency_key",
    "idempotency_key_reused",
    "internal",
    "dead_lettered",
    "unavailable",
    "too_late",
    "outcome_unknown",
)
"""Problem codes that every command can end in, whatever its body and its rules."""


@dataclass(frozen=True, slots=True)
class Send:
    """Sends a command and responds with its outcome. `key` is the request's `Idempotency-Key`."""

    type: str
    key: str | None
    _bus: Bus
    _request: Request

    async def __call__(
        self,
        caller: Caller,
        subject: str,
        value: Mapping[str, Any],
        body: SentBody | None = None,
        result_view: ResultView | None = None,
        *,
        headers: Mapping[str, Any] | None = None,
        command_id: str | None = None,
    ) -> Response:
        """Send `value` to the stream of `subject`; pointers of refusals lead into the `body`. See :meth:`Bus.execute`.

        A retry is the same request if its operation, path, query, body and `headers` are equal. With a `command_id`,
        a retry has the same one, and needs no key.
        """
        scope, document = self._request.scope, {} if body is None else body.document
        operation = f"{scope['method']} {scope['route'].path}"
        query = canonical(self._request.query_params.multi_items()) if scope["query_string"] else b""
        request_hash_parts = (operation, *scope["path_params"].values(), query, canonical(document))
        if headers:
            request_hash_parts = (*request_hash_parts, canonical(headers))
        return await self._bus.execute(
            CommandRequest(
                caller=caller,
                service=self.type.partition(".")[0],
                type=self.type,
                subject=subject,
                value=to_json(value),
                request_hash_parts=request_hash_parts,
                key=self.key,
                command_id=command_id,
                body=body,
            ),
            result_view,
        )

    async def to_account(
        self, caller: Caller, number: str, value: Mapping[str, Any], body: SentBody | None = None
    ) -> Response:
        """Send a command of the points service to the account that `number` names in the caller's store."""
        return await self(caller, account_id(caller.store, number), {"accountNumber": number, **value}, body)


class Sends(Documented):
    """Creates the `Send` of a command type, and documents its refusal codes."""

    def __init__(self, type_: str, *further_codes: str) -> None:
        self.type = type_
        self._codes = tuple(dict.fromkeys((*REFUSAL_CODES[type_], *further_codes)))

    async def __call__(self, request: Request) -> Send:
        """The `Send` of a request.

        :raises Problem: `invalid_idempotency_key`.
        """
        return Send(self.type, idempotency_key(request.headers), request.app.state.edge.bus, request)

    def document(self, operation: Documentation) -> None:
        """Add the idempotency key, the response 202, and the problems that the command can end in."""
        if PARAMETER not in operation.parameters:
            operation.parameters.append(PARAMETER)
        codes = self._codes
        operation.refuse(*DELIVERY_PROBLEMS, *codes)
        for status in {200, *(RULE_CODES[code][0] for code in codes)}:
            operation.add_headers(status, IDEMPOTENCY_REPLAYED)
        operation.responses[202] = {
            "model": PendingAnswer,
            "description": "The command was sent and its outcome is still open; poll the `Location`.",
            "headers": PENDING,
        }


def sends(type_: str, *further_codes: str) -> Any:
    """The dependency by which an operation sends commands of this type; only here they can end in `further_codes`."""
    return Depends(Sends(type_, *further_codes))
