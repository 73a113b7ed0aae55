"""Bringing balances in from another system: reading files, checking rows, and booking each row once."""

from shared.importing.importer import Importer
from shared.importing.reading import Format, Row, Unreadable, count_rows, opened
from shared.importing.rejects import Rejects
from shared.importing.sending import Unanswered
from shared.importing.tally import Tally

__all__ = [
    "Format",
    "Importer",
    "Rejects",
    "Row",
    "Tally",
    "Unanswered",
    "Unreadable",
    "count_rows",
    "opened",
]
