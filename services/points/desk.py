"""What all commands on an account begin and end with: whose it is, what it may do, what is due, what they answer."""

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.joining import JOIN_ACCOUNT
from schemas.movements import Source
from schemas.refusals import PointsRefusal
from schemas.transaction import Context
from services.points import tiers
from services.points.booking import Booking
from services.points.due import book_due
from services.points.parts import NO_SOURCE, source_of
from services.points.state import (
    Account,
    Balance,
    Catalogue,
    Event,
    ProgrammeRules,
)
from services.points.streams import account_stream, catalogue_stream
from services.points.thresholds import book_thresholds
from services.points.waiting_inputs import releasing
from shared.decider import Accepted, Command, Document, FollowUp, Forwarded, Rejected, Streams
from shared.ids import account_id

States = Mapping[str, Any]
"""What `decide` may look at, by stream or by `entry_key`."""

Outcome = Accepted[Event] | Rejected | Forwarded


def account_streams(command: Command, *reads: str) -> Streams:
    """A command that writes its account alone; every one of them reads the catalogue."""
    store = command.store
    return Streams((account_stream(store, command.subject),), (catalogue_stream(store), *reads))


def desk(
    command: Command, account_number: str | None, states: States, context: Context | None = None
) -> Booking | Rejected | Forwarded:
    """The desk of the command's account, with what is due booked; or why the command does not belong here.

    A number that leads to another account forwards the command; a closed account takes none (`account_closed`).
    """
    stream = account_stream(command.store, command.subject)
    account, catalogue = states[stream], states[catalogue_stream(command.store)]
    if not isinstance(account, Account) or not isinstance(catalogue, Catalogue):
        raise TypeError(f"{stream} holds no account, or there is no catalogue")
    if account_number is not None and (refused := mismatch(command, account_number, account)):
        return refused
    if account.forwards_to is not None:
        return Forwarded(account.forwards_to)
    if account.is_closed and account_number is not None:
        return Rejected(PointsRefusal.ACCOUNT_CLOSED, "the account is closed", "/accountNumber")
    source, occurred_at = NO_SOURCE, None
    if context is not None:
        source, occurred_at = source_of(context), context.occurred_at
    number = account_number or account.account_number or ""
    booking = Booking(command, stream, account, number, catalogue, source, occurred_at)
    book_due(booking)
    booking.before = booking.account
    return booking


def mismatch(command: Command, account_number: str, account: Account) -> Rejected | None:
    """The command must be addressed to the account of the number that it names, since that is its stream's key."""
    if command.subject == account_id(command.store, account_number) or account_number in account.numbers:
        return None
    detail = "the command is addressed to another account than that of its number"
    return Rejected(PointsRefusal.ACCOUNT_MISMATCH, detail, "/accountNumber")


def own_accounts(booking: Booking) -> set[str]:
    """The ids of the booking's account and of all numbers that lead to it, which may have been accounts themselves."""
    account, store = booking.account, booking.command.store
    return {account.account, *(account_id(store, number) for number in account.numbers)}


def is_own(booking: Booking, account: str | None) -> bool:
    """Whether an account id is the booking's own, or that of a number which leads to it."""
    return account == booking.account.account or account in own_accounts(booking)


def opened(booking: Booking) -> Rejected | None:
    """`account_unknown`, unless a credit has opened the account."""
    if booking.account.account_number is None:
        return Rejected(PointsRefusal.ACCOUNT_UNKNOWN, "there is no account with this number", "/accountNumber")
    return None


def find(catalogue: Catalogue, programme: str, pointer: str) -> ProgrammeRules | Rejected:
    """The declared programme, or `programme_unknown`."""
    rules = catalogue.programmes.get(programme)
    if rules is None:
        return Rejected(PointsRefusal.PROGRAMME_UNKNOWN, f"there is no programme {programme}", pointer)
    return rules


def accepted(
    booking: Booking,
    programmes: Iterable[ProgrammeRules],
    memo: str | None = None,
    more: Document | None = None,
    states: Mapping[str, Any] | None = None,
) -> Accepted[Event]:
    """What was booked, with a `TransactionResult`: the balance of each programme named, by first appearance.

    Thresholds come last, on what may be spent then; tiers see what they leave.

    `states` are the other streams that were written, as the events leave them; `more` is added to the result.
    """
    issued, follow_ups = book_thresholds(booking)
    follow_ups = (*follow_ups, *releasing(booking.account), *_joining(booking.account))
    if booking.catalogue.tier_sets:
        tiers.rise(booking, booking.before, booking.command.now)
    balances: dict[str, Document] = {}
    for rules in programmes:
        if rules.id not in balances:
            balance = booking.account.balances.get(rules.id) or Balance(rules.id, rules.version, rules.scale)
            balances[rules.id] = {
                "loyaltyProgramId": rules.id,
                "pointsBalance": balance.spendable,
                "scale": balance.scale,
            }
    result = {
        "transactionId": booking.transaction_id or booking.command.id,
        "balances": list(balances.values()),
        "issuedVouchers": [],
        "redeemedVouchers": [],
        "voidedVouchers": [],
        **(more or {}),
    }
    if issued:
        reached = [each.model_dump(mode="json", by_alias=True) for each in issued]
        result["issuedVouchers"] = [*result["issuedVouchers"], *reached]
    after = {**(states or {}), booking.stream: booking.account}
    return Accepted(tuple(booking.events), result, follow_ups, memo, after)


def joining(account: Account, number: str, to: str) -> FollowUp:
    """The command that has an account give all that it has to another."""
    return FollowUp("points.commands", JOIN_ACCOUNT, account.account, {"accountNumber": number, "to": to})


def _joining(account: Account) -> tuple[FollowUp, ...]:
    """What was to be done when nothing on the account is open any more."""
    if account.joins is None or account.holds or account.account_number is None:
        return ()
    return (joining(account, account.account_number, account.joins),)


def order_source(order: str, shop: str | None) -> Source:
    """Where the movements of an order come from."""
    return Source(order=order, shop=shop)
