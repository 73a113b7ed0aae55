"""The gift card service: cards, their balances, statuses and history (rules 4.4)."""
