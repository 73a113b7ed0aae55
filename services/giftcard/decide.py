"""Deciding the commands of the gift card service: events or a refusal, from states, the command and nothing else."""

from typing import assert_never

from schemas.giftcard_batches import BeginBatchExport, ConfirmBatchExport, FillBatch, OpenBatch
from schemas.giftcard_saga import CancelHold, HoldCard, SettleCard
from schemas.giftcards import (
    ActivateCard,
    BookCardDue,
    CancelMutation,
    CreateCard,
    ImportCard,
    IssueCard,
    PutCardType,
    RedeemCard,
    RefundCard,
    VoidCard,
)
from services.giftcard.batches import fill_batch, filling_streams, open_batch, opening_streams
from services.giftcard.booking import Outcome, States
from services.giftcard.cancelling import cancel, cancel_streams
from services.giftcard.closing import book_due, refund, void
from services.giftcard.declaring import put_type
from services.giftcard.exporting import begin_export, confirm_export
from services.giftcard.holding import cancel_hold, hold, hold_streams
from services.giftcard.holding import cancel_streams as cancel_hold_streams
from services.giftcard.importing import import_card
from services.giftcard.loading import activate, create, issue, new_card_streams
from services.giftcard.redeeming import redeem
from services.giftcard.settling import settle, settling_streams
from services.giftcard.state import batch_stream, card_stream, type_stream
from shared.decider import Command, Streams

Payload = (
    CreateCard
    | IssueCard
    | ImportCard
    | ActivateCard
    | RedeemCard
    | CancelMutation
    | VoidCard
    | RefundCard
    | BookCardDue
    | PutCardType
    | HoldCard
    | CancelHold
    | SettleCard
    | OpenBatch
    | FillBatch
    | BeginBatchExport
    | ConfirmBatchExport
)


def streams(command: Command) -> Streams:
    """The streams that a command writes and reads."""
    payload: Payload = command.payload
    match payload:
        case CreateCard() | IssueCard() | ImportCard():
            return new_card_streams(command, payload)
        case CancelMutation():
            return cancel_streams(command, payload)
        case ActivateCard() | RedeemCard() | VoidCard() | RefundCard() | BookCardDue():
            return Streams((card_stream(command.store, payload.card_id),))
        case PutCardType():
            return Streams((type_stream(command.store, command.subject),))
        case HoldCard():
            return hold_streams(command, payload)
        case CancelHold():
            return cancel_hold_streams(command, payload)
        case SettleCard():
            return settling_streams(command, payload)
        case OpenBatch():
            return opening_streams(command, payload)
        case FillBatch():
            return filling_streams(command, payload)
        case BeginBatchExport() | ConfirmBatchExport():
            return Streams((batch_stream(command.store, payload.batch_id),))
        case _:
            assert_never(payload)


def decide(command: Command, states: States) -> Outcome:  # noqa: C901 - a case for each command
    """Decide `command` on the states of its streams."""
    payload: Payload = command.payload
    match payload:
        case CreateCard():
            return create(command, payload, states)
        case IssueCard():
            return issue(command, payload, states)
        case ImportCard():
            return import_card(command, payload, states)
        case ActivateCard():
            return activate(command, payload, states)
        case RedeemCard():
            return redeem(command, payload, states)
        case CancelMutation():
            return cancel(command, payload, states)
        case VoidCard():
            return void(command, payload, states)
        case RefundCard():
            return refund(command, payload, states)
        case BookCardDue():
            return book_due(command, payload, states)
        case PutCardType():
            return put_type(command, payload, states)
        case HoldCard():
            return hold(command, payload, states)
        case CancelHold():
            return cancel_hold(command, payload, states)
        case SettleCard():
            return settle(command, payload, states)
        case OpenBatch():
            return open_batch(command, payload, states)
        case FillBatch():
            return fill_batch(command, payload, states)
        case BeginBatchExport():
            return begin_export(command, payload, states)
        case ConfirmBatchExport():
            return confirm_export(command, payload, states)
        case _:
            assert_never(payload)
