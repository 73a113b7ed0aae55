"""The desk at which a command's vouchers lie: their states as the command leaves them, and what it books."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, assert_never

from schemas.movements import Source
from schemas.transaction import Context
from schemas.vouchers import (
    VoucherExpired,
    VoucherIssued,
    VoucherRedeemed,
    VoucherRefusal,
    VoucherRestored,
    VoucherState,
    VoucherVoided,
)
from services.voucher.evolve import evolve_voucher
from services.voucher.state import (
    Definition,
    Event,
    LifeEvent,
    Voucher,
    definition_stream,
    streams_of_serial,
    voucher_stream,
)
from shared.decider import Accepted, Command, Rejected

States = Mapping[str, Any]
"""What `decide` may look at, by stream."""

Outcome = Accepted[Event] | Rejected

NO_SOURCE = Source()


class Desk:
    """Books on vouchers in order and folds what it books, so that each operation sees those before it.

    `transaction_id` and `reason` stand in all that it books; `operation` is given with each.
    """

    def __init__(
        self,
        command: Command,
        states: States,
        transaction_id: str,
        source: Source = NO_SOURCE,
        occurred_at: datetime | None = None,
        reason: str | None = None,
    ) -> None:
        self.now = command.now
        self.transaction_id = transaction_id
        self.events: list[tuple[str, Event]] = []
        self.states: dict[str, Voucher] = {}
        self._store = command.store
        self._given = states
        self._said = {
            "source": source,
            "occurred_at": occurred_at or command.now,
            "reason": reason,
        }

    def voucher(self, serial_id: str) -> Voucher:
        """The voucher as it is now, on this desk, whatever the case in which its serial is written."""
        return self._find(serial_id)[1]

    def _find(self, serial_id: str) -> tuple[str, Voucher]:
        """The stream of a serial's voucher, and the voucher; or the stream on which it would be issued.

        Of a voucher that is found, the serial may be written otherwise than the command does, whose streams are here.
        """
        for stream in streams_of_serial(self._store, serial_id):
            found = self.states.get(stream) or self._given.get(stream)
            if isinstance(found, Voucher) and found.issued is not None:
                return stream, found
        new = voucher_stream(self._store, serial_id)
        found = self._given[new]
        if not isinstance(found, Voucher):
            raise TypeError(f"{new} holds no voucher")
        return new, found

    def definition(self, code: str) -> Definition:
        """The definition as it is declared now."""
        found = self._given[definition_stream(self._store, code)]
        if not isinstance(found, Definition):
            raise TypeError(f"{code} is no definition")
        return found

    def issue(self, serial_id: str, operation: int, **fields: Any) -> Voucher:
        """Issue it; `fields` are those of the event that are not the same in everything a command books."""
        event = VoucherIssued(
            serial_id=serial_id,
            sequence=self.voucher(serial_id).sequence + 1,
            transaction_id=self.transaction_id,
            operation=operation,
            booked_at=self.now,
            **self._said,
            **fields,
        )
        return self._book(event)

    def redeem(self, serial_id: str, operation: int, account: str) -> Voucher:
        """Redeem it for `account`."""
        return self._book(VoucherRedeemed(**self._common(serial_id, operation), redeemed_by=account))

    def void(self, serial_id: str, operation: int) -> Voucher:
        """Void it."""
        return self._book(VoucherVoided(**self._common(serial_id, operation)))

    def restore(self, serial_id: str, operation: int, expires_at: datetime | None) -> Voucher:
        """Make it usable again, until `expires_at`."""
        return self._book(VoucherRestored(**self._common(serial_id, operation), expires_at=expires_at))

    def book_due(self, serial_id: str) -> Voucher:
        """Book its expiry if its time has come; it occurred then."""
        voucher = self.voucher(serial_id)
        if not voucher.is_due(self.now):
            return voucher
        due: dict[str, Any] = {"source": NO_SOURCE, "reason": None, "occurred_at": voucher.expires_at}
        return self._book(VoucherExpired(**{**self._common(serial_id, -1), **due}))

    def _common(self, serial_id: str, operation: int) -> dict[str, Any]:
        voucher = self.voucher(serial_id)
        issued = pinned(voucher)
        return {
            "serial_id": issued.serial_id,
            "sequence": voucher.sequence + 1,
            "voucher_id": issued.voucher_id,
            "programme": issued.programme,
            "account": issued.account,
            "account_number": issued.account_number,
            "transaction_id": self.transaction_id,
            "operation": operation,
            "booked_at": self.now,
            **self._said,
        }

    def _book(self, event: LifeEvent) -> Voucher:
        stream, before = self._find(event.serial_id)
        voucher = self.states[stream] = evolve_voucher(before, event)
        self.events.append((stream, event))
        return voucher


def pinned(voucher: Voucher) -> VoucherIssued:
    """What the voucher was issued with.

    :raises TypeError: when it was never issued.
    """
    if voucher.issued is None:
        raise TypeError(f"{voucher.serial_id} was never issued")
    return voucher.issued


def unusable(voucher: Voucher, now: datetime, accounts: Collection[str] | None, pointer: str) -> Rejected | None:
    """Why nobody, or none of `accounts`, can use or void the voucher, in the order of rules 4.3.3.

    None of `accounts` given is somebody who may do all. A voucher that was issued to bearer is everybody's.
    """
    issued = voucher.issued
    if issued is None:
        return Rejected(VoucherRefusal.VOUCHER_UNKNOWN, "there is no voucher with this serial", pointer)
    if accounts is not None and issued.account is not None and issued.account not in accounts:
        return Rejected(VoucherRefusal.VOUCHER_FOREIGN, "the voucher belongs to another account", pointer)
    match state := voucher.state_at(now):
        case VoucherState.ISSUED:
            return None
        case VoucherState.VOID:
            return Rejected(VoucherRefusal.VOUCHER_VOID, "the voucher was made void", pointer)
        case VoucherState.REDEEMED:
            return Rejected(VoucherRefusal.VOUCHER_REDEEMED, "the voucher has been redeemed already", pointer)
        case VoucherState.EXPIRED:
            return Rejected(VoucherRefusal.VOUCHER_EXPIRED, "the voucher has expired", pointer)
        case _:
            assert_never(state)


def source_of(context: Context) -> Source:
    """Where a command by hand comes from, in the words of its context."""
    return Source(receipt=context.receipt_nr, shop=context.shop_id, till=context.pos_id, operator=context.operator_id)
