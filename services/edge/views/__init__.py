"""What the edge stores of the topics: a module a view, and one table of them (table.py)."""
