"""Post Transaction: several programmes, processed as one, all or nothing (RULES 4.2.1, 4.2.3, 4.2.4)."""

from collections.abc import Mapping
from decimal import Decimal

from schemas.points import PointsRefusal, PostTransaction
from schemas.transaction import Load
from services.points import credits as rules_of
from services.points.booking import Booking
from services.points.due import book_due
from services.points.parts import source_of
from services.points.state import Account, Event, ProgrammeRules, State, account_stream, programme_stream
from shared.decider import Accepted, Command, Document, Rejected
from shared.ids import account_id


def post_transaction(
    command: Command, payload: PostTransaction, states: Mapping[str, State]
) -> Accepted[Event] | Rejected:
    """Decide a transaction: what is due, then the loads, then the redemptions, over all programmes."""
    stream = account_stream(command.store, command.subject)
    account = states[stream]
    if not isinstance(account, Account):
        raise TypeError(f"{stream} holds no account")
    if refused := mismatch(command, payload.account_number):
        return refused
    programmes: list[ProgrammeRules] = []
    for index, part in enumerate(payload.loyalty_programs):
        found = find(command, part.loyalty_point_definition_id, states, f"/loyaltyPrograms/{index}/{_ID}")
        if isinstance(found, Rejected):
            return found
        programmes.append(found)
    context = payload.context
    booking = Booking(
        command, stream, account, payload.account_number, source_of(context), context.occurred_at or command.now
    )
    book_due(booking)
    refused = _loads(booking, payload, programmes) or _redemptions(booking, payload, programmes) or _vouchers(payload)
    if refused is not None:
        return refused
    return accepted(booking, programmes, context.comment)


_ID = "loyaltyPointDefinitionId"


def mismatch(command: Command, account_number: str) -> Rejected | None:
    """The command must be addressed to the account of the number that it names, since that is its stream's key."""
    if command.subject == account_id(command.store, account_number):
        return None
    detail = "the command is addressed to another account than that of its number"
    return Rejected(PointsRefusal.ACCOUNT_MISMATCH, detail, "/accountNumber")


def find(command: Command, programme: str, states: Mapping[str, State], pointer: str) -> ProgrammeRules | Rejected:
    """The declared programme, or `programme_unknown`."""
    rules = states[programme_stream(command.store, programme)]
    if not isinstance(rules, ProgrammeRules):
        raise TypeError(f"the stream of {programme} holds no programme")
    if rules.programme is None:
        return Rejected(PointsRefusal.PROGRAMME_UNKNOWN, f"there is no programme {programme}", pointer)
    return rules


def accepted(booking: Booking, programmes: list[ProgrammeRules], comment: str | None) -> Accepted[Event]:
    """What was booked, with a `TransactionResult`: the balance of each programme named, by first appearance."""
    balances: dict[str, Document] = {}
    for rules in programmes:
        if rules.id not in balances:
            balance = rules_of.balance_of(booking, rules)
            balances[rules.id] = {
                "loyaltyProgramId": rules.id,
                "pointsBalance": balance.booked,
                "scale": balance.scale,
            }
    result = {
        "transactionId": booking.command.id,
        "balances": list(balances.values()),
        "issuedVouchers": [],
        "redeemedVouchers": [],
        "voidedVouchers": [],
    }
    return Accepted(tuple(booking.events), result, memo=comment, states={booking.stream: booking.account})


def _loads(booking: Booking, payload: PostTransaction, programmes: list[ProgrammeRules]) -> Rejected | None:
    loaded: dict[str, int] = {}
    for index, (part, rules) in enumerate(zip(payload.loyalty_programs, programmes, strict=True)):
        for at, load in enumerate(part.loads):
            refused = _load(booking, rules, load, loaded, f"/loyaltyPrograms/{index}/loads/{at}")
            if refused is not None:
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
