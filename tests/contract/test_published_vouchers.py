"""What the voucher service really writes, and sends to the points service, held against documents and models."""

import json
from typing import Any

import pytest

from schemas.replies import Status
from schemas.vouchers import (
    CLOSE_REVERSAL,
    CLOSE_TRANSACTION,
    DEFINITION_VIEW,
    EVENTS,
    REJECTIONS,
    VOUCHER_VIEW,
    Answer,
    CloseReversal,
    CloseTransaction,
    DefinitionView,
    VoucherChanged,
    VoucherView,
)
from services.voucher.changes import changes
from services.voucher.decider import DECIDER
from services.voucher.events import dump_event, load_event
from services.voucher.main import SERVICE
from services.voucher.pivot import answer
from services.voucher.state import DecisionEvent, LifeEvent, definition_stream, transaction_stream, voucher_stream
from shared.runtime.publish import RecordBuilder, snapshot_value
from shared.settings import Settings
from tests.contract.test_published import entry, misfits
from tests.contract.voucher_examples import CLOSINGS, EXAMPLES, SERIAL, TRANSACTION

STREAM, DEFINITION_STREAM = voucher_stream("default", SERIAL), definition_stream("default", "VOUCHER-10")
BUILDER = RecordBuilder(SERVICE, Settings.model_construct())
CLOSING: dict[str, type[Answer]] = {CLOSE_TRANSACTION: CloseTransaction, CLOSE_REVERSAL: CloseReversal}
EVENT_EXAMPLES: list[Any] = [value for name in EVENTS for value in EXAMPLES[name]]
DECISIONS = [event for event in EVENT_EXAMPLES if isinstance(event, DecisionEvent)]


@pytest.mark.parametrize("event", EVENT_EXAMPLES, ids=[event.type for event in EVENT_EXAMPLES])
def test_events(event: Any) -> None:
    document = dump_event(event)
    assert load_event(document) == event
    records = BUILDER.entry(entry(Status.ACCEPTED, events=[{"stream": f"voucher/default/{SERIAL}", "data": document}]))
    assert len(records) == (2 if isinstance(event, LifeEvent) else 1)
    assert [misfits(record) for record in records] == [[] for _ in records]
    assert {record.key for record in records} == {SERIAL.encode()}


def test_a_change_has_every_field() -> None:
    for event in EVENT_EXAMPLES:
        change = changes(dump_event(event))
        assert (change is not None) == isinstance(event, LifeEvent)
        if change is not None:
            told = VoucherChanged.model_validate(change).model_dump(mode="json", by_alias=True, exclude_unset=True)
            priced = {"unit"} if change["kind"] == "issue" else set()
            assert change.keys() == {*VoucherChanged.model_json_schema()["required"], *priced}
            assert told == change


def test_a_change_from_before_units_were_recorded_is_published_as_it_was() -> None:
    document = dump_event(EXAMPLES["voucher.issued.v1"][0])
    former = {name: value for name, value in document.items() if name != "unit"}
    assert dump_event(load_event(former)) == former
    change = changes(former)
    assert change is not None
    assert sorted(change) == sorted(VoucherChanged.model_json_schema()["required"])


@pytest.mark.parametrize("command", REJECTIONS)
def test_refusals(command: str) -> None:
    (record,) = BUILDER.entry(entry(Status.REJECTED, code="too_large", detail="d", pointer=None) | {"type": command})
    assert misfits(record) == []


def test_snapshots() -> None:
    """A view is what its model says, field for field; a decision is not published."""
    state = DECIDER.initial(STREAM)
    assert DECIDER.views(state) is None
    for version, event in enumerate((each for each in EVENT_EXAMPLES if isinstance(each, LifeEvent)), 1):
        state = DECIDER.evolve(state, event)
        view = DECIDER.views(state)
        assert view is not None
        assert (view.type, view.subject) == (VOUCHER_VIEW, SERIAL)
        assert misfits(BUILDER.snapshot(STREAM, version, view)) == []
        assert VoucherView.model_validate(view.value).model_dump(mode="json", by_alias=True) == view.value
    definition = DECIDER.evolve(
        DECIDER.initial("definition/default/VOUCHER-10"), EXAMPLES["voucher.definition_put.v1"][0]
    )
    view = DECIDER.views(definition)
    assert view is not None
    assert view.type == DEFINITION_VIEW
    assert misfits(BUILDER.snapshot(DEFINITION_STREAM, 1, view)) == []
    assert DefinitionView.model_validate(view.value).model_dump(mode="json", by_alias=True) == view.value
    pivot = DECIDER.evolve(DECIDER.initial(transaction_stream("default", TRANSACTION)), DECISIONS[0])
    assert DECIDER.views(pivot) is None


@pytest.mark.parametrize("event", DECISIONS, ids=[event.type for event in DECISIONS])
def test_what_the_points_service_is_told(event: Any) -> None:
    """A command that it takes, with snapshots as the runtime adds them, or without."""
    told = answer(event)
    model = CLOSING[told.type]
    closing = model.model_validate_json(json.dumps(told.payload))
    assert closing.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"snapshots"}) == told.payload
    view = DECIDER.views(DECIDER.evolve(DECIDER.initial(STREAM), EXAMPLES["voucher.issued.v1"][0]))
    assert view is not None
    part = {"stream": "s", "version": 1, "type": view.type, "value": snapshot_value(1, view)}
    assert model.model_validate_json(json.dumps({**told.payload, "snapshots": [part]})).snapshots


@pytest.mark.parametrize("closing", CLOSINGS, ids=[type(closing).__name__ for closing in CLOSINGS])
def test_closings_come_back(closing: Any) -> None:
    assert type(closing).model_validate_json(closing.model_dump_json(by_alias=True)) == closing
