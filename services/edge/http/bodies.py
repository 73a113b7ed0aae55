"""From a request's bytes to a wire model, or to a problem that names what is wrong and where.

Bodies are read raw, since a float would not keep every digit of an amount.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Generic, Self, TypeVar

from fastapi import Depends
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from schemas import folding
from services.edge.http.documenting import REF, Documentation, Documented
from services.edge.http.pointers import SentBody, clean, pointer, within
from services.edge.http.problems import BODY_CODES, ERRORS_MAX, Fault, Problem

_JSON = re.compile(r"(application/([\w.+-]+\+)?json|text/json)\s*(;.*)?", re.IGNORECASE)
_NO_ALIASES: Mapping[str, str] = MappingProxyType({})

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Body(SentBody, Generic[Model]):
    """A request's body as its wire model, too."""

    value: Model = field(kw_only=True)

    def command(self) -> dict[str, Any]:
        """What it says, as members of a command; what was left out is left out."""
        return self.value.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)

    def renamed_by(self, names: Mapping[str, str]) -> Self:
        """The same for a command that calls these members otherwise: by its name for each, the body's own."""
        return replace(self, renamed=names)


class JsonBody(Documented):
    """Reads the body of a request as one model, its keys in `any_case` or as they were sent."""

    def __init__(
        self, model: type[BaseModel], examples: Mapping[str, Any], *, any_case: bool, aliases: Mapping[str, str]
    ) -> None:
        self.model = model
        self._examples = examples
        self._any_case = any_case
        self._aliases = aliases

    async def __call__(self, request: Request) -> Body[Any]:
        """The body.

        :raises Problem: one of `BODY_CODES`.
        """
        raw = await read(request, request.app.state.edge.settings.record_bytes_max)
        document = folded(raw, self.model, self._aliases) if self._any_case else exact(raw, self.model)
        return Body(document, self.model, value=validated(self.model, document))

    def document(self, operation: Documentation) -> None:
        """The body by its model, with its examples, and how it is refused."""
        schema = {"$ref": REF.format(model=self.model.__name__)}
        operation.take_body("application/json", {"schema": schema, "examples": {**self._examples}})
        operation.refuse(*BODY_CODES)


def exactly(model: type[BaseModel], **examples: Any) -> Any:
    """A body whose keys count as they were sent; `examples` by name, each with a summary and a value."""
    return Depends(JsonBody(model, examples, any_case=False, aliases=_NO_ALIASES))


def in_any_case(model: type[BaseModel], aliases: Mapping[str, str] = _NO_ALIASES, **examples: Any) -> Any:
    """A body whose keys come in any case, or under one of the `aliases`; two that are equal then are refused."""
    return Depends(JsonBody(model, examples, any_case=True, aliases=aliases))


async def read(request: Request, bytes_max: int) -> bytes:
    """The body's bytes.

    :raises Problem: `unsupported_media_type`, or `body_too_large` above `bytes_max` bytes.
    """
    headers = request.headers
    content_type = headers.get("content-type")
    if content_type is not None and not _JSON.fullmatch(content_type.strip()):
        raise Problem("unsupported_media_type", "Send the body as application/json.")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem("unsupported_media_type", "Send the body without a content encoding.")
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > bytes_max:
            raise too_large(bytes_max)
        chunks.append(chunk)
    return b"".join(chunks)


def too_large(bytes_max: int) -> Problem:
    """413: more than a record may hold."""
    return Problem("body_too_large", f"A body has at most {bytes_max} bytes.")


def folded(raw: bytes, model: type[BaseModel], aliases: Mapping[str, str]) -> dict[str, Any]:
    """A body of a family whose keys come in any case, spelt as documented; what is null counts as left out.

    :raises Problem: `malformed_json`, `not_an_object` or `duplicate_key`.
    """
    with _translated():
        return folding.fold(raw, model, aliases)


def exact(raw: bytes, model: type[BaseModel]) -> dict[str, Any]:
    """A body of our own family, its keys as they were sent. Raises as :func:`folded`."""
    with _translated():
        return folding.exact(raw, model)


@contextmanager
def _translated() -> Iterator[None]:
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
