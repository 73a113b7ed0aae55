"""Of the changes that come with a reply, statements take those of points; the others are no fault."""

import pytest
from prometheus_client import REGISTRY

from schemas._registry import SERVICES, ServiceWire
from services.edge.views.changes import of_value
from tests.contract.examples import EXAMPLES


def unreadable() -> float:
    """How many changes could not be read until now."""
    return REGISTRY.get_sample_value("fealty_view_changes_total", {"outcome": "unreadable"}) or 0.0


@pytest.mark.parametrize("service", [each for each in SERVICES if each.changed], ids=lambda each: each.name)
def test_changes_of_every_service_are_taken_or_left_out_without_an_error(service: ServiceWire) -> None:
    assert service.changed is not None
    (change, *_) = EXAMPLES[service.changed[0]]
    before = unreadable()
    taken = of_value(change.model_dump(mode="json", by_alias=True))
    assert (taken is not None) == (service.name == "points")
    assert unreadable() == before


def test_what_is_no_change_is_counted() -> None:
    before = unreadable()
    assert of_value({"account": "a"}) is None
    assert unreadable() == before + 1
