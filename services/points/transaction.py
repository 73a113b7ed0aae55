"""Post Transaction: several programmes, processed as one, all or nothing (RULES 4.2.1, 4.2.3, 4.2.4)."""

from decimal import Decimal

from schemas.accounts import AccountState
from schemas.points import PostTransaction
from schemas.refusals import PointsRefusal
from schemas.transaction import Load
from services.points import credits as rules_of
from services.points.booking import Booking
from services.points.desk import Outcome, States, accepted, account_streams, desk, find
from services.points.state import ProgrammeRules, order_stream
from shared.decider import Command, Rejected, Streams


def transaction_streams(command: Command, payload: PostTransaction) -> Streams:
    """The account; and when something is loaded for a receipt, the order of that number, which may have earned."""
    receipt = payload.context.receipt_nr
    if receipt and any(part.loads for part in payload.loyalty_programs):
        return account_streams(command, order_stream(command.store, receipt))
    return account_streams(command)


def post_transaction(command: Command, payload: PostTransaction, states: States) -> Outcome:
    """Decide a transaction: what is due, then the loads, then the redemptions, over all programmes."""
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
    receipt = payload.context.receipt_nr
    order = states.get(order_stream(command.store, receipt)) if receipt else None
    earned = {award.programme for award in order.awards.values() if award.awarded} if order is not None else set()
    refused = (
        _loads(booking, payload, programmes, earned) or _redemptions(booking, payload, programmes) or _vouchers(payload)
    )
    if refused is not None:
        return refused
    return accepted(booking, programmes, payload.context.comment)


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
    if (rules.per_load is not None and amount > rules.per_load) or (
        rules.per_transaction is not None and total > rules.per_transaction
    ):
        detail = f"more than {rules.id} allows to load at once"
        return Rejected(PointsRefusal.LOAD_LIMIT_EXCEEDED, detail, pointer)
    return rules_of.load(booking, rules, amount, load.balance_expires_at, load.account_expires_at, pointer)


def _redemptions(booking: Booking, payload: PostTransaction, programmes: list[ProgrammeRules]) -> Rejected | None:
    for index, (part, rules) in enumerate(zip(payload.loyalty_programs, programmes, strict=True)):
        for at, redemption in enumerate(part.redemptions):
            pointer = f"/loyaltyPrograms/{index}/redemptions/{at}"
            amount = _amount(rules, redemption.value, pointer)
            if isinstance(amount, Rejected):
                return amount
            if amount and booking.account.state is AccountState.SPENDING_BLOCKED:
                return Rejected(PointsRefusal.ACCOUNT_SPENDING_BLOCKED, "the account may not spend", pointer)
            if amount and (refused := rules_of.debit(booking, rules, amount, pointer)):
                return refused
            booking.operation += 1
    return None


def _vouchers(payload: PostTransaction) -> Rejected | None:
    """There is no voucher service yet: the first operation that would need it is refused."""
    pointer: str | None = None
    parts = payload.loyalty_programs
    for operations in ("purchases", "voucher_redemptions"):
        for index, part in enumerate(parts):
            if pointer is None and getattr(part, operations):
                name = "purchases" if operations == "purchases" else "voucherRedemptions"
                pointer = f"/loyaltyPrograms/{index}/{name}/0"
    if pointer is None and payload.voucher_redemptions:
        pointer = "/voucherRedemptions/0"
    if pointer is None:
        return None
    return Rejected(PointsRefusal.VOUCHERS_UNAVAILABLE, "vouchers cannot be bought or redeemed here yet", pointer)


def _amount(rules: ProgrammeRules, value: Decimal, pointer: str) -> int | Rejected:
    """A caller's amount of at least zero, in the smallest unit."""
    if value < 0:
        return Rejected(PointsRefusal.VALUE_NEGATIVE, "a value is zero or more", pointer)
    return rules_of.minor_units(value, rules_of.declared(rules), pointer)
