"""One instance of every wire type of batches of gift cards."""

from typing import Any

from schemas import giftcard_batches as batches
from schemas.giftcards import CardRejected
from tests.contract.giftcard_examples import CONTEXT, LATER, NOW, SOURCE, TYPE

BATCH, EXPORT, SEED = "summer-2026", "019ab2c4-7c1e-7d3a-8f00-3b5d1e9a7c43", "5e" * 32

EXAMPLES: dict[str, tuple[Any, ...]] = {
    "giftcard.open_batch.v1": (
        batches.OpenBatch(batch_id=BATCH, card_type="EUR-GIFT", count=500, key="1", context=CONTEXT),
    ),
    "giftcard.fill_batch.v1": (batches.FillBatch(batch_id=BATCH, seed=SEED, position=100, cards=100),),
    "giftcard.begin_export.v1": (batches.BeginBatchExport(batch_id=BATCH, export_id=EXPORT, context=CONTEXT),),
    "giftcard.confirm_export.v1": (batches.ConfirmBatchExport(batch_id=BATCH, export_id=EXPORT, context=CONTEXT),),
    "giftcard.batch_opened.v1": (
        batches.BatchOpened(
            batch_id=BATCH,
            rules=TYPE,
            count=500,
            key="1",
            seed=SEED,
            source=SOURCE,
            comment="for the summer",
            booked_at=NOW,
        ),
    ),
    "giftcard.batch_cards_created.v1": (
        batches.BatchCardsCreated(batch_id=BATCH, created=100, position=100, booked_at=NOW),
    ),
    "giftcard.batch_export_begun.v1": (
        batches.BatchExportBegun(batch_id=BATCH, export_id=EXPORT, source=SOURCE, booked_at=NOW),
    ),
    "giftcard.batch_export_confirmed.v1": (
        batches.BatchExportConfirmed(batch_id=BATCH, export_id=EXPORT, source=SOURCE, booked_at=NOW),
    ),
    "giftcard.batch_snapshot.v1": (
        batches.BatchView(
            batch_id=BATCH,
            card_type="EUR-GIFT",
            count=500,
            created=500,
            state=batches.BatchState.EXPORTING,
            export_id=EXPORT,
            opened_at=NOW,
            changed_at=LATER,
        ),
    ),
    "giftcard.batch_rejected.v1": (
        CardRejected(
            command="giftcard.begin_export.v1",
            code="batch_exported",
            detail="the batch was exported on 2026-11-22; it cannot be exported again",
            pointer="/batchId",
        ),
    ),
}
