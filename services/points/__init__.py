"""The points service: programmes, accounts and their lots, loads, redemptions, corrections and expiry (RULES 4.1)."""
