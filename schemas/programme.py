"""A points programme as it is declared in YAML and carried by `points.put_programme.v1` (rules 4.1.1)."""

import re
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, StrictBool, model_validator

from schemas.base import Amount, AtMost, Instant, Integer, Wire
from schemas.text import Description, Key


@cache
def _zones() -> frozenset[str]:
    """Reading them takes a quarter of a second, once."""
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError(f"{name!r} is no IANA time zone")
    return name


def _only_text(value: Any) -> Any:
    """Refuse what the date parser would take for seconds since 1970, or cut a time off."""
    if isinstance(value, date) or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)):
        return value
    raise ValueError("must be a date as in 2027-12-31")


Zone = Annotated[str, AfterValidator(_known_zone)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Months = Annotated[Integer, Field(ge=1, le=1200)]


def json_number(value: Decimal) -> float:
    """As a JSON number; up to 15 digits, which a double keeps."""
    return int(value) if value == int(value) else float(value)


Price = Annotated[
    Amount,
    Field(gt=0, decimal_places=3),
    PlainSerializer(json_number, return_type=float, when_used="json"),
]
"""More than zero, in whole units with at most three decimals; a JSON number wherever it is stored or published."""


class ExpiryRule(Wire):
    """When a credit's points expire: on a fixed date, or some days, months or years after it; exactly one is given.

    `end_of` moves a computed date to the last day of its month or year. The points are gone from the first instant
    of the day after the date, in the programme's zone (4.1.5).
    """

    on: Annotated[date, BeforeValidator(_only_text, json_schema_input_type=date)] | None = None
    days: Annotated[Integer, Field(ge=0, le=36500)] | None = None
    months: Months | None = None
    years: Annotated[Integer, Field(ge=1, le=100)] | None = None
    end_of: Literal["month", "year"] | None = None

    @model_validator(mode="after")
    def _one_of(self) -> "ExpiryRule":
        given = [name for name in ("on", "days", "months", "years") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of on, days, months, years")
        if self.end_of and self.on:
            raise ValueError("endOf goes with days, months or years")
        return self


class EarningRule(Wire):
    """`points` for every full `per` (in money) of what earns; applied to orders where `earn_from` says so.

    With a `currency` it applies to orders in that currency only.
    """

    on: Literal["order"]
    points: Price
    per: Price
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None


class Threshold(Wire):
    """At `value` points a voucher of definition `voucher_id` is issued and the points are deducted (4.1.11).

    What would issue more than `max_per_command` of them at once is refused; 20 where the programme does not say.
    """

    value: Annotated[Price, Field(ge=1)]
    voucher_id: Key
    max_per_command: Annotated[Integer, Field(ge=1, le=100)] | None = None

    @property
    def issued_max(self) -> int:
        """The vouchers that one command may issue by it."""
        return 20 if self.max_per_command is None else self.max_per_command


class PurchaseOffer(Wire):
    """A voucher that customers can buy for `price` points, within its window when one is given."""

    voucher_id: Key
    price: Price
    from_: Annotated[Instant | None, Field(alias="from")] = None
    until: Instant | None = None


LOAD_MAX = 1_000_000
"""The most that one load may credit where the programme does not say, in whole units."""


class LoadLimits(Wire):
    """The most that one load, and that all loads of one transaction, may credit in this programme.

    Without `per_load` that is 1,000,000; without `per_transaction` as much, or `per_load` when that is more.
    """

    per_load: Price | None = None
    per_transaction: Price | None = None


class ProgrammeState(StrEnum):
    """A retired programme books no credits any more; what is there can still be spent and expires."""

    ACTIVE = "active"
    RETIRED = "retired"


class Programme(Wire):
    """The rules of one kind of points. Changing them never alters lots that exist.

    Lots are announced `expiring_soon_days` before they expire; points given back to a lot that has expired meanwhile
    live for `reversal_grace_days` (rules 4.1.13).
    """

    id: Key
    descriptions: Annotated[dict[Language, Description], Field(min_length=1)]
    unit: Annotated[str, Field(pattern=r"^(points|[A-Z]{3})$")] = "points"
    scale: Annotated[Integer, Field(ge=0, le=2)] = 0
    zone: Zone = "UTC"
    expiry: ExpiryRule | None = None
    account_expiry_months: Months | None = None
    earn_from: Literal["loads", "orders"] = "loads"
    earn: Annotated[tuple[EarningRule, ...], AtMost(20)] = ()
    issue_immediate_threshold: Threshold | None = None
    purchases: Annotated[tuple[PurchaseOffer, ...], AtMost(200)] = ()
    load_limits: LoadLimits = LoadLimits()
    open_on_credit: StrictBool = True
    expiring_soon_days: Annotated[Integer, Field(ge=1, le=366)] | None = None
    reversal_grace_days: Annotated[Integer, Field(ge=0, le=3660)] = 30
    state: ProgrammeState = ProgrammeState.ACTIVE
