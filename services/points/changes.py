"""The public stream of balance movements, `points.changes`."""

from schemas.changes import cause_of
from shared.decider import Document


def changes(event: Document) -> Document | None:
    """The `PointsChanged` that a stored event causes, every field of it given; None when it is no movement.

    The event of an earlier release has no unit, and neither has its change: so it is published again as it was.
    """
    if "sequence" not in event:
        return None
    change = {
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
        **cause_of(event),
    }
    if "unit" in event:
        change["unit"] = event["unit"]
    return change
