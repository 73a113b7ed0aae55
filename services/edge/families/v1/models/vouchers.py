"""Models of vouchers, and of the bodies that issue and void them."""

from schemas.base import Instant, Published, Wire
from schemas.movements import Unit
from schemas.text import Key, Reason
from schemas.transaction import Context
from schemas.voucher_benefit import Worth
from schemas.voucher_definition import Descriptions, Titles
from services.edge.http.models import InstantText, Number


class VoucherIssue(Wire):
    """A voucher to issue: to the account of a number, or without one to bearer; a serial that is not given is drawn."""

    voucher_id: Key
    serial_id: Key | None = None
    account_number: Key | None = None
    valid_from: Instant | None = None
    expires_at: Instant | None = None
    reason: Reason
    context: Context = Context()


class VoucherVoid(Wire):
    """Why a voucher shall never be used."""

    reason: Reason
    context: Context = Context()


class VoucherAnswer(Published):
    """A voucher. `account` owns it, null is the bearer; `cost`, in `unit`, was paid in the programme `paidIn`."""

    serial_id: str
    voucher_id: str
    programme: str | None
    account: str | None
    account_number: str | None
    state: str
    titles: Titles
    descriptions: Descriptions
    default_language: str
    valid_from: InstantText
    valid_until: InstantText | None
    cost: Number
    unit: Unit | None
    paid_in: str | None
    transaction_id: str
    redeemed_in: str | None
    redeemed_by: str | None
    issued_at: InstantText
    changed_at: InstantText
    benefit: Worth
