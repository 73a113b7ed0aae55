"""Definitions: declaring them, and their versions (rules 4.1.1, 4.3.1)."""

from schemas.vouchers import DefinitionPut, PutDefinition, VoucherRefusal
from services.voucher.desk import Outcome, States
from services.voucher.state import Definition, definition_stream
from shared.decider import Accepted, Command, Rejected


def put_definition(command: Command, payload: PutDefinition, states: States) -> Outcome:
    """Declare a definition or a new version; all of it may change, since vouchers keep what they were issued with."""
    stream, definition = definition_stream(command.store, command.subject), payload.definition
    known = states[stream]
    if not isinstance(known, Definition):
        raise TypeError(f"{stream} holds no definition")
    if command.subject != definition.code:
        detail = "the command is addressed to another definition than it declares"
        return Rejected(VoucherRefusal.DEFINITION_MISMATCH, detail, "/definition/code")
    if known.definition == definition:
        return Accepted((), {"voucher": definition.code, "version": known.version})
    version = known.version + 1
    event = DefinitionPut(definition=definition, version=version, booked_at=command.now)
    return Accepted(((stream, event),), {"voucher": definition.code, "version": version})
