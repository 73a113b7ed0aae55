"""Orders: from what is told about them to what their points come to (rules 4.1.8 and 4.1.9)."""
