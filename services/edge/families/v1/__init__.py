"""Our own family: exact keys, amounts in whole units."""
