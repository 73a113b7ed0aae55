"""Corrections by hand (rules 4.1.6, 4.1.10); load limits do not bind them, nor do blocks on spending."""

from schemas.movements import Adjusted
from schemas.points import Adjust
from schemas.refusals import PointsRefusal
from services.points import credits as rules_of
from services.points.booking import Booking
from services.points.desk import Outcome, States, accepted, desk, find
from services.points.state import ProgrammeRules
from services.points.thresholds import too_often
from shared.decider import Command, Rejected


def adjust(command: Command, payload: Adjust, states: States) -> Outcome:
    """Decide a correction up or down."""
    booking = desk(command, payload.account_number, states, payload.context)
    if not isinstance(booking, Booking):
        return booking
    rules = find(booking.catalogue, payload.programme, "/programme")
    if isinstance(rules, Rejected):
        return rules
    if refused := _adjustment(booking, rules, payload) or too_often(booking, {rules.id: "/value"}):
        return refused
    return accepted(booking, [rules], payload.context.comment)


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
    return rules_of.debit(booking, rules, -amount, "/value", Adjusted, payload.reason)
