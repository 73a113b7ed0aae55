"""The public stream of mutations of gift cards, `giftcard.changes`."""

from schemas.changes import source_of
from services.giftcard.evolve import KINDS
from shared.decider import Document


def changes(event: Document) -> Document | None:
    """The `CardChanged` that a stored event causes; None when no card changed. Every field is given."""
    kind = KINDS.get(event["type"])
    if kind is None:
        return None
    given = event.get
    return {
        **{name: event[name] for name in ("cardId", "serialNumber", "cardType", "currency", "scale", "sequence")},
        "kind": kind,
        "oldStatus": given("oldStatus"),
        "newStatus": event["newStatus"],
        "delta": event["delta"],
        "balance": event["balance"],
        "expiresAt": given("expiresAt"),
        "transactionId": event["transactionId"],
        "cancels": given("cancels"),
        "operation": given("operation"),
        "source": source_of(event),
        "comment": given("comment"),
        "reason": given("reason"),
        "occurredAt": event["occurredAt"],
        "bookedAt": event["bookedAt"],
    }
