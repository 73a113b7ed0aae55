"""The commands by which the sweep has the expiry of unused vouchers booked (RULES 4.3.1)."""

from services.voucher.state import aggregate_of
from shared.decider import Document, Wake


def wake(stream: str, state: Document) -> Wake | None:
    """The command for a voucher whose snapshot says that its time has come; `decide` looks at it again."""
    if not stream.startswith("voucher/") or state["issued"] is None:
        return None
    serial = aggregate_of(stream)
    return Wake("voucher.book_due.v1", state["issued"].get("account", serial), {"serialId": serial})
