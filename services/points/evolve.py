"""Folding events into states. What has happened is never questioned here; the rules are in `decide`."""

from typing import Any, assert_never

from schemas.accounts import (
    AccountClosing,
    AccountForwarded,
    AccountOpened,
    AccountState,
    AccountStateChanged,
    NumberAdded,
)
from schemas.holds import HoldEnded, HoldEvent, HoldPlaced
from schemas.joining import AccountJoining
from schemas.movements import (
    Activated,
    Adjusted,
    Booked,
    Deactivated,
    Dropped,
    Expired,
    ExpiringSoon,
    GivenBack,
    Held,
    Loaded,
    LotPart,
    Moved,
    Movement,
    Notice,
    Pended,
    Purchased,
    Redeemed,
    Released,
    Revoked,
    Scheduled,
    SpendCounted,
    ThresholdReached,
    Transferred,
    Unscheduled,
)
from schemas.order_numbers import OrderNumbersApplied
from schemas.orders import OrderEvent
from schemas.points import AccountNews, ProgrammeApplied, ReversalEvent
from schemas.receipts import ReceiptEvent
from schemas.tiers import TierChanged, TierPeriodStarted
from schemas.waiting_inputs import (
    AccountNumbersApplied,
    AccountUnknown,
    InputNews,
    InputsReleased,
    NumberKnown,
)
from services.points import lots as lot_rules
from services.points.held import Hold, evolve_hold
from services.points.orders.evolve import evolve_order
from services.points.orders.state import Order
from services.points.receipts import Receipt, evolve_receipt
from services.points.reversals import Reversals, evolve_reversals
from services.points.standings import evolve_tier
from services.points.state import (
    Account,
    AccountEvent,
    Balance,
    Catalogue,
    CatalogueEvent,
    Event,
    Lot,
    ProgrammeRules,
    State,
)


def evolve(state: State, event: Event) -> State:
    """The state after `event`.

    :raises TypeError: when the event is of another kind of stream.
    """
    if isinstance(state, Account) and (isinstance(event, Booked) or isinstance(event, AccountNews)):  # noqa: SIM101 - most are Booked
        return evolve_account(state, event)
    if isinstance(state, Order) and isinstance(event, OrderEvent):
        return evolve_order(state, event)
    if isinstance(state, Reversals) and isinstance(event, ReversalEvent):
        return evolve_reversals(state, event)
    if isinstance(state, Hold) and isinstance(event, HoldEvent):
        return evolve_hold(state, event)
    if isinstance(state, Receipt) and isinstance(event, ReceiptEvent):
        return evolve_receipt(state, event)
    if isinstance(state, ProgrammeRules) and isinstance(event, ProgrammeApplied):
        return ProgrammeRules.of(event.programme, event.version)
    if isinstance(state, Catalogue) and isinstance(event, CatalogueEvent):
        return _evolve_catalogue(state, event)
    raise TypeError(f"{event.type} does not belong to a {type(state).__name__}")


def evolve_account(account: Account, event: AccountEvent) -> Account:
    """The account after `event`."""
    match event:
        case Loaded() | Redeemed() | Expired() | Adjusted() | Activated() | Revoked() | GivenBack():
            return _booked(account, event, event.sequence)
        case Pended() | Dropped() | Deactivated() | Purchased() | ThresholdReached() | Transferred():
            return _booked(account, event, event.sequence)
        case Scheduled() | Unscheduled() | ExpiringSoon() | SpendCounted() | Held() | Released():
            return _booked(account, event, account.sequence)
        case AccountOpened():
            return account._replace(account_number=event.account_number, booked_at=event.booked_at)
        case AccountStateChanged() | AccountClosing() | AccountJoining():
            return _evolve_state(account, event)
        case NumberAdded():
            return account._replace(numbers=(*account.numbers, event.number), booked_at=event.booked_at)
        case AccountForwarded():
            led = account._replace(tiers={}, joins=None, booked_at=event.booked_at)
            return led._replace(account_number=event.account_number, forwards_to=event.forwards_to)
        case AccountUnknown() | NumberKnown() | InputsReleased():
            return _evolve_inputs(account, event)
        case TierPeriodStarted() | TierChanged():
            return evolve_tier(account, event)
        case HoldPlaced():
            return account._replace(holds=(*account.holds, event.transaction_id), booked_at=event.booked_at)
        case HoldEnded():
            left = tuple(each for each in account.holds if each != event.transaction_id)
            return account._replace(holds=left, booked_at=event.booked_at)
        case _:
            assert_never(event)


def _evolve_state(account: Account, event: AccountStateChanged | AccountClosing | AccountJoining) -> Account:
    if isinstance(event, AccountJoining):
        return account._replace(joins=event.to, booked_at=event.booked_at)
    if isinstance(event, AccountClosing):
        return account._replace(closes=event.reason, booked_at=event.booked_at)
    closes = event.reason if event.final else account.closes
    return account._replace(state=AccountState(event.to), closes=closes, booked_at=event.booked_at)


def _evolve_inputs(account: Account, event: InputNews) -> Account:
    match event:
        case AccountUnknown():
            return account._replace(waiting=(*account.waiting, event.command_id), booked_at=event.booked_at)
        case NumberKnown():
            return account._replace(known=True, booked_at=event.booked_at)
        case InputsReleased():
            left = tuple(each for each in account.waiting if each not in event.commands)
            return account._replace(waiting=left, booked_at=event.booked_at)
        case _:
            assert_never(event)


def _booked(account: Account, event: Notice | Movement, sequence: int) -> Account:
    balance = account.balances.get(event.programme)
    if balance is None:
        balance = Balance(event.programme, event.programme_version, event.scale)
    balances = {**account.balances, event.programme: _after(balance, event)}
    return Account(
        account.account,
        account.account_number,
        sequence,
        event.booked_at,
        balances,
        account.state,
        account.numbers,
        account.forwards_to,
        account.tiers,
        account.holds,
        account.known,
        account.waiting,
        account.closes,
        account.joins,
    )


_FIELD = {name: index for index, name in enumerate(Balance._fields)}
_VERSION, _SCALE, _BOOKED = _FIELD["programme_version"], _FIELD["scale"], _FIELD["booked"]
_NEXT_LOT, _LOTS, _SCHEDULED = _FIELD["next_lot"], _FIELD["lots"], _FIELD["scheduled"]
_CLOSING, _PENDING, _DEBT = _FIELD["account_expires_at"], _FIELD["pending"], _FIELD["debt"]
_HELD = _FIELD["held"]
_SPENT, _NOTICE_DAYS, _NOTICED_UNTIL = _FIELD["spent"], _FIELD["notice_days"], _FIELD["noticed_until"]
_EARNED, _UP, _DOWN = _FIELD["earned"], _FIELD["adjusted_up"], _FIELD["adjusted_down"]

_COUNTERS: dict[type, tuple[int, int]] = {
    Loaded: (_EARNED, 1),
    Deactivated: (_EARNED, 1),
    Redeemed: (_FIELD["redeemed"], -1),
    Purchased: (_FIELD["redeemed"], -1),
    ThresholdReached: (_FIELD["redeemed"], -1),
    Expired: (_FIELD["expired"], -1),
    Revoked: (_FIELD["revoked"], -1),
    GivenBack: (_FIELD["given_back"], 1),
}
"""In which counter a movement's `delta` counts, and with which sign; corrections and activations have several."""


def _after(balance: Balance, event: Notice | Movement) -> Balance:
    """The balance after one booking, field by field: of all that is made anew here, this is made most often."""
    fields: list[Any] = [*balance]
    fields[_LOTS], fields[_SCHEDULED], fields[_NEXT_LOT] = _lots_after(balance, event)
    fields[_VERSION], fields[_SCALE] = event.programme_version, event.scale
    fields[_CLOSING], fields[_NOTICE_DAYS] = event.account_expires_at, event.notice_days
    if isinstance(event, Moved):
        delta = event.delta
        fields[_BOOKED] += delta
        fields[_PENDING] += event.pending_delta
        if event.debt_delta is not None:
            fields[_DEBT] += event.debt_delta
        counter, sign = _COUNTERS.get(type(event)) or _counter(event)
        fields[counter] += sign * delta
    elif isinstance(event, ExpiringSoon):
        fields[_NOTICED_UNTIL] = event.expires_at
    elif isinstance(event, SpendCounted):
        fields[_SPENT] += event.amount
    elif isinstance(event, Held):
        fields[_HELD] += event.amount
    elif isinstance(event, Released):
        fields[_HELD] -= event.amount
        fields[_DEBT] += event.debt_delta or 0
    return Balance._make(fields)


def _counter(event: Moved) -> tuple[int, int]:
    """What a correction counts as by its sign; an order's activation is earned, one by time a correction upwards."""
    if isinstance(event, Activated):
        return (_EARNED if event.pending_delta else _UP), 1
    return (_UP, 1) if event.delta >= 0 else (_DOWN, -1)


def _lots_after(balance: Balance, event: Notice | Movement) -> tuple[lot_rules.Lots, lot_rules.Lots, int]:
    """The lots, those to come, and the next free id; an order's activation is a credit like a load."""
    lots, scheduled, next_lot = balance.lots, balance.scheduled, balance.next_lot
    match event:
        case Loaded() | GivenBack() | Released():
            return _put(lots, scheduled, next_lot, event.lots)
        case Redeemed() | Purchased() | ThresholdReached() | Expired() | Revoked() | Deactivated() | Held():
            return lot_rules.take_out(lots, event.lots), scheduled, next_lot
        case Adjusted() | Transferred():
            if event.delta > 0:
                return _put(lots, scheduled, next_lot, event.lots)
            return lot_rules.take_out(lots, event.lots), scheduled, next_lot
        case Activated():
            if event.pending_delta:
                return _put(lots, scheduled, next_lot, event.lots)
            (part,) = event.lots
            return *lot_rules.activate(lots, scheduled, part.lot, part.amount), next_lot
        case Scheduled():
            lot = _lot(event.lots[0])
            return lots, lot_rules.schedule(scheduled, lot), max(next_lot, lot.id + 1)
        case Unscheduled():
            return lots, lot_rules.take_out(scheduled, event.lots), next_lot
        case Pended() | Dropped() | ExpiringSoon() | SpendCounted():
            return lots, scheduled, next_lot
        case _:
            assert_never(event)


def _put(
    lots: lot_rules.Lots, scheduled: lot_rules.Lots, next_lot: int, parts: tuple[LotPart, ...]
) -> tuple[lot_rules.Lots, lot_rules.Lots, int]:
    """What is put in, into its lots; nothing at all when a debt took it."""
    for part in parts:
        lots, next_lot = lot_rules.place(lots, _lot(part)), max(next_lot, part.lot + 1)
    return lots, scheduled, next_lot


def _lot(part: LotPart) -> Lot:
    return Lot(part.lot, part.amount, part.expires_at, part.active_from, part.restriction, part.campaign)


def _evolve_catalogue(catalogue: Catalogue, event: CatalogueEvent) -> Catalogue:
    if isinstance(event, ProgrammeApplied):
        rules = ProgrammeRules.of(event.programme, event.version)
        return catalogue._replace(programmes={**catalogue.programmes, rules.id: rules})
    if isinstance(event, AccountNumbersApplied):
        return catalogue._replace(account_numbers=event.patterns, account_numbers_version=event.version)
    if isinstance(event, OrderNumbersApplied):
        return catalogue._replace(order_numbers=event.unique_per, order_numbers_version=event.version)
    name = event.tier_set.id
    tier_sets = {**catalogue.tier_sets, name: event.tier_set}
    return catalogue._replace(tier_sets=tier_sets, versions={**catalogue.versions, name: event.version})
