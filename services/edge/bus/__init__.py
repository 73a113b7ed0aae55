"""Commands out, outcomes in."""
