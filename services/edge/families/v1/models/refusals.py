"""Response models of refused commands."""

from typing import Annotated

from pydantic import Field

from schemas.base import Published
from schemas.refusals import RefusedInput
from services.edge.http.models import InstantText


class RefusalAnswer(Published):
    """A command that was refused and changed nothing."""

    id: Annotated[str, Field(description="The id of the refusal event on `points.events`.")]
    at: Annotated[InstantText, Field(description="When it was refused.")]
    type: Annotated[str, Field(description="The type of the event.", examples=["points.order_rejected.v1"])]
    command: Annotated[
        str | None,
        Field(description="What was refused; null for an order's fact that had waited for its order."),
    ]
    code: Annotated[str, Field(description="Why, from the closed list of codes.", examples=["too_many_decimals"])]
    detail: Annotated[
        str | None, Field(description="The same for people, which may change; null when there is nothing to add.")
    ]
    pointer: Annotated[
        str | None, Field(description="A JSON pointer to the first wrong part; null for none.", examples=["/lines/0"])
    ]
    account_number: Annotated[
        str | None, Field(description="The account number as it was sent; null when there was none.")
    ]
    order: Annotated[str | None, Field(description="The order number, or a transaction's `receiptNr`; null for none.")]
    shop: Annotated[str | None, Field(description="The order's shop, or a transaction's `shopId`; null for none.")]
    fact: Annotated[str | None, Field(description="The sender's id of the order's fact; null for none.")]
    sender: Annotated[
        str | None, Field(description="`/edge` for HTTP, `/points/reactions` for inputs, `/cli`; null: not known.")
    ]
    input: Annotated[RefusedInput | None, Field(description="The record that was refused; null over HTTP.")]
    transaction_id: Annotated[
        str | None, Field(description="The id of the command, as Post Transaction answers it; null: not known.")
    ]
    correlation_id: Annotated[
        str | None, Field(description="The same in everything that one request caused; null: not known.")
    ]


class RefusalsAnswer(Published):
    """A page of refusals, newest first; `next` is the path of the next page, null after the last."""

    refusals: tuple[RefusalAnswer, ...]
    next: str | None
