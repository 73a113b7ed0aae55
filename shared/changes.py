"""What the public streams of changes have in common, `points.changes` and `voucher.changes`."""

from shared.decider import Document

_SOURCE = ("order", "receipt", "shop", "till", "operator")


def cause_of(event: Document) -> Document:
    """What every change ends with: the operation that made it, where that came from, why and when."""
    source = event["source"].get
    return {
        "transactionId": event["transactionId"],
        "operation": event["operation"],
        "source": {name: source(name) for name in _SOURCE},
        "reason": event.get("reason"),
        "occurredAt": event["occurredAt"],
        "bookedAt": event["bookedAt"],
    }
