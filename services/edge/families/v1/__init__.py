"""Fealty's own family `/v1`: exact keys, amounts in whole units."""
