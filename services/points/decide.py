"""Deciding the commands of the points service: events or a refusal, from states, the command and nothing else."""

from collections.abc import Mapping
from typing import assert_never

from schemas.points import Adjust, PointsRefusal, PostTransaction, ProgrammeApplied, PutProgramme
from services.points import credits as rules_of
from services.points.booking import Booking
from services.points.due import book_due
from services.points.parts import source_of
from services.points.state import Account, Event, ProgrammeRules, State, account_stream, programme_stream
from services.points.transaction import accepted, find, mismatch, post_transaction
from shared.decider import Accepted, Command, Rejected, Streams

Payload = PostTransaction | Adjust | PutProgramme


def streams(command: Command) -> Streams:
    """An account command writes its account and reads its programmes; a programme command writes its programme."""
    payload: Payload = command.payload
    match payload:
        case PostTransaction():
            named = dict.fromkeys(part.loyalty_point_definition_id for part in payload.loyalty_programs)
            reads = tuple(programme_stream(command.store, programme) for programme in named)
            return Streams((account_stream(command.store, command.subject),), reads)
        case Adjust():
            reads = (programme_stream(command.store, payload.programme),)
            return Streams((account_stream(command.store, command.subject),), reads)
        case PutProgramme():
            return Streams((programme_stream(command.store, command.subject),))
        case _:
            assert_never(payload)


def decide(command: Command, states: Mapping[str, State]) -> Accepted[Event] | Rejected:
    """Decide `command` on the states of its streams."""
    payload: Payload = command.payload
    match payload:
        case PostTransaction():
            return post_transaction(command, payload, states)
        case Adjust():
            return _adjust(command, payload, states)
        case PutProgramme():
            return _put_programme(command, payload, states)
        case _:
            assert_never(payload)


def _adjust(command: Command, payload: Adjust, states: Mapping[str, State]) -> Accepted[Event] | Rejected:
    """A correction by hand (4.1.6, 4.1.10); load limits do not bind it."""
    stream = account_stream(command.store, command.subject)
    account = states[stream]
    if not isinstance(account, Account):
        raise TypeError(f"{stream} holds no account")
    if refused := mismatch(command, payload.account_number):
        return refused
    rules = find(command, payload.programme, states, "/programme")
    if isinstance(rules, Rejected):
        return rules
    context = payload.context
    booking = Booking(
        command, stream, account, payload.account_number, source_of(context), context.occurred_at or command.now
    )
    book_due(booking)
    if refused := _adjustment(booking, rules, payload):
        return refused
    return accepted(booking, [rules], context.comment)


def _adjustment(booking: Booking, rules: ProgrammeRules, payload: Adjust) -> Rejected | None:
    programme = rules_of.declared(rules)
    if payload.value == 0:
        return Rejected(PointsRefusal.VALUE_ZERO, "a correction moves something", "/value")
    amount = rules_of.minor_units(payload.value, programme, "/value")
    if isinstance(amount, Rejected):
        return amount
    if amount > 0:
        if refused := rules_of.may_credit(booking, programme, "/programme"):
            return refused
        return rules_of.adjust_up(booking, rules, amount, payload.reason, payload.active_from, payload.expires_at)
    if payload.active_from is not None or payload.expires_at is not None:
        pointer = "/expiresAt" if payload.active_from is None else "/activeFrom"
        return Rejected(PointsRefusal.SCHEDULED_DEBIT, "a debit is booked at once and never expires", pointer)
    return rules_of.debit(booking, rules, -amount, "/value", payload.reason)


def _put_programme(command: Command, payload: PutProgramme, states: Mapping[str, State]) -> Accepted[Event] | Rejected:
    """Declare a programme or a new version; its unit and scale are fixed, since balances are counted in them."""
    stream = programme_stream(command.store, command.subject)
    rules, programme = states[stream], payload.programme
    if not isinstance(rules, ProgrammeRules):
        raise TypeError(f"{stream} holds no programme")
    if command.subject != programme.id:
        detail = "the command is addressed to another programme than it declares"
        return Rejected(PointsRefusal.PROGRAMME_MISMATCH, detail, "/programme/id")
    if rules.programme == programme:
        return Accepted((), {"programme": programme.id, "version": rules.version})
    if rules.programme is not None and rules.programme.scale != programme.scale:
        return Rejected(PointsRefusal.SCALE_CHANGED, "the scale of a programme never changes", "/programme/scale")
    if rules.programme is not None and rules.programme.unit != programme.unit:
        return Rejected(PointsRefusal.UNIT_CHANGED, "the unit of a programme never changes", "/programme/unit")
    version = rules.version + 1
    event = ProgrammeApplied(programme=programme, version=version, booked_at=command.now)
    return Accepted(((stream, event),), {"programme": programme.id, "version": version})
