"""Response models that all families share: problems and polled operations."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from schemas.base import Published

Number = Annotated[Decimal, WithJsonSchema({"type": "number"})]
"""An exact JSON number in whole units; read it as a decimal, not as a float."""

InstantText = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""A UTC instant, RFC 3339 with milliseconds."""


class FaultAnswer(Published):
    """One fault of a body."""

    code: str
    pointer: str | None
    detail: str


class ProblemDocument(Published):
    """An RFC 9457 problem document. `code` is stable and listed in docs/problems.md; `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    pointer: Annotated[str, Field(description="JSON pointer to the first wrong part of the body.")] = ""
    errors: tuple[FaultAnswer, ...] = ()
    parameter: Annotated[str, Field(description="Only with `invalid_parameter`: the name of the parameter.")] = ""
    operation_id: Annotated[str, Field(description="Only with `outcome_unknown`: the operation to poll.")] = ""
    command_id: Annotated[str, Field(description="Only with `outcome_unknown`: the id of the command.")] = ""
    reason: Annotated[str, Field(description="Only with `dead_lettered`: why the command could not be processed.")] = ""


class PendingAnswer(Published):
    """The outcome is open; poll `/operations/{operationId}`."""

    operation_id: str
    command_id: str
    status: Literal["pending"]


class OperationAnswer(Published):
    """How an operation ended. `never_accepted` is final: the command has no effect and never will."""

    operation_id: str
    command_id: str
    status: Literal["accepted", "rejected", "never_accepted", "too_late", "dead_lettered"]
    result: Annotated[
        dict[str, Any] | None, Field(description="The result of the command; null or absent unless it was accepted.")
    ] = None
    problem: Annotated[
        ProblemDocument | None, Field(description="Why it was not accepted; null or absent when it was.")
    ] = None
