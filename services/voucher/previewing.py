"""What would become of a transaction's vouchers (rules 4.2.3)."""

from collections.abc import Mapping
from typing import Any

from services.voucher.state import Event
from shared.decider import Accepted, Command, Document


def preview_execution(_command: Command, _states: Mapping[str, Any], verdict: Accepted[Event]) -> Document:
    """The decision that the points service would be told: executed, or refused and why."""
    (told,) = verdict.follow_ups
    return told.payload
