"""The points service: programmes, accounts and their lots, loads, redemptions, corrections and expiry (rules 4.1)."""
