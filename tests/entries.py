"""Entries of the journal with no more in them than a test needs."""

from typing import Any, cast

from shared.runtime.entries import JournalEntry


def entry_of(**parts: Any) -> JournalEntry:
    """An entry with these parts alone."""
    return cast(JournalEntry, parts)
