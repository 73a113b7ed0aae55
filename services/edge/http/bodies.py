"""From a request's bytes to a wire model, or to a problem that names what is wrong and where.

Bodies are read raw, since a float would not keep every digit of an amount.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from schemas import folding
from services.edge.http.pointers import clean, pointer, within
from services.edge.http.problems import ERRORS_MAX, Fault, Problem

_JSON = re.compile(r"(application/([\w.+-]+\+)?json|text/json)\s*(;.*)?", re.IGNORECASE)
_NO_ALIASES: Mapping[str, str] = MappingProxyType({})

Model = TypeVar("Model", bound=BaseModel)


async def read(request: Request, bytes_max: int) -> bytes:
    """The body's bytes.

    :raises Problem: `unsupported_media_type`, or `body_too_large` above `bytes_max` bytes.
    """
    headers = request.headers
    content_type = headers.get("content-type")
    if content_type is not None and not _JSON.fullmatch(content_type.strip()):
        raise Problem("unsupported_media_type", "send the body as application/json")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem("unsupported_media_type", "send the body without a content encoding")
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > bytes_max:
            raise too_large(bytes_max)
        chunks.append(chunk)
    return b"".join(chunks)


def too_large(bytes_max: int) -> Problem:
    """413: more than a record may hold."""
    return Problem("body_too_large", f"a body has at most {bytes_max} bytes")


def folded(raw: bytes, model: type[BaseModel], aliases: Mapping[str, str] = _NO_ALIASES) -> dict[str, Any]:
    """A body of a family whose keys come in any case, spelt as documented; what is null counts as left out.

    :raises Problem: `malformed_json`, `not_an_object` or `duplicate_key`.
    """
    with _told():
        return folding.fold(raw, model, aliases)


def exact(raw: bytes, model: type[BaseModel], in_path: Collection[str] = ()) -> dict[str, Any]:
    """A body of our own family, its keys as they were sent, without members that are `in_path`.

    :raises Problem: as :func:`folded`, and `unknown_field` when it has one of those.
    """
    with _told():
        body = folding.exact(raw, model, in_path)
    for name in in_path:
        if name in body:
            raise Problem("unknown_field", f"{name} is not part of the body", pointer=f"/{name}")
    return body


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except folding.FoldingError as error:
        raise Problem(error.code, clean(str(error))) from error


def validated(model: type[Model], body: Mapping[str, Any]) -> Model:
    """The body as its wire model, by the documented names only.

    :raises Problem: the first fault gives its code and pointer, all (up to a hundred) are listed.
    """
    try:
        return model.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        raise _problem([*_faults(error, body)]) from error


def _problem(faults: list[Fault]) -> Problem:
    first = faults[0]
    return Problem(first.code, first.detail, pointer=first.pointer, errors=faults[:ERRORS_MAX])


def _faults(error: ValidationError, body: Mapping[str, Any]) -> Iterator[Fault]:
    """Each fault with its place in the body: of a missing member its own, of all else as far as the body has it."""
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        place = item["loc"]
        found = within(body, place)
        if item["type"] == "missing" and len(found) == len(place) - 1:
            found = place
        yield Fault(code_of(item["type"], item["msg"]), pointer(found), clean(item["msg"]))


_WRONG_TYPE = {"Value error, must be a JSON number", "Value error, must be an RFC 3339 string"}
TOO_MANY_DECIMALS = "too_many_decimals"
_RANGE = {
    "decimal_max_digits",
    "decimal_max_places",
    "decimal_whole_digits",
    "finite_number",
    "greater_than",
    "greater_than_equal",
    "int_parsing_size",
    "less_than",
    "less_than_equal",
    "string_too_long",
    "string_too_short",
    "too_long",
    "too_short",
}


def code_of(kind: str, message: str) -> str:
    """Our code for pydantic's type of error; the wire's own checks are told apart by their message."""
    if kind == "extra_forbidden":
        return "unknown_field"
    if kind == "missing":
        return "missing_field"
    if kind == TOO_MANY_DECIMALS:
        return kind
    if kind in _RANGE:
        return "value_out_of_range"
    if kind.endswith("_type") or kind == "bool_parsing" or message in _WRONG_TYPE:
        return "wrong_type"
    return "invalid_value"
