"""A voucher's life as `voucher.changes` tells it."""

from collections.abc import Sequence

from schemas.vouchers import VoucherChanged
from services.voucher.state import Voucher


def assert_chain(changes: Sequence[VoucherChanged], voucher: Voucher) -> None:
    """Whether the changes of a voucher are each step of its life, once and in order, up to what it is now."""
    assert [change.sequence for change in changes] == [*range(1, voucher.sequence + 1)]
    state, until, user = None, None, None
    for change in changes:
        assert change.from_ == state, "a step that does not begin where the last one ended"
        state, user = change.to, change.redeemed_by
        if change.kind in ("issue", "restore"):
            until = change.valid_until
    if voucher.issued is None:
        assert not changes
        return
    assert (state, until, user) == (voucher.state, voucher.expires_at, voucher.redeemed_by)
    assert (changes[-1].account, changes[-1].booked_at) == (voucher.issued.account, voucher.changed_at)
