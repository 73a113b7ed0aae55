"""Reads request bodies: parses and validates them, or raises a problem with the fault and a pointer to it.

Bodies are parsed from bytes by our own decoder, since a float would not keep every digit of an amount.
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
from services.edge.http.pointers import SentBody, existing_steps, pointer, replace_surrogates
from services.edge.http.problems import BODY_CODES, ERRORS_MAX, Fault, Problem

_JSON = re.compile(r"(application/([\w.+-]+\+)?json|text/json)\s*(;.*)?", re.IGNORECASE)
_NO_ALIASES: Mapping[str, str] = MappingProxyType({})

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Body(SentBody, Generic[Model]):
    """A request body with its validated model."""

    value: Model = field(kw_only=True)

    def command(self) -> dict[str, Any]:
        """The body as members of a command; absent and null members are left out."""
        return self.value.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)

    def renamed_by(self, names: Mapping[str, str]) -> Self:
        """The same body for a command with other member names; `names` maps the command's names to the body's."""
        return replace(self, renamed=names)


class JsonBody(Documented):
    """Reads the body of a request as a model; its keys match exactly, or `case_insensitive`."""

    def __init__(
        self, model: type[BaseModel], examples: Mapping[str, Any], *, case_insensitive: bool, aliases: Mapping[str, str]
    ) -> None:
        self.model = model
        self._examples = examples
        self._case_insensitive = case_insensitive
        self._aliases = aliases

    async def __call__(self, request: Request) -> Body[Any]:
        """Read and validate the body.

        :raises Problem: one of `BODY_CODES`.
        """
        raw = await read_body(request, request.app.state.edge.settings.record_bytes_max)
        document = (
            parse_case_insensitive(raw, self.model, self._aliases)
            if self._case_insensitive
            else parse_exact(raw, self.model)
        )
        return Body(document, self.model, value=validate(self.model, document))

    def document(self, operation: Documentation) -> None:
        """Add the body, with its schema and examples, and the problems of bodies."""
        schema = {"$ref": REF.format(model=self.model.__name__)}
        operation.set_body("application/json", {"schema": schema, "examples": {**self._examples}})
        operation.refuse(*BODY_CODES)


def json_body(model: type[BaseModel], **examples: Any) -> Any:
    """A body whose keys must match exactly; `examples` by name, each with a summary and a value."""
    return Depends(JsonBody(model, examples, case_insensitive=False, aliases=_NO_ALIASES))


def case_insensitive_body(model: type[BaseModel], aliases: Mapping[str, str] = _NO_ALIASES, **examples: Any) -> Any:
    """A body whose keys match in any case, or by one of the `aliases`; duplicates after matching are refused."""
    return Depends(JsonBody(model, examples, case_insensitive=True, aliases=aliases))


async def read_body(request: Request, bytes_max: int) -> bytes:
    """Read the bytes of the body.

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
    """413: the body is larger than a Kafka record may be."""
    return Problem("body_too_large", f"A body has at most {bytes_max} bytes.")


def parse_case_insensitive(raw: bytes, model: type[BaseModel], aliases: Mapping[str, str]) -> dict[str, Any]:
    """Parse a body with keys in any case, and rename them to the documented ones; null members count as absent.

    :raises Problem: `malformed_json`, `not_an_object` or `duplicate_key`.
    """
    with _as_problem():
        return folding.fold(raw, model, aliases)


def parse_exact(raw: bytes, model: type[BaseModel]) -> dict[str, Any]:
    """Parse a body whose keys must match exactly. Raises as :func:`parse_case_insensitive`."""
    with _as_problem():
        return folding.exact(raw, model)


@contextmanager
def _as_problem() -> Iterator[None]:
    try:
        yield
    except folding.FoldingError as error:
        raise Problem(error.code, replace_surrogates(str(error))) from error


def validate(model: type[Model], body: Mapping[str, Any]) -> Model:
    """Validate a body against its model, by the documented names only.

    :raises Problem: with the code and pointer of the first fault, and a list of all, up to a hundred.
    """
    try:
        return model.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        raise _problem([*_faults(error, body)]) from error


def _problem(faults: list[Fault]) -> Problem:
    first = faults[0]
    return Problem(first.code, first.detail, pointer=first.pointer, errors=faults[:ERRORS_MAX])


def _faults(error: ValidationError, body: Mapping[str, Any]) -> Iterator[Fault]:
    """The faults with their pointers: of a missing member its own, otherwise the longest path that the body has."""
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        location = item["loc"]
        path = existing_steps(body, location)
        if item["type"] == "missing" and len(path) == len(location) - 1:
            path = location
        yield Fault(code_of(item["type"], item["msg"]), pointer(path), replace_surrogates(item["msg"]))


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
    """The problem code of a pydantic error type; errors of our own validators are recognised by their message."""
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
