"""What the voucher service remembers: definitions, vouchers, and what was decided on transactions (rules 4.3).

Times are UTC instants. All values are frozen.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from schemas.serials import stream_names
from schemas.voucher_definition import VoucherDefinition
from schemas.voucher_events import VoucherExpired, VoucherIssued, VoucherRedeemed, VoucherRestored, VoucherVoided
from schemas.vouchers import (
    ReversalExecuted,
    ReversalRefused,
    TransactionCancelled,
    TransactionExecuted,
    TransactionRefused,
    VoucherEvent,
    VoucherState,
)

LifeEvent = VoucherIssued | VoucherRedeemed | VoucherVoided | VoucherExpired | VoucherRestored
DecisionEvent = TransactionExecuted | TransactionRefused | TransactionCancelled | ReversalExecuted | ReversalRefused
Event = VoucherEvent


class Definition(NamedTuple):
    """A definition as it is now; `version` is 0 and `definition` None as long as it is not declared."""

    code: str
    definition: VoucherDefinition | None = None
    version: int = 0


class Voucher(NamedTuple):
    """A voucher; `issued` is what was pinned when it was issued, and None as long as it was not.

    `serial_id` is the serial as it was written when it was issued; before, the name of its stream.

    `state` is the one that was booked; :meth:`state_at` also knows the time. `expires_at` is later than what was
    pinned when a reversal has made it usable again. `redeemed_in` and `redeemed_by` are the transaction and the account
    that used it, while it is redeemed. `sequence` is how many things have happened to it.
    """

    serial_id: str
    issued: VoucherIssued | None = None
    state: VoucherState = VoucherState.ISSUED
    expires_at: datetime | None = None
    changed_at: datetime | None = None
    redeemed_in: str | None = None
    redeemed_by: str | None = None
    sequence: int = 0

    def state_at(self, now: datetime) -> VoucherState:
        """The state at `now`, booked or not: from `expires_at` on what was not used is expired."""
        return VoucherState.EXPIRED if self.is_due(now) else self.state

    def is_due(self, now: datetime) -> bool:
        """Whether its expiry is to be booked."""
        return (
            self.issued is not None
            and self.state is VoucherState.ISSUED
            and self.expires_at is not None
            and now >= self.expires_at
        )


class Pivot(NamedTuple):
    """What was decided on the transaction or reversal `id`; None as long as nothing was. It never changes after."""

    id: str
    decision: DecisionEvent | None = None


State = Definition | Voucher | Pivot


def definition_stream(store: str, code: str) -> str:
    """The stream of a definition."""
    return f"definition/{store}/{code}"


def voucher_stream(store: str, serial_id: str) -> str:
    """The stream of a voucher that is issued from now on: serials compare without case."""
    return f"voucher/{store}/{serial_id.upper()}"


def streams_of_serial(store: str, serial_id: str) -> tuple[str, ...]:
    """The streams on which a serial's voucher may be, in the order in which it is looked for."""
    return tuple([f"voucher/{store}/{name}" for name in stream_names(serial_id)])


def voucher_streams(store: str, *serials: Iterable[str]) -> tuple[str, ...]:
    """The streams on which the vouchers of several serials may be, each once."""
    return tuple(dict.fromkeys(chain(*(streams_of_serial(store, serial) for serial in chain(*serials)))))


def transaction_stream(store: str, transaction: str) -> str:
    """The stream of what was decided on a transaction, or on a reversal."""
    return f"transaction/{store}/{transaction}"


_INITIAL: dict[str, Callable[[str], State]] = {"definition": Definition, "voucher": Voucher, "transaction": Pivot}


def initial(stream: str) -> State:
    """The state of a stream that nothing has happened on yet.

    :raises ValueError: when the name is that of no stream of this service.
    """
    make = _INITIAL.get(stream.partition("/")[0])
    if make is None:
        raise ValueError(f"{stream} is no stream of the voucher service")
    return make(aggregate_of(stream))


def aggregate_of(stream: str) -> str:
    """The code, serial or id of what a stream is of."""
    return stream.split("/", 2)[2]
