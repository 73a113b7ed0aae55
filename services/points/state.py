"""What the points service remembers: accounts with a balance per programme, and programmes (RULES 4.1.1 to 4.1.7).

Amounts are whole numbers of the programme's smallest unit; times are UTC instants. All values are frozen;
those that every booking makes anew are named tuples, which cost a quarter of a frozen dataclass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from schemas.points import AccountOpened, Movement, PointsEvent, ProgrammeApplied, Scheduled
from schemas.programme import Programme

LOTS_MAX = 2_000
"""The lots that one account may have, active and future-dated, over all its programmes (4.1.4)."""

CREDITED_MAX = 2**53 - 1
"""The most that may ever be credited to a balance, so that every amount and counter is exact in every JSON reader."""

AccountEvent = AccountOpened | Scheduled | Movement


class Lot(NamedTuple):
    """What remains of credits that are equal in all but their amount. `id` is unique in the balance, older is lower.

    `active_from` is None once it is active; `expires_at` None means never.
    """

    id: int
    amount: int
    expires_at: datetime | None = None
    active_from: datetime | None = None
    restriction: str | None = None
    campaign: str | None = None


class Balance(NamedTuple):
    """One programme of an account.

    `lots` are active and in spending order, `scheduled` are future-dated and in the order of their activation. The
    counters run over the balance's whole life: booked = Σ lots = earned + adjusted_up − redeemed − expired −
    adjusted_down (4.1.7). `programme_version` is the one that the last booking used.
    """

    programme: str
    programme_version: int
    scale: int
    booked: int = 0
    earned: int = 0
    redeemed: int = 0
    expired: int = 0
    adjusted_up: int = 0
    adjusted_down: int = 0
    next_lot: int = 1
    lots: tuple[Lot, ...] = ()
    scheduled: tuple[Lot, ...] = ()
    account_expires_at: datetime | None = None


class Account(NamedTuple):
    """An account with all its programmes, in the order of their first booking.

    `account_number` is None until the first credit opens it; `sequence` counts its movements.
    """

    account: str
    account_number: str | None = None
    sequence: int = 0
    booked_at: datetime | None = None
    balances: Mapping[str, Balance] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ProgrammeRules:
    """A programme's current rules; `version` is 0 and `programme` None as long as it is not declared.

    `per_load` and `per_transaction` are the load limits in the smallest unit, rounded down; None is no limit.
    """

    id: str
    programme: Programme | None = None
    version: int = 0
    per_load: int | None = None
    per_transaction: int | None = None

    @classmethod
    def of(cls, programme: Programme, version: int) -> "ProgrammeRules":
        """The rules as `programme` states them."""
        limits = programme.load_limits
        return cls(
            programme.id,
            programme,
            version,
            _floor(limits.per_load, programme.scale),
            _floor(limits.per_transaction, programme.scale),
        )


State = Account | ProgrammeRules
Event = PointsEvent
ProgrammeEvent = ProgrammeApplied


def account_stream(store: str, account: str) -> str:
    """The stream of an account."""
    return f"account/{store}/{account}"


def programme_stream(store: str, programme: str) -> str:
    """The stream of a programme, whose id may itself contain slashes."""
    return f"programme/{store}/{programme}"


def initial(stream: str) -> State:
    """The state of a stream that nothing has happened on yet.

    :raises ValueError: when the name is that of no stream of this service.
    """
    if stream.startswith("account/"):
        return Account(aggregate_of(stream))
    if stream.startswith("programme/"):
        return ProgrammeRules(aggregate_of(stream))
    raise ValueError(f"{stream} is no stream of the points service")


def aggregate_of(stream: str) -> str:
    """The id of the account or programme that a stream is of."""
    return stream.split("/", 2)[2]


def _floor(limit: Decimal | None, scale: int) -> int | None:
    return None if limit is None else int(limit.scaleb(scale))
