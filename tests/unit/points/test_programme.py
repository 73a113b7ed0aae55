"""Declaring programmes (rules 4.1.1)."""

from decimal import Decimal
from typing import Any

import pytest

from schemas.points import PointsRefusal, ProgrammeApplied, ProgrammeView
from services.points.decider import DECIDER
from services.points.state import ProgrammeRules
from services.points.streams import programme_stream
from tests.unit.points.world import STORE, T0, applied, given, programme, put

RICH = programme(
    "LOY-22",
    scale=2,
    unit="EUR",
    zone="Europe/Amsterdam",
    expiry={"months": 12, "endOf": "year"},
    accountExpiryMonths=24,
    earn=[{"on": "order", "points": Decimal("1.5"), "per": 10}],
    issueImmediateThreshold={"value": 500, "voucherId": "V"},
    purchases=[{"voucherId": "V", "price": Decimal("999999999999.99"), "from": "2026-01-01T00:00:00Z"}],
    loadLimits={"perLoad": Decimal("10.05")},
)


def test_a_new_programme_is_version_one() -> None:
    when = given().when(put(RICH))
    when.then(ProgrammeApplied(programme=RICH, version=1, booked_at=T0))
    assert when.accepted.result == {"programme": "LOY-22", "version": 1}


def test_other_rules_are_a_new_version() -> None:
    other = programme(expiry={"days": 1})
    given(applied(programme())).when(put(other)).then(ProgrammeApplied(programme=other, version=2, booked_at=T0))


def test_equal_rules_stay_quiet() -> None:
    when = given(applied(programme(loadLimits={"perLoad": 10}), 3)).when(put(programme(loadLimits={"perLoad": 10.0})))
    when.then()
    assert when.accepted.result == {"programme": "LOY", "version": 3}


@pytest.mark.parametrize(
    ("rules", "code", "pointer"),
    [
        ({"scale": 2}, PointsRefusal.SCALE_CHANGED, "/programme/scale"),
        ({"unit": "EUR"}, PointsRefusal.UNIT_CHANGED, "/programme/unit"),
    ],
)
def test_scale_and_unit_are_fixed(rules: dict[str, Any], code: PointsRefusal, pointer: str) -> None:
    given(applied(programme())).when(put(programme(**rules))).refused(code, pointer)


def test_a_command_for_another_programme_is_refused() -> None:
    when = given().when(put(programme()), subject="OTHER")
    when.refused(PointsRefusal.PROGRAMME_MISMATCH, "/programme/id")


def test_it_survives_storing_with_every_digit() -> None:
    event = applied(RICH)
    stored = DECIDER.dump_event(event)
    assert stored["programme"]["earn"] == [{"on": "order", "points": 1.5, "per": 10}]
    assert DECIDER.load_event(stored) == event
    stream = programme_stream(STORE, RICH.id)
    state = DECIDER.evolve(DECIDER.initial(stream), event)
    assert isinstance(state, ProgrammeRules)
    assert (state.per_load, state.per_transaction) == (1005, 100_000_000)
    assert DECIDER.load_state(stream, DECIDER.dump_state(state)) == state
    given(event).when(put(RICH)).then()


def test_its_view_and_none_before() -> None:
    stream = programme_stream(STORE, RICH.id)
    assert DECIDER.views(DECIDER.initial(stream)) is None
    assert DECIDER.load_state(stream, DECIDER.dump_state(DECIDER.initial(stream))) == DECIDER.initial(stream)
    view = DECIDER.views(DECIDER.evolve(DECIDER.initial(stream), applied(RICH)))
    assert view is not None
    assert (view.type, view.subject) == ("points.programme.v1", "LOY-22")
    assert ProgrammeView.model_validate(view.value).programme == RICH
