"""What the OpenAPI document says of an operation, collected from what its function takes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from services.edge.http.headers import OF_PROBLEMS
from services.edge.http.problems import CODES, MEDIA_TYPE

Schema = dict[str, Any]
Responses = dict[int | str, Schema]

REF = "#/components/schemas/{model}"


class Documentation:
    """The responses, the parameters and the body of one operation, as far as they are known yet."""

    def __init__(self, responses: Mapping[int | str, Schema]) -> None:
        self.responses: Responses = {status: dict(each) for status, each in responses.items()}
        self.parameters: list[Schema] = []
        self.body: Schema | None = None
        self._refused: set[str] = set()

    def refuse(self, *codes: str) -> None:
        """Add problem codes that the operation can end in, each with an example."""
        for code in codes:
            if code not in self._refused:
                self._refused.add(code)
                _refuse(self.responses, code)

    def add_headers(self, status: int, headers: Mapping[str, Schema]) -> None:
        """Add headers to the response of a status, which is known already."""
        self.responses[status]["headers"] = {**self.responses[status].get("headers", {}), **headers}

    def take_body(self, media_type: str, content: Schema) -> None:
        """Say what the request body is; an operation has one at most."""
        assert self.body is None, "an operation has one body"
        self.body = {"required": True, "content": {media_type: content}}

    @property
    def extra(self) -> Schema:
        """What FastAPI adds to the operation as it is."""
        body = {} if self.body is None else {"requestBody": self.body}
        return {**body, "parameters": self.parameters} if self.parameters else body


class Documented(ABC):
    """A dependency that says what it adds to the documentation of the operations that take it."""

    @abstractmethod
    def document(self, operation: Documentation) -> None:
        """Add to the documentation of an operation."""


def refusals(*codes: str) -> Responses:
    """The responses of these problem codes, by status, with an example of each."""
    operation = Documentation({})
    operation.refuse(*codes)
    return operation.responses


def shown(
    model: type[BaseModel], description: str, *codes: str, examples: Mapping[str, Any] | None = None
) -> Responses:
    """The response 200 of an operation, by its model, and the problem codes that it alone adds."""
    content = {} if examples is None else {"content": {"application/json": {"examples": {**examples}}}}
    return {200: {"model": model, "description": description, **content}, **refusals(*codes)}


def _refuse(responses: Responses, code: str) -> None:
    status, title = CODES[code]
    fresh = {"description": "", "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="ProblemDocument")}}}}
    response = responses.setdefault(status, fresh)
    examples = response["content"][MEDIA_TYPE].setdefault("examples", {})
    if code in examples:
        return
    if code in OF_PROBLEMS:
        response["headers"] = {**response.get("headers", {}), **OF_PROBLEMS[code]}
    response["description"] = ", ".join(filter(None, (response["description"], f"`{code}`")))
    example = {"type": f"urn:fealty:problem:{code}", "title": title, "status": status, "detail": title, "code": code}
    examples[code] = {"summary": title, "value": example}
