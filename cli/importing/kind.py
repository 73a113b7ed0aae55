"""What a kind of rows is to the importer: how a row is read, which command books it, and how that is recognised."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from cli.importing.reading import Layout, Row
from schemas.base import Wire
from shared.decider import Document
from shared.runtime.journal import Journal


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a row is not imported. It never quotes what may be personal, or a secret."""

    reason: str


class Planned(NamedTuple):
    """The command that books a row, and under what it is counted; `about` is what the kind wants to know of it again.

    Rows are told apart by `key`.
    """

    key: Sequence[str]
    type: str
    subject: str
    payload: Wire
    group: str
    value: Decimal
    about: Any


class RowKind(Protocol):
    """Rows that are booked by one service. `grouped` names that by which they are counted."""

    service: str
    layout: Layout
    grouped: str
    reused: Refused
    """Of a row that is in with another content."""
    behind: Refused
    """Of a row with the key of such a row."""

    def key_of(self, row: Row) -> Sequence[str] | None:
        """The row's key, whatever else may be wrong with it; None when there is none."""

    async def plan(self, rows: Sequence[Row], journal: Journal) -> list[Planned | Refused]:
        """What books each row, or why nothing does."""

    def repeats(self, first: int) -> Refused | str:
        """What becomes of a row with the key of the one in line `first`: it is refused, or booked and this is noted."""

    def refused_now(self, planned: Planned, now: datetime) -> Refused | None:
        """Whether it is too late to book a row; one that is in already is not asked."""

    def is_booked(self, planned: Planned, entry: Document) -> bool:
        """Whether the journal's entry of the row's command booked what the row says."""
