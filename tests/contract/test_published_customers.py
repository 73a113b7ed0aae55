"""What the customer service really writes, held against the committed documents; and nothing personal among it."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from schemas.contacts import Gender
from schemas.customers import EVENTS, REJECTIONS, ClaimKind
from schemas.replies import Status
from services.customer.main import service
from services.customer.profile import Profile
from services.customer.state import Customer, Event, Personal
from shared.runtime.kafka import Record
from shared.runtime.publish import RecordBuilder
from shared.settings import Settings
from tests.contract.customer_examples import CUSTOMER, EXAMPLES
from tests.contract.test_published import entry, misfits

SETTINGS = Settings.model_construct(claims_secret=SecretStr("k"))
SERVICE = service(SETTINGS)
BUILDER = RecordBuilder(SERVICE, SETTINGS)
STREAM = f"customer/default/{CUSTOMER}"
PROFILE = Profile(first_name="Personal", gender=Gender.OTHER)
PERSONAL = Personal(PROFILE, {ClaimKind.EMAIL: "ab" * 32}, "Personal reason")
TOLD: list[Any] = [value for name in EVENTS for value in EXAMPLES[name]]


def published(*events: Event) -> list[Record]:
    """The records of an entry with these events."""
    booked = [{"stream": STREAM, "data": SERVICE.decider.dump_event(event)} for event in events]
    return BUILDER.entry(entry(Status.ACCEPTED, events=booked))


@pytest.mark.parametrize("told", TOLD, ids=[told.type for told in TOLD])
def test_events_leave_out_what_is_personal(told: Any) -> None:
    event = Event(told, PERSONAL)
    document = SERVICE.decider.dump_event(event)
    assert SERVICE.decider.load_event(document) == event
    assert SERVICE.decider.load_event({**document, "personal": None}) == Event(told)
    (record,) = published(event)
    assert misfits(record) == []
    assert "personal" not in json.loads(record.value)
    assert b"Personal" not in record.value
    assert "personal" in document, "the entry keeps it"


@pytest.mark.parametrize("command", REJECTIONS)
def test_refusals(command: str) -> None:
    refused = entry(Status.REJECTED, code="email_in_use", detail="d", pointer=None) | {"type": command}
    (record,) = BUILDER.entry(refused)
    assert misfits(record) == []


def test_snapshots() -> None:
    decider = SERVICE.decider
    state = decider.evolve(Customer(CUSTOMER), Event(EXAMPLES["customer.created.v1"][0], PERSONAL))
    for name in ("customer.updated.v1", "customer.card_replaced.v1", "customer.anonymised.v1"):
        view = decider.views(state)
        assert view is not None
        assert misfits(BUILDER.snapshot(STREAM, 1, view)) == []
        state = decider.evolve(state, Event(EXAMPLES[name][0], PERSONAL))
    view = decider.views(state)
    assert view is not None
    record = BUILDER.snapshot(STREAM, 4, view)
    assert misfits(record) == []
    assert b"Personal" not in record.value
    assert decider.views(decider.initial("claim/default/email/ab")) is None
