"""A service stands in the table of services and in that of its wire, has a folder and its topics; nothing else does."""

import pytest

from schemas._registry import SERVICES as ON_THE_WIRE
from schemas._registry import ServiceWire
from schemas.topics import TOPICS, Kind
from services.registry import JOURNALED, SERVICES, runner_of, service_of
from shared.settings import Settings
from tests.test_house import ROOT


def test_every_folder_of_a_service_is_in_the_table() -> None:
    folders = {path.parent.name for path in (ROOT / "services").glob("*/main.py")}
    assert folders == set(SERVICES)


def test_services_that_keep_a_journal_are_on_the_wire() -> None:
    assert {service.name for service in ON_THE_WIRE} == set(JOURNALED)
    for kind in (Kind.COMMANDS, Kind.EVENTS, Kind.SNAPSHOTS, Kind.DEAD_LETTERS):
        assert {topic.owner for topic in TOPICS.values() if topic.kind is kind} == set(JOURNALED)


@pytest.mark.parametrize("wire", ON_THE_WIRE, ids=lambda wire: wire.name)
def test_a_service_decides_what_it_has_on_the_wire(wire: ServiceWire) -> None:
    service = service_of(wire.name, Settings())
    assert service.name == wire.name
    assert set(service.commands) == set(wire.commands)
    assert dict(service.rejections) == dict(wire.rejections)
    assert service.changed == ("" if wire.changed is None else wire.changed[0])


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_can_be_run(name: str) -> None:
    assert callable(runner_of(name))


@pytest.mark.parametrize("name", ["edge", "nobody"])
def test_who_keeps_no_journal_is_no_such_service(name: str) -> None:
    with pytest.raises(KeyError):
        service_of(name, Settings())
