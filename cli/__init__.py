"""The command `fealty`, and what operators do with it; it may import every service."""
