"""Declaring tier sets and account numbers (rules 4.1.2, 4.1.12); programmes are in `test_programme`."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.points import CatalogueView, PointsRefusal
from schemas.tiers import PutTierSet, TierSet, TierSetApplied
from schemas.waiting_inputs import AccountNumbersApplied, PutAccountNumbers
from services.points.decider import DECIDER
from services.points.state import Catalogue
from tests.unit.points.world import CATALOGUE, LOY, T0, Given, applied_tiers, given, programme, put, tier_set
from tests.unit.points.world import applied as applied_programme

Refusal = PointsRefusal
SPEND: dict[str, Any] = {"basis": "spend", "currency": "EUR"}


def declare(of: TierSet) -> PutTierSet:
    return PutTierSet(tier_set=of)


def applied(of: TierSet, version: int = 1) -> TierSetApplied:
    return TierSetApplied(tier_set=of, version=version, booked_at=T0)


def declared(world: Given, of: TierSet, *events: TierSetApplied) -> dict[str, Any]:
    """The result, once exactly these events are booked; they stand in the catalogue alone."""
    return world.when(declare(of)).then(*events).accepted.result


def test_a_new_tier_set_is_version_one() -> None:
    of = tier_set()
    assert declared(given(LOY), of, applied(of)) == {"tierSet": "LEVELS", "version": 1}


def test_other_rules_are_a_new_version() -> None:
    of = tier_set(graceDays=10)
    assert declared(given(LOY, applied_tiers(tier_set())), of, applied(of, 2))["version"] == 2


def test_an_equal_one_stays_quiet() -> None:
    world = given(LOY, applied_tiers(tier_set(), 3))
    assert declared(world, tier_set()) == {"tierSet": "LEVELS", "version": 3}


@pytest.mark.parametrize(
    ("rules", "pointer"),
    [
        ({"programme": "ZED"}, "/tierSet/programme"),
        ({"basis": "balance"}, "/tierSet/basis"),
        ({"currency": "USD"}, "/tierSet/currency"),
    ],
)
def test_what_it_measures_is_fixed(rules: dict[str, Any], pointer: str) -> None:
    known = SPEND if "currency" in rules else {}
    world = given(LOY, applied_programme(programme("ZED")), applied_tiers(tier_set(**known)))
    world.when(declare(tier_set(**{**known, **rules}))).refused(Refusal.TIER_SET_FIXED, pointer)


def test_its_programme_must_be_known() -> None:
    given().when(declare(tier_set())).refused(Refusal.PROGRAMME_UNKNOWN, "/tierSet/programme")


def test_a_command_for_another_tier_set_is_refused() -> None:
    when = given(LOY).when(declare(tier_set()), subject="OTHER")
    when.refused(Refusal.TIER_SET_MISMATCH, "/tierSet/id")


def test_a_store_has_one_primary_tier_set() -> None:
    world = given(LOY, applied_tiers(tier_set("FIRST", primary=True)))
    second = tier_set("SECOND", primary=True)
    world.when(declare(second)).refused(Refusal.PRIMARY_TAKEN, "/tierSet/primary")
    declared(world, tier_set("SECOND"), applied(tier_set("SECOND")))
    declared(
        world, tier_set("FIRST", primary=True, graceDays=1), applied(tier_set("FIRST", primary=True, graceDays=1), 2)
    )
    for gone in (tier_set("FIRST"), tier_set("FIRST", primary=True, state="retired")):
        declared(given(LOY, applied_tiers(gone, 2)), second, applied(second))


def test_spend_in_a_programme_is_counted_in_one_currency() -> None:
    euros, dollars = tier_set("EUROS", **SPEND), tier_set("DOLLARS", basis="spend", currency="USD")
    world = given(LOY, applied_programme(programme("ZED")), applied_tiers(euros))
    world.when(declare(dollars)).refused(Refusal.TIER_SET_FIXED, "/tierSet/currency")
    declared(world, tier_set(), applied(tier_set()))
    declared(world, tier_set("MORE", **SPEND), applied(tier_set("MORE", **SPEND)))
    elsewhere = tier_set("DOLLARS", programme="ZED", basis="spend", currency="USD")
    declared(world, elsewhere, applied(elsewhere))
    gone = applied_tiers(tier_set("EUROS", state="retired", **SPEND), 2)
    declared(given(LOY, gone), dollars, applied(dollars))


def test_account_numbers_are_declared_and_the_same_again_stays_quiet() -> None:
    when = given().when(PutAccountNumbers(patterns=("62*",)), subject="all")
    when.then(AccountNumbersApplied(patterns=("62*",), version=1, booked_at=T0))
    assert when.accepted.result == {"version": 1}
    when.world.when(PutAccountNumbers(patterns=("62*",)), subject="all").then()
    none = when.world.when(PutAccountNumbers(patterns=()), subject="all")
    none.then(AccountNumbersApplied(patterns=(), version=2, booked_at=T0))


def test_programmes_and_tier_sets_stand_in_one_catalogue_and_survive_storing() -> None:
    of = tier_set(primary=True)
    when = given(LOY, applied_tiers(of)).when(put(programme("ORD", earnFrom="orders")))
    catalogue = when.states[CATALOGUE]
    assert isinstance(catalogue, Catalogue)
    assert (set(catalogue.programmes), catalogue.tier_sets, catalogue.versions) == (
        {"LOY", "ORD"},
        {"LEVELS": of},
        {"LEVELS": 1},
    )
    assert DECIDER.load_state(CATALOGUE, DECIDER.dump_state(catalogue)) == catalogue
    event = applied(of)
    assert DECIDER.load_event(DECIDER.dump_event(event)) == event
    view = DECIDER.views(catalogue)
    assert view is not None
    shown = CatalogueView.model_validate(view.value)
    assert (shown.tier_sets, shown.order_programmes) == ((of,), ("ORD",))


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"period": {}}, "exactly one"),
        ({"period": {"calendar": "year", "rollingMonths": 12}}, "exactly one"),
        ({"levels": [{"code": "B", "at": 5}, {"code": "A", "at": 5}]}, "levels go upwards"),
        ({"levels": [{"code": "A", "at": 1}, {"code": "A", "at": 5}]}, "the same code"),
        ({"basis": "spend"}, "currency goes with"),
        ({"currency": "EUR"}, "currency goes with"),
        ({"zone": "Mars"}, "no IANA time zone"),
    ],
)
def test_a_tier_set_that_makes_no_sense_is_none(rules: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        tier_set(**rules)
