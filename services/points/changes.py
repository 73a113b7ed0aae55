"""The public stream of balance movements, `points.changes`."""

from shared.decider import Document


def changes(event: Document) -> Document | None:
    """The `PointsChanged` that a stored event causes, every field of it given; None when it is no movement."""
    if "sequence" not in event:
        return None
    source = event["source"].get
    return {
        "account": event["account"],
        "accountNumber": event["accountNumber"],
        "programme": event["programme"],
        "programmeVersion": event["programmeVersion"],
        "sequence": event["sequence"],
        "kind": event["kind"],
        "delta": event["delta"],
        "pendingDelta": event["pendingDelta"],
        "scale": event["scale"],
        "booked": event["booked"],
        "pending": event["pending"],
        "transactionId": event["transactionId"],
        "operation": event["operation"],
        "source": {
            "order": source("order"),
            "receipt": source("receipt"),
            "shop": source("shop"),
            "till": source("till"),
            "operator": source("operator"),
        },
        "reason": event.get("reason"),
        "occurredAt": event["occurredAt"],
        "bookedAt": event["bookedAt"],
    }
