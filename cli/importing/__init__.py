"""Bringing balances and gift cards in from another system: reading files, checking rows, and booking each row once."""

from cli.importing.importer import Importer
from cli.importing.kind import RowKind
from cli.importing.reading import Format, Row, Unreadable, count_rows, opened
from cli.importing.rejects import Rejects
from cli.importing.sending import Unanswered
from cli.importing.tally import Tally

__all__ = [
    "Format",
    "Importer",
    "Rejects",
    "Row",
    "RowKind",
    "Tally",
    "Unanswered",
    "Unreadable",
    "count_rows",
    "opened",
]
