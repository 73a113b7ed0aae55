"""What is remembered of one order: what it promises, the facts about it, and what was booked of its points."""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from hashlib import sha256
from types import MappingProxyType
from typing import Literal, NamedTuple

from shared.hashing import canonical

What = Literal["fulfilled", "cancelled", "returned"]


class Line(NamedTuple):
    """A line that was ordered: `eligible` is what it earns on, in the currency's smallest unit; zero: nothing."""

    quantity: Fraction
    eligible: int


class Fact(NamedTuple):
    """Something that happened to the order: to an `amount` of money, to `lines`, or to all that is left.

    The amount is in whole units, as the sender wrote it. Neither amount nor lines means all that is left.
    """

    id: str
    what: What
    account: str
    account_number: str
    booked_at: datetime
    amount: Fraction | None = None
    lines: Mapping[str, Fraction] | None = None
    revision: int | None = None
    reported: bool = False

    @property
    def digest(self) -> str:
        """What tells a repeat from another fact under the same id, however numbers and lines are written."""
        lines = None if self.lines is None else sorted((name, str(part)) for name, part in self.lines.items())
        amount = None if self.amount is None else str(self.amount)
        return sha256(canonical([self.what, amount, lines, self.revision])).hexdigest()[:32]


class KnownFact(NamedTuple):
    """What stays of a fact once it is known: enough to recognise it when it is told again."""

    digest: str
    refused: bool = False


class Gone(NamedTuple):
    """All that was fulfilled, cancelled or returned: by `amount` in whole units, by `lines`, and whether the `rest`.

    `money` is what amount and lines come to in the currency's smallest unit, by the order as it is now.
    """

    amount: Fraction = Fraction(0)
    lines: Mapping[str, Fraction] = MappingProxyType({})
    rest: bool = False
    money: Fraction = Fraction(0)


NOTHING_GONE: Mapping[What, Gone] = MappingProxyType({"fulfilled": Gone(), "cancelled": Gone(), "returned": Gone()})


class Award(NamedTuple):
    """What the order promises in one programme, and what of it was booked, in the programme's smallest unit.

    `withheld` is what it would promise, and `awarded` zero, as long as points are loaded for the order's receipt.
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
    withheld: int = 0


class Order(NamedTuple):
    """An order; `revision` 0 means that only facts about it are known, not the order itself.

    `eligible` is what earns, less what points, vouchers and gift cards paid. `facts` are all that are known, `waiting`
    those without effect yet, in the order of their arrival, and `gone` what the others sum to. `digests` tells each
    revision's repeat from another body under its number; `spent` is what was counted for tiers by spend.
    """

    id: str
    revision: int = 0
    account: str | None = None
    currency: str | None = None
    eligible: int = 0
    shop: str | None = None
    lines: Mapping[str, Line] = MappingProxyType({})
    awards: Mapping[str, Award] = MappingProxyType({})
    facts: Mapping[str, KnownFact] = MappingProxyType({})
    waiting: Mapping[str, Fact] = MappingProxyType({})
    gone: Mapping[What, Gone] = NOTHING_GONE
    digests: Mapping[int, str] = MappingProxyType({})
    spent: int = 0
