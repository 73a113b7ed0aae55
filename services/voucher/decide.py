"""Deciding the commands of the voucher service: events or a refusal, from states, the command and nothing else."""

from typing import assert_never

from schemas.vouchers import (
    BookVoucherDue,
    CancelVouchers,
    ExecuteVouchers,
    IssueThresholdVouchers,
    IssueVoucher,
    PutDefinition,
    ReverseVouchers,
    VoidVoucher,
)
from services.voucher.declaring import put_definition
from services.voucher.desk import Outcome, States
from services.voucher.issuing import by_hand_streams, issue_by_hand, issue_for_threshold, threshold_streams
from services.voucher.reversal import reversal_streams, reverse
from services.voucher.state import definition_stream, streams_of_serial, transaction_stream
from services.voucher.transaction import cancel, execute, execution_streams
from services.voucher.using import book_expiry, void_by_hand
from shared.decider import Command, Streams

Payload = (
    ExecuteVouchers
    | CancelVouchers
    | ReverseVouchers
    | IssueThresholdVouchers
    | IssueVoucher
    | VoidVoucher
    | BookVoucherDue
    | PutDefinition
)


def streams(command: Command) -> Streams:
    """The streams that a command writes and reads."""
    payload: Payload = command.payload
    match payload:
        case ExecuteVouchers():
            return execution_streams(command, payload)
        case CancelVouchers():
            return Streams((transaction_stream(command.store, payload.transaction_id),))
        case ReverseVouchers():
            return reversal_streams(command, payload)
        case IssueThresholdVouchers():
            return threshold_streams(command, payload)
        case IssueVoucher():
            return by_hand_streams(command, payload)
        case VoidVoucher() | BookVoucherDue():
            return Streams(streams_of_serial(command.store, payload.serial_id))
        case PutDefinition():
            return Streams((definition_stream(command.store, command.subject),))
        case _:
            assert_never(payload)


def decide(command: Command, states: States) -> Outcome:
    """Decide `command` on the states of its streams."""
    payload: Payload = command.payload
    match payload:
        case ExecuteVouchers():
            return execute(command, payload, states)
        case CancelVouchers():
            return cancel(command, payload, states)
        case ReverseVouchers():
            return reverse(command, payload, states)
        case IssueThresholdVouchers():
            return issue_for_threshold(command, payload, states)
        case IssueVoucher():
            return issue_by_hand(command, payload, states)
        case VoidVoucher():
            return void_by_hand(command, payload, states)
        case BookVoucherDue():
            return book_expiry(command, payload, states)
        case PutDefinition():
            return put_definition(command, payload, states)
        case _:
            assert_never(payload)
