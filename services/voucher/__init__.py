"""Vouchers: their definitions, their life, and the decision on every transaction that touches them."""
