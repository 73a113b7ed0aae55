"""What is remembered of one order: what it promises, the facts about it, and what was booked of its points."""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from types import MappingProxyType
from typing import Literal, NamedTuple

What = Literal["fulfilled", "cancelled", "returned"]


class Line(NamedTuple):
    """A line that was ordered: `eligible` is what it earns on, in the currency's smallest unit; zero: nothing."""

    quantity: Fraction
    eligible: int


class Fact(NamedTuple):
    """Something that happened to the order: to an `amount` of money, to `lines`, or to all that was left.

    The amount is in whole units, as the sender wrote it. `rest` is what "all that is left" came to when it was
    applied, in the currency's smallest unit. A `waiting` fact has no effect yet; one that was `refused` never will.
    """

    id: str
    what: What
    account: str
    account_number: str
    booked_at: datetime
    amount: Fraction | None = None
    lines: Mapping[str, Fraction] | None = None
    revision: int | None = None
    rest: Fraction | None = None
    waiting: bool = False
    refused: bool = False
    reported: bool = False


class Award(NamedTuple):
    """What the order promises in one programme, and what of it was booked, in the programme's smallest unit.

    `credited` is what activations put into lots, by the instant of their expiry, in the order of booking.
    """

    programme: str
    programme_version: int
    scale: int
    awarded: int
    activated: int = 0
    dropped: int = 0
    revoked: int = 0
    credited: tuple[tuple[datetime | None, int], ...] = ()


class Order(NamedTuple):
    """An order; `revision` 0 means that only facts about it are known, not the order itself.

    `eligible` is what earns, less what points, vouchers and gift cards paid; `digests` tells each revision's repeat
    from another body under its number; `spent` is what was counted for tiers by spend.
    """

    id: str
    revision: int = 0
    account: str | None = None
    currency: str | None = None
    eligible: int = 0
    shop: str | None = None
    lines: Mapping[str, Line] = MappingProxyType({})
    awards: Mapping[str, Award] = MappingProxyType({})
    facts: Mapping[str, Fact] = MappingProxyType({})
    digests: Mapping[int, str] = MappingProxyType({})
    spent: int = 0

    def waiting(self) -> list[Fact]:
        """The facts that have no effect yet, in the order of their arrival."""
        return [fact for fact in self.facts.values() if fact.waiting]

    def applied(self, what: What) -> list[Fact]:
        """The facts of one kind that have their effect."""
        return [fact for fact in self.facts.values() if fact.what == what and not fact.waiting and not fact.refused]
