"""The thin HTTP edge: requests become commands, snapshots become views; no business rule lives here."""
