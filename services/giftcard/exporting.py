"""Giving the cards of a batch to a printer, once (rules 4.4.7).

The export is decided here before a code is derived anywhere. It is begun and then confirmed: in between, and only in
between, the same export may begin again, so that a crash of whoever writes the file does not lose the codes.
"""

from schemas.giftcard_batches import BatchExportBegun, BatchExportConfirmed, BeginBatchExport, ConfirmBatchExport
from schemas.giftcards import CardRefusal
from services.giftcard.batches import batch_of
from services.giftcard.booking import Outcome, States, source_of
from services.giftcard.state import Batch, batch_stream
from shared.decider import Accepted, Command, Rejected


def begin_export(command: Command, payload: BeginBatchExport, states: States) -> Outcome:
    """Begin the only export of a batch, or the same one again while it is open."""
    batch = batch_of(command, states, payload.batch_id)
    if refused := _not_full(batch):
        return refused
    result = {"batchId": batch.batch_id, "exportId": payload.export_id}
    if batch.confirmed:
        detail = f"the batch was exported on {batch.changed_at:%Y-%m-%d}; it cannot be exported again"
        return Rejected(CardRefusal.BATCH_EXPORTED, detail, "/batchId")
    if batch.export_id == payload.export_id:
        return Accepted((), result)
    if batch.export_id is not None:
        detail = f"the export {batch.export_id} of the batch is not complete: continue that one"
        return Rejected(CardRefusal.BATCH_EXPORT_OPEN, detail, "/exportId")
    event = BatchExportBegun(
        batch_id=batch.batch_id,
        export_id=payload.export_id,
        source=source_of(payload.context),
        booked_at=command.now,
    )
    return Accepted(((batch_stream(command.store, batch.batch_id), event),), result)


def confirm_export(command: Command, payload: ConfirmBatchExport, states: States) -> Outcome:
    """End the open export; a repeat changes nothing."""
    batch = batch_of(command, states, payload.batch_id)
    if refused := _not_full(batch):
        return refused
    if batch.export_id != payload.export_id:
        detail = "the batch has no export with this id"
        return Rejected(CardRefusal.BATCH_EXPORT_UNKNOWN, detail, "/exportId")
    result = {"batchId": batch.batch_id, "exportId": payload.export_id}
    if batch.confirmed:
        return Accepted((), result)
    event = BatchExportConfirmed(
        batch_id=batch.batch_id,
        export_id=payload.export_id,
        source=source_of(payload.context),
        booked_at=command.now,
    )
    return Accepted(((batch_stream(command.store, batch.batch_id), event),), result)


def _not_full(batch: Batch) -> Rejected | None:
    """Why a batch has nothing to export yet, or at all."""
    if batch.opened_at is None:
        return Rejected(CardRefusal.BATCH_UNKNOWN, "there is no such batch", "/batchId")
    if batch.created < batch.wanted:
        detail = f"{batch.created} of {batch.wanted} cards of the batch are there: wait until it is full"
        return Rejected(CardRefusal.BATCH_NOT_FILLED, detail, "/batchId")
    return None
