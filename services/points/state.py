"""What the points service remembers: accounts with a balance per programme, programmes, the catalogue (rules 4.1).

Amounts are whole numbers of the programme's smallest unit; times are UTC instants. All values are frozen;
those that every booking makes anew are named tuples, which cost a quarter of a frozen dataclass.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from math import ceil
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote

from schemas.accounts import AccountState
from schemas.movements import Movement, Notice
from schemas.order_numbers import UniquePer
from schemas.points import AccountNews, CatalogueNews, PointsEvent, ProgrammeApplied
from schemas.programme import LOAD_MAX, Programme
from schemas.tiers import TierSet
from services.points.held import Hold
from services.points.orders.state import Order
from services.points.receipts import Receipt
from services.points.reversals import Reversals
from services.points.streams import aggregate_of

LOTS_MAX = 2_000
"""The lots that one account may have, active and future-dated, over all its programmes (4.1.4).

Only what is owed goes beyond, into a lot that expires later than all others (`credits.owed_lot`).
"""

CREDITED_MAX = 2**52 - 1
"""The most that commands may bring what was ever credited to a balance to.

What open transactions and reversals credit when they are closed comes to as much again at most (`closing.HELD_MAX`),
so that every amount and counter stays below 2^53 and is exact in every JSON reader.
"""

AccountEvent = AccountNews | Notice | Movement


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
    counters run over the balance's whole life: booked = Σ lots + held − debt = earned + adjusted_up + given_back −
    redeemed − expired − adjusted_down − revoked (4.1.7). `held` was taken out of lots for open transactions; the price
    of a voucher counts as redeemed. `programme_version` and `notice_days` are those that the last booking used; lots
    that expire at `noticed_until` or before were announced. `spent` is money, for tiers by spend.
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
    pending: int = 0
    debt: int = 0
    revoked: int = 0
    given_back: int = 0
    spent: int = 0
    notice_days: int | None = None
    held: int = 0
    noticed_until: datetime | None = None

    @property
    def spendable(self) -> int:
        """What may be spent: what is active less what is owed."""
        return self.booked - self.held


class Standing(NamedTuple):
    """An account's place in a tier set (4.1.12).

    `bases` are what the measure counts from: what it had come to at the starts of the period's months (rolling) or of
    the period, and zero by balance; `floor` is the code of who has nothing. `anchor` is the start of the first period;
    `down_at` is when `code` is lost for the better of `down_to` and what the period at hand has earned by then. While
    `code` is pinned, `down_to` is what the account would have without the pin.
    """

    tier_set: str
    programme: str
    basis: str
    anchor: datetime
    scale: int = 0
    code: str | None = None
    since: datetime | None = None
    pinned: bool = False
    bases: tuple[int, ...] = (0,)
    floor: str | None = None
    ends_at: datetime | None = None
    down_at: datetime | None = None
    down_to: str | None = None


class Account(NamedTuple):
    """An account with all its programmes, in the order of their first booking.

    `account_number` is None until the first credit opens it; `sequence` counts its movements. `numbers` lead here
    besides; an account that itself leads to another has that one's id in `forwards_to`, and nothing else. `holds` are
    the ids of its open transactions. `waiting` are the ids of inputs that may not open it, until it is `known`.
    `closes` is why it is closed for good, or will be when nothing on it is open any more; it takes nothing new.
    `joins` is the id of the account that it gives all to as soon as nothing on it is open.
    """

    account: str
    account_number: str | None = None
    sequence: int = 0
    booked_at: datetime | None = None
    balances: Mapping[str, Balance] = MappingProxyType({})
    state: AccountState = AccountState.ACTIVE
    numbers: tuple[str, ...] = ()
    forwards_to: str | None = None
    tiers: Mapping[str, Standing] = MappingProxyType({})
    holds: tuple[str, ...] = ()
    known: bool = False
    waiting: tuple[str, ...] = ()
    closes: str | None = None
    joins: str | None = None

    @property
    def is_closed(self) -> bool:
        """Whether it takes no credits, debits and orders any more."""
        return self.state is AccountState.CLOSED or self.closes is not None


@dataclass(frozen=True, slots=True)
class ProgrammeRules:
    """A programme's current rules; `version` is 0 and `programme` None as long as it is not declared.

    `per_load` and `per_transaction` are the load limits in the smallest unit, rounded down.
    `threshold` is what becomes a voucher by itself, in the smallest unit, rounded up; None is none.
    """

    id: str
    programme: Programme | None = None
    version: int = 0
    per_load: int = 0
    per_transaction: int = 0
    threshold: int | None = None

    @classmethod
    def of(cls, programme: Programme, version: int) -> "ProgrammeRules":
        """The rules as `programme` states them."""
        limits = programme.load_limits
        per_load = Decimal(LOAD_MAX) if limits.per_load is None else limits.per_load
        per_transaction = limits.per_transaction
        if per_transaction is None:
            per_transaction = max(per_load, Decimal(LOAD_MAX))
        return cls(
            programme.id,
            programme,
            version,
            _floor(per_load, programme.scale),
            _floor(per_transaction, programme.scale),
            _threshold(programme),
        )

    @property
    def scale(self) -> int:
        """The digits after the point of the programme's amounts."""
        return 0 if self.programme is None else self.programme.scale

    @property
    def unit(self) -> str | None:
        """What the programme's amounts count."""
        return None if self.programme is None else self.programme.unit


class Catalogue(NamedTuple):
    """What deciding must know of the store as a whole: every programme that orders ever earned in, and the tier sets.

    Commands about orders cannot name these programmes beforehand, and every command on an account may move a tier.
    """

    id: str
    programmes: Mapping[str, ProgrammeRules] = MappingProxyType({})
    tier_sets: Mapping[str, TierSet] = MappingProxyType({})
    versions: Mapping[str, int] = MappingProxyType({})
    account_numbers: tuple[str, ...] = ()
    account_numbers_version: int = 0
    order_numbers: UniquePer = "store"
    order_numbers_version: int = 0


State = Account | ProgrammeRules | Catalogue | Order | Reversals | Hold | Receipt
Event = PointsEvent
CatalogueEvent = ProgrammeApplied | CatalogueNews


_unquoted = lru_cache(maxsize=1024)(unquote)


def _shop_order(aggregate: str) -> Order:
    shop, _, number = aggregate.partition("/")
    return Order(number, shop=_unquoted(shop))


_INITIAL: dict[str, Callable[[str], State]] = {
    "account": Account,
    "programme": ProgrammeRules,
    "catalogue": Catalogue,
    "order": Order,
    "shop-order": _shop_order,
    "receipt": Receipt,
    "shop-receipt": Receipt,
    "reversals": Reversals,
    "transaction": Hold,
}


def initial(stream: str) -> State:
    """The state of a stream that nothing has happened on yet.

    :raises ValueError: when the name is that of no stream of this service.
    """
    make = _INITIAL.get(stream.partition("/")[0])
    if make is None:
        raise ValueError(f"{stream} is no stream of the points service")
    return make(aggregate_of(stream))


def _floor(limit: Decimal, scale: int) -> int:
    return int(limit.scaleb(scale))


def _threshold(programme: Programme) -> int | None:
    threshold = programme.issue_immediate_threshold
    return None if threshold is None else ceil(threshold.value.scaleb(programme.scale))
