"""What became of the rows of an import."""

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(slots=True)
class Sums:
    """Rows of a group and their values in whole units: those of this run, and those that were in before."""

    new: int = 0
    new_value: Decimal = Decimal(0)
    known: int = 0
    known_value: Decimal = Decimal(0)


@dataclass(slots=True)
class Tally:
    """By group what is in; and how many rows were refused.

    `repeated` counts rows that were booked though they have the key of an earlier row.
    """

    groups: dict[str, Sums] = field(default_factory=dict)
    refused: int = 0
    repeated: int = 0

    @property
    def new(self) -> int:
        """Rows that this run imported, or would import."""
        return sum(sums.new for sums in self.groups.values())

    @property
    def known(self) -> int:
        """Rows that an earlier run imported."""
        return sum(sums.known for sums in self.groups.values())

    def count(self, group: str, value: Decimal, *, known: bool) -> None:
        """One more row is in."""
        sums = self.groups.setdefault(group, Sums())
        if known:
            sums.known += 1
            sums.known_value += value
        else:
            sums.new += 1
            sums.new_value += value
