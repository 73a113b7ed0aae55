"""The table of kinds of declarations: a row for each field of a file, and a command that its service takes."""

from typing import Any

import pytest

from cli.commands.kinds import KINDS, Kind, each_of
from schemas.declarations import STORE_WIDE, Declarations
from services.registry import service_of
from shared.settings import Settings

ONE = Declarations.model_validate(
    {
        "vouchers": [{"code": "V", "titles": {"en": "V"}, "defaultLanguage": "en"}],
        "programmes": [{"id": "P", "descriptions": {"en": "P"}, "purchases": [{"voucherId": "V", "price": 1}]}],
        "tierSets": [
            {
                "id": "T",
                "descriptions": {"en": "T"},
                "programme": "P",
                "period": {"calendar": "year"},
                "levels": [{"code": "A", "at": 0}],
            }
        ],
        "giftCardTypes": [{"code": "G", "currency": "EUR"}],
        "accountNumbers": ["62*"],
        "orderNumbers": {"uniquePer": "shop"},
    }
)
BY_FIELD = {kind.field: kind for kind in KINDS}


def test_every_field_of_a_file_has_one_row() -> None:
    assert BY_FIELD.keys() == Declarations.model_fields.keys()
    assert len(BY_FIELD) == len(KINDS) == len({kind.command for kind in KINDS}) == len({kind.called for kind in KINDS})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.field)
def test_a_row_names_what_its_service_takes(kind: Kind) -> None:
    (declared,) = (each for each in each_of(ONE) if each.kind is kind)
    commands = service_of(kind.service, Settings()).commands
    assert isinstance(kind.payload(declared.value), commands[kind.command])
    assert declared.id == (STORE_WIDE if kind.id is None else getattr(declared.value, kind.id))
    assert list(kind.faults(declared.value)) == []
    place: Any = ONE.model_dump(by_alias=True)
    for step in declared.path:
        place = place[step]
    assert place


def test_what_is_needed_is_sent_before() -> None:
    sent: list[tuple[str, str]] = []
    for each in each_of(ONE):
        assert {*each.kind.needs(each.value)} <= {*sent}
        sent.append(each.key)
    assert BY_FIELD["programmes"].needs(ONE.programmes[0]) == [("vouchers", "V")]


def test_files_together_declare_all_that_each_does() -> None:
    none = Declarations()
    assert {kind.field: kind.together([none, ONE]) for kind in KINDS} == {
        kind.field: getattr(ONE, kind.field) for kind in KINDS
    }
    assert BY_FIELD["vouchers"].together([ONE, ONE]) == (*ONE.vouchers, *ONE.vouchers)
    assert BY_FIELD["order_numbers"].together([none, none]) is None
