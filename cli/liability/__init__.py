"""What a retailer owes its customers, in points and on gift cards: by day, and held against the present balances."""
