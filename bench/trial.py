"""Rows with a counterpart of their own kind: two sides by turns, their ratio, and what was found wrong."""

from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the further rows are: commands, accounts, entries or snapshots stored, and runs of each side."""

    movements: int
    accounts: int
    stored: int
    rounds: int


@dataclass
class Trial:
    """One line: what was measured on each side, in the order of the rounds, in `unit`.

    The target is the least that the ratio should be, or the most where less is better; None: the ratio is only shown.
    `reference` is what a quiet machine should show, `figures` what else is told of the row.
    """

    row: str
    name: str
    unit: str
    target: float | None
    at_most: bool = False
    reference: float | None = None
    real: list[float] = field(default_factory=list)
    other: list[float] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float | None:
        """The median of the rounds' ratios; None when no round came to its end."""
        ratios = [real / other for real, other in zip(self.real, self.other, strict=False) if other]
        return median(ratios) if ratios else None

    @property
    def reached(self) -> bool | None:
        """Whether the ratio is what it should be; None without a target or a ratio."""
        if self.target is None or self.ratio is None:
            return None
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "row": self.row,
            "name": self.name,
            "unit": self.unit,
            "real": [round(value, 3) for value in self.real],
            "other": [round(value, 3) for value in self.other],
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "target": self.target,
            "at_most": self.at_most,
            "reached": self.reached,
            "quiet_machine": self.reference,
            "figures": self.figures,
        }
