"""A gift card type as it is declared in YAML and carried by `giftcard.put_type.v1` (rules 4.4)."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, model_validator

from schemas.base import Instant, Published, Wire
from schemas.declaration_checks import refuse, zone_faults
from schemas.programme import ExpiryRule, Price, Zone
from schemas.text import Key

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]
"""An ISO 4217 code."""


class CardTypeState(StrEnum):
    """No card of a retired type is created or issued any more; those that exist stay what they are."""

    ACTIVE = "active"
    RETIRED = "retired"


class CardType(Wire):
    """What a kind of gift cards is worth and how it is used. Changing it never alters cards that exist.

    One activation loads from `min_load` to `max_load`, and a card holds at most `max_balance`. With `reload` a card can
    be loaded again, also once it is used up. `validity` counts from the day of the first load in `zone`; without it a
    card never expires. `article_set_code` restricts what the card buys; tills interpret it. `switch_id` names the
    provider.
    """

    code: Key
    currency: Currency
    reload: StrictBool = False
    min_load: Price | None = None
    max_load: Price | None = None
    max_balance: Price | None = None
    validity: ExpiryRule | None = None
    zone: Zone = "UTC"
    article_set_code: Key | None = None
    switch_id: Key | None = None
    state: CardTypeState = CardTypeState.ACTIVE

    @model_validator(mode="after")
    def _limits_leave_something(self) -> Self:
        limits = [each for each in (self.min_load, self.max_load, self.max_balance) if each is not None]
        if limits != sorted(limits):
            raise ValueError("minLoad is at most maxLoad, and maxLoad at most maxBalance")
        return self


class PutCardType(Wire):
    """`giftcard.put_type.v1`: declare a card type, or a new version of it; an equal one is a no-op."""

    card_type: CardType

    @model_validator(mode="after")
    def _zone_is_known(self) -> Self:
        refuse(zone_faults(self.card_type.zone))
        return self


class CardTypePut(Published):
    """`giftcard.type_put.v1`: cards that are created from now on have these rules."""

    type: Literal["giftcard.type_put.v1"] = "giftcard.type_put.v1"
    card_type: CardType
    version: int
    booked_at: Instant


class CardTypeView(Published):
    """`giftcard.type_snapshot.v1` on `giftcard.snapshots`: a card type as it is now."""

    card_type: CardType
    version: int
    state: CardTypeState
