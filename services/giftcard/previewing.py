"""What a gift card would decide on its part of a transaction (rules 4.2.3)."""

from collections.abc import Mapping
from typing import Any

from schemas.giftcard_saga import PaymentRefused
from schemas.voucher_saga import Decision
from services.giftcard.state import Event
from shared.decider import Accepted, Command, Document


def preview_hold(_command: Command, _states: Mapping[str, Any], verdict: Accepted[Event]) -> Document:
    """Executed, or refused and why."""
    for _, event in verdict.events:
        if isinstance(event, PaymentRefused):
            why = {"code": event.code, "detail": event.detail, "pointer": event.pointer}
            return {"decision": Decision.REFUSED.value, **why}
    return {"decision": Decision.EXECUTED.value}
