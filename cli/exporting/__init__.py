"""Exports for analysts: balance changes and balances as a directory of files, streamed, and resumed where cut."""
