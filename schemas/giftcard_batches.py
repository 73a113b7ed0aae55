"""Batches of gift cards for sale: their commands, events and snapshot (rules 4.4.7)."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StrictInt

from schemas.base import Instant, Integer, Published, Wire
from schemas.giftcard_types import CardType
from schemas.movements import Source
from schemas.text import Key
from schemas.transaction import Context

BATCH_CARDS_MAX = 100_000
FILL_CARDS_MAX = 500

CardCount = Annotated[Integer, Field(ge=1, le=BATCH_CARDS_MAX)]
Seed = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class BatchState(StrEnum):
    """Filling: cards are being created. Filled: all are. Then the export for the printer begins, and is confirmed."""

    FILLING = "filling"
    FILLED = "filled"
    EXPORTING = "exporting"
    EXPORTED = "exported"


class OpenBatch(Wire):
    """`giftcard.open_batch.v1`: create `count` cards of a type; `key` is the id of the key that derives their codes."""

    batch_id: Key
    card_type: Key
    count: CardCount
    key: Key
    context: Context = Context()


class FillBatch(Wire):
    """`giftcard.fill_batch.v1`: create the next `cards` cards of a batch; sent by the service itself.

    `position` counts the numbers that were drawn before, and `seed` is the batch's.
    """

    batch_id: Key
    seed: Seed
    position: Annotated[StrictInt, Field(ge=0)]
    cards: Annotated[StrictInt, Field(ge=1, le=FILL_CARDS_MAX)]


class BeginBatchExport(Wire):
    """`giftcard.begin_export.v1`: give the cards of a full batch to a printer, once; `export_id` is the caller's.

    Until it is confirmed, the same export may begin again, and no other.
    """

    batch_id: Key
    export_id: Key
    context: Context = Context()


class ConfirmBatchExport(Wire):
    """`giftcard.confirm_export.v1`: the export is complete and safe; there will be no other."""

    batch_id: Key
    export_id: Key
    context: Context = Context()


class BatchOpened(Published):
    """`giftcard.batch_opened.v1`: cards of this type are being created.

    With the `seed` the card ids and serial numbers of the batch can be computed, and no scratch codes.
    """

    type: Literal["giftcard.batch_opened.v1"] = "giftcard.batch_opened.v1"
    batch_id: str
    rules: CardType
    count: int
    key: str
    seed: str
    source: Source = Source()
    comment: str | None = None
    booked_at: Instant


class BatchCardsCreated(Published):
    """`giftcard.batch_cards_created.v1`: `created` cards of the batch are there now, from `position` drawn numbers."""

    type: Literal["giftcard.batch_cards_created.v1"] = "giftcard.batch_cards_created.v1"
    batch_id: str
    created: int
    position: int
    booked_at: Instant


class BatchExportBegun(Published):
    """`giftcard.batch_export_begun.v1`: the cards and their codes are being written for a printer."""

    type: Literal["giftcard.batch_export_begun.v1"] = "giftcard.batch_export_begun.v1"
    batch_id: str
    export_id: str
    source: Source = Source()
    booked_at: Instant


class BatchExportConfirmed(Published):
    """`giftcard.batch_export_confirmed.v1`: the export is complete; there will be no other."""

    type: Literal["giftcard.batch_export_confirmed.v1"] = "giftcard.batch_export_confirmed.v1"
    batch_id: str
    export_id: str
    source: Source = Source()
    booked_at: Instant


class BatchView(Published):
    """`giftcard.batch_snapshot.v1` on `giftcard.snapshots`: a batch as it is now: `created` of `count` cards."""

    batch_id: str
    card_type: str
    count: int
    created: int
    state: BatchState
    export_id: str | None
    opened_at: Instant
    changed_at: Instant


BATCH_VIEW = "giftcard.batch_snapshot.v1"
BATCH_COMMANDS: dict[str, type[Wire]] = {
    "giftcard.open_batch.v1": OpenBatch,
    "giftcard.fill_batch.v1": FillBatch,
    "giftcard.begin_export.v1": BeginBatchExport,
    "giftcard.confirm_export.v1": ConfirmBatchExport,
}
BATCH_REJECTIONS = dict.fromkeys(BATCH_COMMANDS, "giftcard.batch_rejected.v1")
