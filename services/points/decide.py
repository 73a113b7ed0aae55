"""Deciding the commands of the points service: events or a refusal, from states, the command and nothing else."""

from typing import assert_never

from schemas.accounts import (
    CloseAccount,
    ReplaceNumber,
    SetAccountState,
)
from schemas.joining import JoinAccount, TakeOver
from schemas.order_numbers import PutOrderNumbers
from schemas.orders import CancelOrder, FulfilOrder, PlaceOrder, ReportOrder, ReturnOrder
from schemas.points import (
    Adjust,
    BookDue,
    CancelHeld,
    CloseReversal,
    CloseTransaction,
    PostTransaction,
    PutProgramme,
    Reverse,
)
from schemas.receipts import FreeReceipt
from schemas.tiers import PinTier, PutTierSet
from schemas.waiting_inputs import (
    KnowNumber,
    PutAccountNumbers,
    ReleaseInputs,
)
from services.points.accounts import (
    book_what_is_due,
    close_account,
    pin_tier,
    replace_number,
    replacement_streams,
    set_state,
)
from services.points.adjust import adjust
from services.points.declaring import (
    programme_streams,
    put_account_numbers,
    put_order_numbers,
    put_programme,
    put_tier_set,
)
from services.points.desk import Outcome, States, account_streams
from services.points.holding import cancel_held, close_transaction, closing_streams
from services.points.joining import join_account, take_over
from services.points.orders.decide import order_streams, place_order, record_fact, report_order
from services.points.orders.freeing import free_receipt, freeing_streams
from services.points.reverse import close_reversal, closing_reversal_streams, reversal_streams, reverse
from services.points.streams import catalogue_stream, order_stream, transaction_stream
from services.points.transaction import post_transaction, transaction_streams
from services.points.waiting_inputs import Input, know_number, release_inputs, release_streams, wait
from shared.decider import Command, Streams

Payload = (
    PostTransaction
    | CloseTransaction
    | CancelHeld
    | Adjust
    | Reverse
    | CloseReversal
    | PlaceOrder
    | FulfilOrder
    | CancelOrder
    | ReturnOrder
    | ReportOrder
    | FreeReceipt
    | BookDue
    | SetAccountState
    | CloseAccount
    | ReplaceNumber
    | JoinAccount
    | TakeOver
    | PinTier
    | PutProgramme
    | PutTierSet
    | PutAccountNumbers
    | PutOrderNumbers
    | KnowNumber
    | ReleaseInputs
)


def streams(command: Command) -> Streams:  # noqa: C901 - a case for each command
    """The streams that a command writes and reads; every command on an account reads the catalogue."""
    payload: Payload = command.payload
    match payload:
        case PostTransaction():
            return transaction_streams(command, payload)
        case CloseTransaction():
            return closing_streams(command, payload)
        case CancelHeld():
            return Streams((transaction_stream(command.store, payload.transaction_id),))
        case (
            Adjust()
            | BookDue()
            | SetAccountState()
            | CloseAccount()
            | PinTier()
            | KnowNumber()
            | JoinAccount()
            | TakeOver()
        ):
            return account_streams(command)
        case PlaceOrder() | FulfilOrder() | CancelOrder() | ReturnOrder():
            return order_streams(command, payload)
        case Reverse():
            return reversal_streams(command, payload)
        case CloseReversal():
            return closing_reversal_streams(command, payload)
        case ReplaceNumber():
            return replacement_streams(command, payload)
        case ReportOrder():
            return Streams((order_stream(command.store, payload.order, payload.shop),))
        case FreeReceipt():
            return freeing_streams(command, payload)
        case PutProgramme():
            return programme_streams(command)
        case PutTierSet() | PutAccountNumbers() | PutOrderNumbers():
            return Streams((catalogue_stream(command.store),))
        case ReleaseInputs():
            return release_streams(command, payload)
        case _:
            assert_never(payload)


def decide(command: Command, states: States) -> Outcome:  # noqa: C901 - a case for each command
    """Decide `command` on the states of its streams."""
    payload: Payload = command.payload
    if isinstance(payload, Input) and payload.from_input and (waits := wait(command, payload, states)):
        return waits
    match payload:
        case PostTransaction():
            return post_transaction(command, payload, states)
        case CloseTransaction():
            return close_transaction(command, payload, states)
        case CancelHeld():
            return cancel_held(command, payload, states)
        case Adjust():
            return adjust(command, payload, states)
        case FulfilOrder() | CancelOrder() | ReturnOrder():
            return record_fact(command, payload, states)
        case PlaceOrder():
            return place_order(command, payload, states)
        case ReportOrder():
            return report_order(command, payload, states)
        case FreeReceipt():
            return free_receipt(command, payload, states)
        case Reverse():
            return reverse(command, payload, states)
        case CloseReversal():
            return close_reversal(command, payload, states)
        case BookDue():
            return book_what_is_due(command, payload, states)
        case SetAccountState():
            return set_state(command, payload, states)
        case CloseAccount():
            return close_account(command, payload, states)
        case JoinAccount():
            return join_account(command, payload, states)
        case TakeOver():
            return take_over(command, payload, states)
        case ReplaceNumber():
            return replace_number(command, payload, states)
        case PinTier():
            return pin_tier(command, payload, states)
        case PutProgramme():
            return put_programme(command, payload, states)
        case PutTierSet():
            return put_tier_set(command, payload, states)
        case PutAccountNumbers():
            return put_account_numbers(command, payload, states)
        case PutOrderNumbers():
            return put_order_numbers(command, payload, states)
        case KnowNumber():
            return know_number(command, payload, states)
        case ReleaseInputs():
            return release_inputs(command, payload, states)
        case _:
            assert_never(payload)
