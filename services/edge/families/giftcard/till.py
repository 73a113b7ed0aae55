"""The default headers of the gift card document: which shop, till and receipt a call comes from."""

import re
from typing import Annotated, Any

from fastapi import Depends
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import Headers
from starlette.requests import Request

from schemas.text import LINE, Text
from services.edge.http.documenting import Documentation, Documented
from services.edge.http.problems import invalid_parameter

_TEXT: TypeAdapter[str] = TypeAdapter(Text)
_UTC_OFFSET = r"^[+-]?((0[0-9]|1[0-3]):[0-5][0-9]|14:00)$"
_HEADERS = {
    "SiteId": ("shopId", "The id of the shop.", "12"),
    "PosId": ("posId", "The id of the till.", "3"),
    "ReceiptReference": ("receiptNr", "The receipt.", "R-1001"),
    "UtcOffset": ("utcOffset", "The till's offset from UTC, `HH:mm`, with a sign or without.", "+01:00"),
}
"""By header: the member of a command's context, a description, an example."""


class TillHeaders(Documented):
    """Reads the default headers as members of a command's context."""

    async def __call__(self, request: Request) -> dict[str, str]:
        """The members that were given; an empty header counts as absent.

        :raises Problem: `invalid_parameter`.
        """
        given = {member: _value(request.headers, name) for name, (member, _, _) in _HEADERS.items()}
        return {member: value for member, value in given.items() if value}

    def document(self, operation: Documentation) -> None:
        """Add the headers, and the problem of a wrong one."""
        for name, (member, description, example) in _HEADERS.items():
            schema = {"type": "string", "maxLength": 64, "pattern": LINE.pattern}
            if member == "utcOffset":
                schema = {"type": "string", "pattern": _UTC_OFFSET}
            parameter = {"name": name, "in": "header", "required": False, "schema": schema}
            operation.parameters.append({**parameter, "description": description, "example": example})
        operation.refuse("invalid_parameter")


Till = Annotated[dict[str, Any], Depends(TillHeaders())]


def _value(headers: Headers, name: str) -> str | None:
    given = headers.getlist(name)
    if len(given) > 1:
        raise invalid_parameter(name, "Give it once.")
    if not given or not given[0]:
        return None
    try:
        value = _TEXT.validate_python(given[0].encode("latin-1").decode())
    except UnicodeDecodeError as error:
        raise invalid_parameter(name, "It must be UTF-8.") from error
    except ValidationError as error:
        raise invalid_parameter(name, str(error.errors()[0]["msg"])) from error
    if name == "UtcOffset" and not re.fullmatch(_UTC_OFFSET, value):
        raise invalid_parameter(name, "It must be HH:mm, with a sign or without, and at most 14:00.")
    return value
