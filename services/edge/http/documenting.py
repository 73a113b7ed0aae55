"""Collects the OpenAPI documentation of an operation from the dependencies of its function."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from services.edge.http.headers import PROBLEM_HEADERS
from services.edge.http.problems import CODES, MEDIA_TYPE

Schema = dict[str, Any]
Responses = dict[int | str, Schema]

REF = "#/components/schemas/{model}"


class Documentation:
    """The responses, parameters and body of one operation, as collected so far."""

    def __init__(self, responses: Mapping[int | str, Schema]) -> None:
        self.responses: Responses = {status: dict(each) for status, each in responses.items()}
        self.parameters: list[Schema] = []
        self.body: Schema | None = None
        self._codes: set[str] = set()

    def refuse(self, *codes: str) -> None:
        """Add problem codes of the operation, each with an example."""
        for code in map(str, codes):
            if code not in self._codes:
                self._codes.add(code)
                _refuse(self.responses, code)

    def add_headers(self, status: int, headers: Mapping[str, Schema]) -> None:
        """Add headers to the response of a status that was added before."""
        self.responses[status]["headers"] = {**self.responses[status].get("headers", {}), **headers}

    def set_body(self, media_type: str, content: Schema) -> None:
        """Set the request body; an operation has at most one."""
        assert self.body is None, "an operation has one body"
        self.body = {"required": True, "content": {media_type: content}}

    @property
    def extra(self) -> Schema:
        """The members that FastAPI copies into the operation: `openapi_extra`."""
        body = {} if self.body is None else {"requestBody": self.body}
        return {**body, "parameters": self.parameters} if self.parameters else body


class Documented(ABC):
    """A dependency that documents itself in each operation that uses it."""

    @abstractmethod
    def document(self, operation: Documentation) -> None:
        """Add to the documentation of an operation."""


def refusals(*codes: str) -> Responses:
    """The responses of problem codes, by status, each code with an example."""
    operation = Documentation({})
    operation.refuse(*codes)
    return operation.responses


def success_responses(
    model: type[BaseModel], description: str, *codes: str, examples: Mapping[str, Any] | None = None
) -> Responses:
    """The response 200 of an operation, with its model, and the problem codes that no dependency adds."""
    content = {} if examples is None else {"content": {"application/json": {"examples": {**examples}}}}
    return {200: {"model": model, "description": description, **content}, **refusals(*codes)}


def _refuse(responses: Responses, code: str) -> None:
    status, title = CODES[code]
    empty = {"description": "", "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="ProblemDocument")}}}}
    response = responses.setdefault(status, empty)
    examples = response["content"][MEDIA_TYPE].setdefault("examples", {})
    if code in examples:
        return
    if code in PROBLEM_HEADERS:
        response["headers"] = {**response.get("headers", {}), **PROBLEM_HEADERS[code]}
    response["description"] = ", ".join(filter(None, (response["description"], f"`{code}`")))
    example = {"type": f"urn:fealty:problem:{code}", "title": title, "status": status, "detail": title, "code": code}
    examples[code] = {"summary": title, "value": example}
