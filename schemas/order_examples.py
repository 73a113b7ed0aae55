"""Examples of what is told of orders, as the documents show them."""

from typing import Any


def placement_example() -> dict[str, Any]:
    """An order with two lines, one of which earns nothing."""
    return {
        "order": "W-2026-12345",
        "accountNumber": "6299000000000000017",
        "revision": 1,
        "currency": "EUR",
        "placedAt": "2026-11-22T10:00:00Z",
        "shop": "Webshop",
        "lines": [
            {"line": "1", "quantity": 2, "netAmount": 82.64, "tax": 17.36, "discount": 0},
            {"line": "2", "quantity": 1, "netAmount": 4.95, "earns": False},
        ],
        "payments": [{"kind": "ideal", "amount": 104.95}],
    }


def fact_example(fact: str) -> dict[str, Any]:
    """A fact about that order's first line."""
    placed = placement_example()
    named = {"order": placed["order"], "accountNumber": placed["accountNumber"], "fact": fact}
    return {**named, "lines": [{"line": "1", "quantity": 1}], "occurredAt": "2026-11-24T08:30:00Z"}
