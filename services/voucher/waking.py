"""The commands by which the sweep has the expiry of unused vouchers booked (rules 4.3.1)."""

from services.voucher.documents import SHAPES
from services.voucher.state import Voucher
from shared.decider import Document, Wake


def wake(stream: str, state: Document) -> Wake | None:
    """The command for a voucher whose snapshot says that its time has come; `decide` looks at it again."""
    if not stream.startswith("voucher/"):
        return None
    issued = SHAPES[Voucher].upgrade(state)["issued"]
    if issued is None:
        return None
    serial = issued["serialId"]
    return Wake("voucher.book_due.v1", issued.get("account", serial.upper()), {"serialId": serial})
