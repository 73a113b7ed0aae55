"""Counting equal keys of a file of any length: in a temporary database on disk, so that memory stays bounded."""

import sqlite3
from collections.abc import Sequence

from shared.ids import derived_id

_CACHE_KIB = 32 * 1024


class Repeats:
    """How often each key came so far, where it came first, and which keys must not be imported any further."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)  # A file without a name, gone when it is closed.
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._database.execute(
            "CREATE TABLE keys (key TEXT PRIMARY KEY, count INTEGER, line INTEGER, stopped INTEGER) WITHOUT ROWID"
        )
        self._database.execute("BEGIN")

    def count(self, key: Sequence[str], line: int) -> tuple[int, int]:
        """Count the key at `line`: how often it came before, and in which line first."""
        inserted = "INSERT INTO keys VALUES (?, 1, ?, 0) ON CONFLICT DO UPDATE SET count = count + 1"
        count, first = self._database.execute(f"{inserted} RETURNING count, line", (derived_id(*key), line)).fetchone()
        return count - 1, first

    def stop(self, key: Sequence[str]) -> None:
        """Nothing more may be booked under this key."""
        self._database.execute("UPDATE keys SET stopped = 1 WHERE key = ?", (derived_id(*key),))

    def stopped(self, key: Sequence[str]) -> bool:
        """Whether :meth:`stop` was called for it."""
        found = self._database.execute("SELECT stopped FROM keys WHERE key = ?", (derived_id(*key),)).fetchone()
        return bool(found and found[0])

    def close(self) -> None:
        """Forget everything."""
        self._database.close()
