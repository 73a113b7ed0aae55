"""What a voucher is worth, so that a till can compute it (rules 4.3.1). Declared with its definition, shown with it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from schemas.base import Integer, Wire
from schemas.orders import Currency
from schemas.programme import Price
from schemas.text import LINES, Checked, Reference


class AmountBenefit(Wire):
    """So much money off."""

    type: Literal["amount"]
    value: Annotated[Price, Field(description="How much is taken off, in whole units.", examples=[5])]
    currency: Annotated[Currency, Field(description="In which currency (ISO 4217).", examples=["EUR"])]


class PercentageBenefit(Wire):
    """So many percent off; at most `max`, where it is given together with its currency."""

    type: Literal["percentage"]
    value: Annotated[Price, Field(le=100, description="How many percent are taken off, up to 100.", examples=[10])]
    max: Annotated[
        Price | None,
        Field(description="The most that is taken off, in whole units of `currency`; null is no limit.", examples=[25]),
    ] = None
    currency: Annotated[
        Currency | None, Field(description="The currency of `max` (ISO 4217); null without it.", examples=["EUR"])
    ] = None

    @model_validator(mode="after")
    def _max_in_a_currency(self) -> "PercentageBenefit":
        if (self.max is None) != (self.currency is None):
            raise ValueError("max and currency go together: give both, or neither")
        return self


class ProductBenefit(Wire):
    """Some pieces of an article for nothing."""

    type: Literal["product"]
    sku: Annotated[Reference, Field(description="The article, as the shop numbers it.", examples=["COFFEE-250"])]
    quantity: Annotated[Integer, Field(ge=1, le=1000, description="How many pieces of it.", examples=[1])] = 1


class TextBenefit(Wire):
    """What people must read: it cannot be computed."""

    type: Literal["text"]
    text: Annotated[str, Checked(LINES, 1000, 1), Field(description="What it is good for.", examples=["A tour"])]


Benefit = Annotated[
    AmountBenefit | PercentageBenefit | ProductBenefit | TextBenefit,
    Field(discriminator="type", description="What the voucher is worth; tills compute by it."),
]

Worth = Annotated[Benefit | None, Field(description="What it is worth; null when its definition does not say.")]
