"""Batches of cards for sale, and their export (rules 4.4.7)."""

from datetime import timedelta

import pytest

from schemas.giftcard_batches import (
    BatchCardsCreated,
    BatchExportBegun,
    BatchExportConfirmed,
    BatchOpened,
    BatchState,
    BeginBatchExport,
    ConfirmBatchExport,
    FillBatch,
    OpenBatch,
)
from schemas.giftcards import CardCreated, CodeSource, SerialNumberTaken
from schemas.movements import Source
from schemas.scratch_codes import drawn_card
from schemas.transaction import Context
from services.giftcard.batches import CHUNK_CARDS
from services.giftcard.decider import DECIDER
from services.giftcard.state import Batch, Event
from services.giftcard.waking import wake
from shared.decider import FollowUp
from tests.unit.giftcard.events import CREATED, put
from tests.unit.giftcard.test_loading import CONTEXT
from tests.unit.giftcard.world import COMMAND_ID, ONCE, STORE, T0, Booked, World, card_type, given

BATCH, EXPORT, OTHER = "summer-2026", "export-1", "export-2"
STREAM = f"batch/{STORE}/{BATCH}"
SEED = "5e" * 32
OFFICE = Source(shop="12", till="3", receipt="R-1")
AT = Context.model_validate(CONTEXT)


def opening(count: int = 250) -> OpenBatch:
    return OpenBatch(batch_id=BATCH, card_type="EUR10", count=count, key="k1", context=AT)


def filling(position: int, cards: int = CHUNK_CARDS, seed: str = SEED) -> FillBatch:
    return FillBatch(batch_id=BATCH, seed=seed, position=position, cards=cards)


def opened(count: int) -> Booked:
    event = BatchOpened(batch_id=BATCH, rules=ONCE, count=count, key="k1", seed=SEED, source=OFFICE, booked_at=T0)
    return STREAM, event


def grown(created: int, position: int | None = None) -> Booked:
    position = created if position is None else position
    return STREAM, BatchCardsCreated(batch_id=BATCH, created=created, position=position, booked_at=T0)


def begun(export: str = EXPORT) -> Booked:
    return STREAM, BatchExportBegun(batch_id=BATCH, export_id=export, source=OFFICE, booked_at=T0)


def confirmed(export: str = EXPORT) -> Booked:
    return STREAM, BatchExportConfirmed(batch_id=BATCH, export_id=export, source=OFFICE, booked_at=T0)


def new_card(position: int, serial: str | None = None) -> tuple[Booked, Booked]:
    """What the card at a position of the seed books, on its own stream and on its serial number's."""
    drawn = drawn_card(bytes.fromhex(SEED), STORE, BATCH, str(position))
    serial = serial or drawn.serial_number
    card = CardCreated(
        card_id=drawn.card_id,
        serial_number=serial,
        card_type="EUR10",
        currency="EUR",
        scale=2,
        sequence=1,
        new_status=CREATED,
        delta=0,
        balance=0,
        transaction_id=COMMAND_ID,
        occurred_at=T0,
        booked_at=T0,
        rules=ONCE,
        code=CodeSource(key="k1"),
        batch=BATCH,
    )
    taken: Event = SerialNumberTaken(card_id=drawn.card_id, serial_number=serial, booked_at=T0)
    return (f"card/{STORE}/{drawn.card_id}", card), (f"serial/{STORE}/{serial}", taken)


def chunk(first: int, behind: int) -> list[Booked]:
    return [booked for position in range(first, behind) for booked in new_card(position)]


def follow_ups(world: World) -> tuple[FollowUp, ...]:
    return world.accepted.follow_ups


def next_chunk(position: int, cards: int, seed: str = SEED) -> FollowUp:
    payload = {"batchId": BATCH, "seed": seed, "position": position, "cards": cards}
    return FollowUp("giftcard.commands", "giftcard.fill_batch.v1", BATCH, payload)


def test_a_batch_opens_with_a_seed_and_asks_for_its_first_cards() -> None:
    world = given(put()).when(opening())
    ((stream, event),) = world.accepted.events
    assert isinstance(event, BatchOpened)
    world.then((stream, opened(250)[1].model_copy(update={"seed": event.seed})))
    assert stream == STREAM
    assert follow_ups(world) == (next_chunk(0, 100, event.seed),)
    world.answers(batchId=BATCH, count=250, created=0)


def test_another_batch_has_another_seed() -> None:
    seeds = set()
    for command in ("01936f2e-7c00-7000-8000-000000000002", "01936f2e-7c00-7000-8000-000000000003"):
        ((_, event),) = given(put()).when(opening(), command_id=command).accepted.events
        assert isinstance(event, BatchOpened)
        seeds.add(event.seed)
    assert len(seeds) == 2


def test_what_cannot_be_opened() -> None:
    given(put(), opened(5)).when(opening()).refused("batch_exists", "/batchId", "there is a batch with this id")
    given().when(opening()).refused("card_type_unknown", "/cardType", "there is no card type EUR10")
    retired = put(card_type(state="retired"))
    given(retired).when(opening()).refused("card_type_retired", "/cardType", "the card type EUR10 is retired")


def test_a_chunk_of_cards_and_the_progress_are_booked_as_one_and_ask_for_the_next() -> None:
    world = given(opened(250)).when(filling(0))
    world.then(grown(100), *chunk(0, 100)).answers(batchId=BATCH, count=250, created=100)
    assert follow_ups(world) == (next_chunk(100, 100),)


def test_the_last_chunk_has_what_is_missing_and_asks_for_nothing() -> None:
    world = given(opened(250), grown(200)).when(filling(200, 50))
    world.then(grown(250), *chunk(200, 250)).answers(batchId=BATCH, count=250, created=250)
    assert follow_ups(world) == ()


@pytest.mark.parametrize(
    ("before", "payload"),
    [
        ((), filling(0)),
        ((opened(250), grown(100)), filling(0)),
        ((opened(250), grown(100)), filling(200)),
        ((opened(250),), filling(0, seed="00" * 32)),
        ((opened(100), grown(100)), filling(100)),
    ],
)
def test_a_chunk_that_is_not_the_next_creates_nothing(before: tuple[Booked, ...], payload: FillBatch) -> None:
    world = given(*before).when(payload).then()
    assert follow_ups(world) == ()


def test_numbers_that_are_taken_are_skipped_and_replaced() -> None:
    (card, _), (_, serial) = new_card(0, serial="another"), new_card(1)
    world = given(opened(3), card, serial).when(filling(0, 3))
    world.then(grown(1, 3), *chunk(2, 3))
    assert follow_ups(world) == (next_chunk(3, 2),)
    world.when(filling(3, 2)).then(grown(3, 5), *chunk(3, 5))


def test_a_batch_that_stands_still_is_woken_by_the_sweep() -> None:
    world = given(opened(250), grown(100))
    dumped = DECIDER.dump_state(world.states[STREAM])
    assert dumped["due_at"] == T0 + timedelta(minutes=1)
    found = wake(STREAM, dumped)
    assert found is not None
    assert (found.type, found.subject, found.payload) == (
        "giftcard.fill_batch.v1",
        BATCH,
        next_chunk(100, 100).payload,
    )
    full = given(opened(100), grown(100)).states[STREAM]
    assert DECIDER.dump_state(full)["due_at"] is None
    assert DECIDER.dump_state(Batch(BATCH))["due_at"] is None


BEGIN = BeginBatchExport(batch_id=BATCH, export_id=EXPORT, context=AT)
CONFIRM = ConfirmBatchExport(batch_id=BATCH, export_id=EXPORT, context=AT)
FULL = (opened(100), grown(100))
RESULT = {"batchId": BATCH, "exportId": EXPORT}
UNFINISHED = [
    ((), ("batch_unknown", "/batchId", "there is no such batch")),
    (
        (opened(250), grown(200)),
        ("batch_not_filled", "/batchId", "200 of 250 cards of the batch are there: wait until it is full"),
    ),
]


def test_an_export_begins_once_and_may_begin_again_until_it_is_confirmed() -> None:
    world = given(*FULL).when(BEGIN).then(begun()).answers(**RESULT)
    world = world.when(BEGIN).then().answers(**RESULT)
    detail = f"the export {EXPORT} of the batch is not complete: continue that one"
    world.when(BEGIN.model_copy(update={"export_id": OTHER})).refused("batch_export_open", "/exportId", detail)


def test_a_confirmed_export_was_the_only_one() -> None:
    world = given(*FULL, begun()).when(CONFIRM).then(confirmed()).answers(**RESULT)
    world = world.when(CONFIRM).then().answers(**RESULT)
    detail = "the batch was exported on 2026-11-22; it cannot be exported again"
    for export in (EXPORT, OTHER):
        again = BEGIN.model_copy(update={"export_id": export})
        world.when(again).refused("batch_exported", "/batchId", detail)


@pytest.mark.parametrize(("before", "refusal"), UNFINISHED)
def test_a_batch_is_exported_when_it_is_full(before: tuple[Booked, ...], refusal: tuple[str, str, str]) -> None:
    given(*before).when(BEGIN).refused(*refusal)
    given(*before).when(CONFIRM).refused(*refusal)


def test_only_the_open_export_is_confirmed() -> None:
    refusal = ("batch_export_unknown", "/exportId", "the batch has no export with this id")
    given(*FULL).when(CONFIRM).refused(*refusal)
    given(*FULL, begun(OTHER)).when(CONFIRM).refused(*refusal)


def test_states_of_a_batch_in_order() -> None:
    steps = (opened(1), grown(1), begun(), confirmed())
    found = [given(*steps[:count]).states[STREAM] for count in range(1, 5)]
    assert [each.state for each in found if isinstance(each, Batch)] == list(BatchState)
    views = [DECIDER.views(each) for each in found]
    assert all(view is not None and SEED not in str(view.value) for view in views)
