"""Post Transaction: programmes, vouchers and gift cards, processed as one, all or nothing (rules 4.2.1 to 4.2.4)."""

from datetime import datetime
from decimal import Decimal

from schemas.accounts import AccountState
from schemas.holds import HeldCredit
from schemas.movements import Purchased
from schemas.points import PostTransaction
from schemas.refusals import PointsRefusal
from schemas.transaction import Load, VoucherRedemption
from schemas.voucher_saga import BoughtVoucher, UsedVoucher
from services.points import credits as rules_of
from services.points.booking import Booking
from services.points.desk import Outcome, States, accepted, account_streams, desk, find
from services.points.earning_once import earned_programmes, receipt_loaded, receipt_streams, remembering, shop_missing
from services.points.holding import hold
from services.points.orders.identity import order_streams_of
from services.points.parties import pay_with
from services.points.state import ProgrammeRules
from services.points.streams import transaction_stream
from services.points.thresholds import too_often
from shared.calendar import local_date, unless_never
from shared.decider import Command, Rejected, Streams
from shared.money import from_minor
from shared.numbers import drawn_number


def transaction_streams(command: Command, payload: PostTransaction) -> Streams:
    """The account, and what it has of the transaction when it is held.

    When something is loaded for a receipt, the order of that number is read, which may have earned, and the load is
    remembered for an order that comes later.
    """
    store, receipt, parts = command.store, payload.context.receipt_nr, payload.loyalty_programs
    streams = account_streams(command)
    if receipt and any(part.loads for part in parts):
        shop = payload.context.shop_id
        loads = receipt_streams(command, payload.account_number, receipt, shop)
        streams = Streams((*streams.writes, *loads), (*streams.reads, *order_streams_of(store, receipt, shop)))
    if not _is_held(payload):
        return streams
    return Streams((*streams.writes, transaction_stream(store, command.id)), streams.reads)


def _is_held(payload: PostTransaction) -> bool:
    """Whether vouchers or gift cards take part, so that it is decided elsewhere."""
    return bool(payload.giftcards) or _has_vouchers(payload)


def _has_vouchers(payload: PostTransaction) -> bool:
    parts = payload.loyalty_programs
    return bool(payload.voucher_redemptions) or any(part.purchases or part.voucher_redemptions for part in parts)


def post_transaction(command: Command, payload: PostTransaction, states: States) -> Outcome:
    """Decide a transaction over all programmes: what is due, the loads, redemptions and purchases, then the vouchers.

    With vouchers or gift cards it is held, until they have decided.
    """
    booking = desk(command, payload.account_number, states, payload.context)
    if not isinstance(booking, Booking):
        return booking
    if booking.account.state is AccountState.SUSPENDED:
        return Rejected(PointsRefusal.ACCOUNT_SUSPENDED, "the account is suspended", "/accountNumber")
    programmes: list[ProgrammeRules] = []
    for index, part in enumerate(payload.loyalty_programs):
        name = part.loyalty_point_definition_id
        found = find(booking.catalogue, name, f"/loyaltyPrograms/{index}/loyaltyPointDefinitionId")
        if isinstance(found, Rejected):
            return found
        programmes.append(found)
    if refused := shop_missing(booking, payload, programmes):
        return refused
    due, earned = len(booking.events), earned_programmes(booking, payload, states)
    refused = _loads(booking, payload, programmes, earned) or _redemptions(booking, payload, programmes)
    if refused is not None:
        return refused
    if not _is_held(payload) and (refused := _too_often(booking, payload)):
        return refused
    loaded = receipt_loaded(booking, payload, programmes)
    if not _is_held(payload):
        return remembering(command, accepted(booking, programmes, payload.context.comment), loaded, states)
    bought = _purchases(booking, payload, programmes)
    if isinstance(bought, Rejected):
        return bought
    used = _voucher_redemptions(booking, payload)
    if isinstance(used, Rejected):
        return used
    if refused := _too_often(booking, payload):
        return refused
    loads = _held_loads(payload, programmes, command.now)
    found = states[transaction_stream(command.store, command.id)]
    cards = pay_with(booking, payload.giftcards)
    held = hold(booking, due, programmes, loads, bought, used, cards, payload.context.comment, found)
    return remembering(command, held, loaded, states)


def _loads(
    booking: Booking, payload: PostTransaction, programmes: list[ProgrammeRules], earned: set[str]
) -> Rejected | None:
    """`earned` are the programmes in which the order of the receipt has earned already (4.1.10)."""
    loaded: dict[str, int] = {}
    for index, (part, rules) in enumerate(zip(payload.loyalty_programs, programmes, strict=True)):
        for at, load in enumerate(part.loads):
            pointer = f"/loyaltyPrograms/{index}/loads/{at}"
            if load.value > 0 and rules.id in earned:
                detail = f"the order {payload.context.receipt_nr} has earned in {rules.id} already"
                return Rejected(PointsRefusal.ORDER_ALREADY_EARNS, detail, pointer)
            if refused := _load(booking, rules, load, loaded, pointer):
                return refused
            booking.operation += 1
    return None


def _too_often(booking: Booking, payload: PostTransaction) -> Rejected | None:
    """The bound on vouchers by thresholds; the programme's first load is what is wrong."""
    places: dict[str, str] = {}
    for index, part in enumerate(payload.loyalty_programs):
        if part.loads:
            places.setdefault(part.loyalty_point_definition_id, f"/loyaltyPrograms/{index}/loads/0")
    return too_often(booking, places)


def _load(booking: Booking, rules: ProgrammeRules, load: Load, loaded: dict[str, int], pointer: str) -> Rejected | None:
    """One load; `loaded` sums what the transaction loads in each programme."""
    amount = _amount(rules, load.value, pointer)
    if isinstance(amount, Rejected):
        return amount
    if amount == 0:
        return None
    if refused := rules_of.may_credit(booking, rules_of.declared(rules), pointer):
        return refused
    loaded[rules.id] = total = loaded.get(rules.id, 0) + amount
    if amount > rules.per_load or total > rules.per_transaction:
        one, all_of_them = (from_minor(limit, rules.scale) for limit in (rules.per_load, rules.per_transaction))
        detail = f"{rules.id} allows loads of {one:f} each, and {all_of_them:f} in one transaction"
        return Rejected(PointsRefusal.LOAD_LIMIT_EXCEEDED, detail, pointer)
    return rules_of.load(booking, rules, amount, load.balance_expires_at, load.account_expires_at, pointer)


def _redemptions(booking: Booking, payload: PostTransaction, programmes: list[ProgrammeRules]) -> Rejected | None:
    for index, (part, rules) in enumerate(zip(payload.loyalty_programs, programmes, strict=True)):
        for at, redemption in enumerate(part.redemptions):
            pointer = f"/loyaltyPrograms/{index}/redemptions/{at}"
            amount = _amount(rules, redemption.value, pointer)
            if isinstance(amount, Rejected):
                return amount
            if amount and (refused := _may_spend(booking, pointer) or rules_of.debit(booking, rules, amount, pointer)):
                return refused
            booking.operation += 1
    return None


def _purchases(
    booking: Booking, payload: PostTransaction, programmes: list[ProgrammeRules]
) -> list[BoughtVoucher] | Rejected:
    """Deduct the price of each voucher; its serial is derived from the command, so that a redelivery draws the same."""
    bought: list[BoughtVoucher] = []
    command = booking.command
    for index, (part, rules) in enumerate(zip(payload.loyalty_programs, programmes, strict=True)):
        for at, purchase in enumerate(part.purchases):
            pointer = f"/loyaltyPrograms/{index}/purchases/{at}"
            if refused := _may_spend(booking, pointer):
                return refused
            price = _price(rules, purchase.voucher_id, command.now, pointer)
            if isinstance(price, Rejected):
                return price
            if refused := rules_of.debit(booking, rules, price, pointer, Purchased):
                return refused
            bought.append(
                BoughtVoucher(
                    operation=booking.operation,
                    pointer=pointer,
                    programme=rules.id,
                    voucher_id=purchase.voucher_id,
                    serial_id=drawn_number(command.secret, command.id, pointer),
                    use=purchase.use,
                    valid_from=purchase.valid_from,
                    expires_at=purchase.expires_at,
                    cost=price,
                    scale=rules.scale,
                    unit=rules.unit,
                )
            )
            booking.operation += 1
    return bought


def _price(rules: ProgrammeRules, voucher: str, now: datetime, pointer: str) -> int | Rejected:
    """What a voucher costs in a programme that offers it now, in the smallest unit."""
    for offer in rules_of.declared(rules).purchases:
        begun = offer.from_ is None or offer.from_ <= now
        if offer.voucher_id == voucher and begun and (offer.until is None or now < offer.until):
            return rules_of.minor_units(offer.price, rules_of.declared(rules), pointer)
    detail = f"{rules.id} does not offer {voucher} now"
    return Rejected(PointsRefusal.VOUCHER_NOT_OFFERED, detail, f"{pointer}/voucherId")


def _voucher_redemptions(booking: Booking, payload: PostTransaction) -> list[UsedVoucher] | Rejected:
    """The vouchers that are named by their serials: first the programmes' own, then those of none."""
    named: list[tuple[str, str | None, VoucherRedemption]] = [
        (f"/loyaltyPrograms/{index}/voucherRedemptions/{at}", part.loyalty_point_definition_id, each)
        for index, part in enumerate(payload.loyalty_programs)
        for at, each in enumerate(part.voucher_redemptions)
    ]
    named += [(f"/voucherRedemptions/{at}", None, each) for at, each in enumerate(payload.voucher_redemptions)]
    used: list[UsedVoucher] = []
    for pointer, programme, each in named:
        if not each.void and (refused := _may_spend(booking, pointer)):
            return refused
        used.append(
            UsedVoucher(
                operation=booking.operation,
                pointer=pointer,
                programme=programme,
                serial_id=each.serial_id,
                void=each.void,
            )
        )
        booking.operation += 1
    return used


def _held_loads(payload: PostTransaction, programmes: list[ProgrammeRules], now: datetime) -> list[HeldCredit]:
    """The loads as they are to be booked when the transaction is executed; they were checked before."""
    loads: list[HeldCredit] = []
    operation = 0
    for part, rules in zip(payload.loyalty_programs, programmes, strict=True):
        programme = rules_of.declared(rules)
        for load in part.loads:
            amount = rules_of.minor_units(load.value, programme, "")
            if isinstance(amount, int) and amount:
                expires_at = unless_never(load.balance_expires_at)
                if load.balance_expires_at is None:
                    expires_at = rules_of.rule_expiry(programme, local_date(now, programme.zone))
                loads.append(
                    HeldCredit(
                        operation=operation,
                        programme=rules.id,
                        amount=amount,
                        expires_at=expires_at,
                        account_expires_at=load.account_expires_at,
                    )
                )
            operation += 1
    return loads


def _may_spend(booking: Booking, pointer: str) -> Rejected | None:
    if booking.account.state is AccountState.SPENDING_BLOCKED:
        return Rejected(PointsRefusal.ACCOUNT_SPENDING_BLOCKED, "the account may not spend", pointer)
    return None


def _amount(rules: ProgrammeRules, value: Decimal, pointer: str) -> int | Rejected:
    """A caller's amount of at least zero, in the smallest unit."""
    if value < 0:
        return Rejected(PointsRefusal.VALUE_NEGATIVE, "a value is zero or more", pointer)
    return rules_of.minor_units(value, rules_of.declared(rules), pointer)
