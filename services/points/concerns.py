"""What a command is about, as its refusal says it: whose account, and which order of which shop."""

from typing import Any

from shared.decider import Document


def concerns(payload: Any) -> Document:
    """Account number, order and shop of a payload, as they were written; of a transaction, its receipt and shop."""
    context = getattr(payload, "context", None)
    found = {
        "accountNumber": getattr(payload, "account_number", None),
        "order": getattr(payload, "order", None) or getattr(context, "receipt_nr", None),
        "shop": getattr(payload, "shop", None) or getattr(context, "shop_id", None),
    }
    return {name: value for name, value in found.items() if value is not None}
