"""Reversing a transaction: all of it, some operations, or parts of them, each undone at most once (RULES 4.1.13)."""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.movements import Adjusted, Loaded, Redeemed, Scheduled, Unscheduled
from schemas.points import Reverse, Reversed, ReversedAmount
from schemas.refusals import PointsRefusal
from services.points import credits as rules_of
from services.points.booking import Booking
from services.points.desk import Outcome, States, accepted, desk, opened
from services.points.parts import part_of
from services.points.reversals import Reversals, evolve_reversals
from services.points.state import account_stream, catalogue_stream, reversals_stream
from services.points.undo import conditions_of, debit_fragments, give_back, revoke
from shared.decider import Command, Entry, Rejected, Streams, entry_key
from shared.ids import closing_id, derived_id
from shared.money import to_minor

Original = Loaded | Redeemed | Adjusted | Scheduled


class Undo(NamedTuple):
    """What is to be undone of one operation: `amount` after the `done` that was undone before.

    `pointer` is where the request asks for it.
    """

    operation: int
    original: Original
    amount: int
    done: int
    pointer: str


def reversal_streams(command: Command, payload: Reverse) -> Streams:
    """The account, what was undone before, and what the original booked; it may have been forwarded to the account."""
    store, named = command.store, payload.transaction_id
    writes = (account_stream(store, command.subject), *(reversals_stream(store, it) for it in _ids(named)))
    ids = _ids(named)
    return Streams(writes, (catalogue_stream(store),), (*ids, *map(closing_id, ids)))


def reverse(command: Command, payload: Reverse, states: States) -> Outcome:
    """Decide a reversal: the operations in the opposite order of the original's."""
    booking = desk(command, payload.account_number, states, payload.context)
    if not isinstance(booking, Booking):
        return booking
    if refused := opened(booking):
        return refused
    entry = _original(booking, payload.transaction_id, states)
    if isinstance(entry, Rejected):
        return entry
    if entry.status == "held" and not payload.operations:
        detail = "what a transaction did with vouchers cannot be reversed; name its loads and redemptions"
        return Rejected(PointsRefusal.NOT_REVERSIBLE, detail, "/transactionId")
    originals = {event.operation: event for event in _operations(entry, booking.stream)}
    if not originals:
        detail = "the transaction booked nothing that can be reversed"
        return Rejected(PointsRefusal.NOT_REVERSIBLE, detail, "/transactionId")
    stream = reversals_stream(command.store, entry.id)
    reversals = states[stream]
    if not isinstance(reversals, Reversals):
        raise TypeError(f"{stream} holds no reversals")
    undos = _wanted(payload, originals, reversals)
    if isinstance(undos, Rejected):
        return undos
    for undo in sorted(undos, key=lambda undo: (-undo.operation, undo.done)):
        if refused := _undo(booking, undo, payload.reason):
            return refused
        booking.operation += 1
    event = Reversed(
        transaction_id=entry.id,
        account=command.subject,
        operations=tuple(
            ReversedAmount(operation=undo.operation, programme=undo.original.programme, amount=undo.amount)
            for undo in undos
        ),
        reason=payload.reason,
        booked_at=command.now,
    )
    booking.events.append((stream, event))
    named = dict.fromkeys(undo.original.programme for undo in undos)
    programmes = [booking.catalogue.programmes[name] for name in named]
    more = {"reversed": [each.model_dump(by_alias=True) for each in event.operations]}
    states_after = {stream: evolve_reversals(reversals, event)}
    return accepted(booking, programmes, payload.context.comment, more, states_after)


def _ids(named: str) -> tuple[str, str]:
    """A caller may know a transaction by the id that it had before it was forwarded."""
    return named, derived_id("follow-up", named, 0)


def _original(booking: Booking, named: str, states: States) -> Entry | Rejected:
    """The accepted entry that booked on this account, under the id named or under that of its forwarding.

    What a transaction that was held has booked stands in the entry that closed it.
    """
    for command_id in _ids(named):
        entry: Entry | None = states[entry_key(command_id)]
        if entry is None or all(stream != booking.stream for stream, _ in entry.events):
            continue
        if entry.status != "held":
            return entry
        closing: Entry | None = states[entry_key(closing_id(command_id))]
        if closing is None:
            return Rejected(PointsRefusal.TRANSACTION_OPEN, "the transaction is open", "/transactionId")
        return entry._replace(events=closing.events)
    detail = "the account has no such transaction"
    return Rejected(PointsRefusal.TRANSACTION_UNKNOWN, detail, "/transactionId")


def _operations(entry: Entry, stream: str) -> Iterator[Original]:
    for written, event in entry.events:
        if written == stream and isinstance(event, Loaded | Redeemed | Adjusted | Scheduled) and event.operation >= 0:
            yield event


def _amount_of(original: Original) -> int:
    return original.amount if isinstance(original, Scheduled) else abs(original.delta)


def _wanted(payload: Reverse, originals: dict[int, Original], reversals: Reversals) -> list[Undo] | Rejected:
    """What to undo of which operation, never more than is left of it over all reversals."""
    undone = dict(reversals.undone)
    undos: list[Undo] = []
    if not payload.operations:
        for operation, original in originals.items():
            done = undone.get(operation, 0)
            if left := _amount_of(original) - done:
                undos.append(Undo(operation, original, left, done, "/transactionId"))
        if not undos:
            detail = "all of the transaction was reversed before"
            return Rejected(PointsRefusal.ALREADY_REVERSED, detail, "/transactionId")
        return undos
    for index, wanted in enumerate(payload.operations):
        pointer = f"/operations/{index}"
        known = originals.get(wanted.operation)
        if known is None:
            detail = "the transaction booked no such operation"
            return Rejected(PointsRefusal.REVERSED_OPERATION_UNKNOWN, detail, f"{pointer}/operation")
        done = undone.get(wanted.operation, 0)
        left = _amount_of(known) - done
        if left == 0:
            detail = "the operation was reversed before"
            return Rejected(PointsRefusal.ALREADY_REVERSED, detail, f"{pointer}/operation")
        amount = left if wanted.value is None else to_minor(wanted.value, known.scale)
        if amount is None:
            detail = f"{known.programme} has {known.scale} decimals"
            return Rejected(PointsRefusal.TOO_MANY_DECIMALS, detail, f"{pointer}/value")
        if amount > left:
            detail = "more than is left of the operation"
            return Rejected(PointsRefusal.REVERSAL_EXCEEDS_ORIGINAL, detail, f"{pointer}/value")
        undos.append(Undo(wanted.operation, known, amount, done, pointer))
        undone[wanted.operation] = done + amount
    return undos


def _undo(booking: Booking, undo: Undo, reason: str) -> Rejected | None:
    original = undo.original
    rules = booking.catalogue.programmes[original.programme]
    balance = rules_of.balance_of(booking, rules)
    if isinstance(original, Scheduled):
        wanted = original.lots[0]
        for lot in balance.scheduled:
            if lot.active_from == wanted.active_from and conditions_of(lot) == conditions_of(wanted):
                part, closing = part_of(lot, undo.amount), balance.account_expires_at
                booking.note(Unscheduled, balance, (part,), closing, reason, amount=undo.amount)
                return None
    if isinstance(original, Scheduled) or original.delta > 0:
        revoke(booking, balance, undo.amount, map(conditions_of, original.lots), reason)
        return None
    programme = rules_of.declared(rules)
    fragments, grace = debit_fragments(original.lots, undo.done, undo.amount), programme.reversal_grace_days
    return give_back(booking, balance, fragments, grace, programme.zone, reason, undo.pointer)
