"""Definitions: declaring them, and their versions (rules 4.1.1, 4.3.1)."""

from typing import assert_never

from schemas.voucher_benefit import AmountBenefit, Benefit, PercentageBenefit, ProductBenefit, TextBenefit
from schemas.vouchers import DefinitionPut, PutDefinition, VoucherRefusal
from services.voucher.desk import Outcome, States
from services.voucher.state import Definition, definition_stream
from shared.decider import Accepted, Command, Rejected
from shared.money import currency_scale, to_minor


def put_definition(command: Command, payload: PutDefinition, states: States) -> Outcome:
    """Declare a definition or a new version; all of it may change, since vouchers keep what they were issued with."""
    stream, definition = definition_stream(command.store, command.subject), payload.definition
    known = states[stream]
    if not isinstance(known, Definition):
        raise TypeError(f"{stream} holds no definition")
    if command.subject != definition.code:
        detail = "the command is addressed to another definition than it declares"
        return Rejected(VoucherRefusal.DEFINITION_MISMATCH, detail, "/definition/code")
    if refused := _inexact(definition.benefit):
        return refused
    if known.definition == definition:
        return Accepted((), {"voucher": definition.code, "version": known.version})
    version = known.version + 1
    event = DefinitionPut(definition=definition, version=version, booked_at=command.now)
    return Accepted(((stream, event),), {"voucher": definition.code, "version": version})


def _inexact(benefit: Benefit | None) -> Rejected | None:
    """`too_many_decimals` for money that nobody can pay: with more digits than its currency has."""
    match benefit:
        case AmountBenefit():
            amount, currency, name = benefit.value, benefit.currency, "value"
        case PercentageBenefit() if benefit.max is not None and benefit.currency is not None:
            amount, currency, name = benefit.max, benefit.currency, "max"
        case PercentageBenefit() | ProductBenefit() | TextBenefit() | None:
            return None
        case _:
            assert_never(benefit)
    scale = currency_scale(currency)
    if to_minor(amount, scale) is not None:
        return None
    detail = f"{currency} has {scale} decimals"
    return Rejected(VoucherRefusal.TOO_MANY_DECIMALS, detail, f"/definition/benefit/{name}")
