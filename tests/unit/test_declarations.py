"""Declarations that cannot be meant are refused, each with its file, line and column; what is odd is told."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.commands import declarations
from cli.commands.cross_checks import Known
from schemas.points import PutProgramme
from schemas.programme import Programme
from schemas.tiers import TierSet
from schemas.voucher_definition import PutDefinition, VoucherDefinition
from tests.unit.declaration_cases import AGAINST, MEANT, ODD, REFUSED, V, write

NOW = datetime(2026, 11, 28, tzinfo=UTC)
NOTHING = Known({}, {}, {})


def assert_told(line: str, expected: str, file: str, text: str) -> None:
    """Whether a line says, for `SNIPPET <- MESSAGE`, this message of the place where the snippet stands."""
    snippet, _, message = expected.partition("<- ")
    told = re.fullmatch(rf"{re.escape(file)}:(\d+):(\d+): (.*)", line)
    assert told, line
    row, column = int(told[1]) - 1, int(told[2]) - 1
    assert (text.splitlines()[row][column:] + " ").startswith(snippet.removesuffix(" ")), line
    assert told[3].startswith(message.replace("FILE", file)), line


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_meant_is_refused_with_its_place(what: str, tmp_path: Path) -> None:
    text, *expected = REFUSED[what]
    file = write(tmp_path, text)
    with pytest.raises(declarations.Invalid) as caught:
        declarations.read([file]).against(NOTHING, NOW)
    assert len(caught.value.lines) == len(expected)
    for line, wanted in zip(caught.value.lines, expected, strict=True):
        assert_told(line, wanted, file, text)


@pytest.mark.parametrize("what", ODD)
def test_what_is_odd_is_told_and_not_refused(what: str, tmp_path: Path) -> None:
    text, expected = ODD[what]
    file = write(tmp_path, text)
    (told,) = declarations.read([file]).against(NOTHING, NOW)
    assert_told(told, expected, file, text)


@pytest.mark.parametrize("what", MEANT)
def test_what_can_be_meant_is_taken(what: str, tmp_path: Path) -> None:
    assert declarations.read([write(tmp_path, MEANT[what])]).against(NOTHING, NOW) == []


def known() -> Known:
    """A shop: A sells V, which any may; B has a voucher of its own; T is the primary tier set, in points of A."""
    vouchers = [
        VoucherDefinition(code="V", titles={"en": "v"}, default_language="en"),
        VoucherDefinition(code="OF-B", titles={"en": "v"}, default_language="en", programme="B"),
    ]
    programmes = [
        Programme.model_validate(
            {"id": "A", "descriptions": {"en": "a"}, "purchases": [{"voucherId": "V", "price": 5}]}
        ),
        Programme.model_validate({"id": "B", "descriptions": {"en": "b"}, "unit": "EUR", "scale": 2}),
    ]
    tier_set = TierSet.model_validate(
        {
            "id": "T",
            "descriptions": {"en": "t"},
            "programme": "A",
            "period": {"calendar": "year"},
            "levels": [{"code": "X", "at": 1}],
            "primary": True,
            "basis": "spend",
            "currency": "EUR",
        }
    )
    return Known(
        {each.id: each for each in programmes}, {each.code: each for each in vouchers}, {"T": tier_set}, "shop"
    )


@pytest.mark.parametrize("what", AGAINST)
def test_files_are_held_against_what_is_declared_already(what: str, tmp_path: Path) -> None:
    text, expected = AGAINST[what]
    file = write(tmp_path, text)
    files = declarations.read([file])
    if expected is None:
        assert files.against(known(), NOW) == []
        return
    with pytest.raises(declarations.Invalid) as caught:
        files.against(known(), NOW)
    (line,) = caught.value.lines
    assert_told(line, expected, file, text)


def test_files_are_held_against_each_other(tmp_path: Path) -> None:
    vouchers = write(tmp_path, f"vouchers: [{V}]", "vouchers.yaml")
    programmes = write(
        tmp_path, "programmes: [{id: A, descriptions: {en: a}, purchases: [{voucherId: V, price: 1}]}]", "a.yaml"
    )
    assert declarations.read([programmes, vouchers]).against(NOTHING, NOW) == []
    again = write(tmp_path, f"vouchers: [\n {V}]", "again.yaml")
    with pytest.raises(declarations.Invalid) as caught:
        declarations.read([programmes, vouchers, again])
    assert caught.value.lines == (f"{again}:2:9: /vouchers/0/code: is also declared at {vouchers}:1:12",)


def test_a_command_is_refused_too() -> None:
    """Whoever sends declarations without the command line."""
    offer = {"voucherId": "V", "price": 0.5}
    with pytest.raises(ValueError, match=r"/purchases/0/price: 0\.5 has more decimals"):
        PutProgramme.model_validate({"programme": {"id": "A", "descriptions": {"en": "a"}, "purchases": [offer]}})
    voucher = {"code": "V", "titles": {"en": "v"}, "defaultLanguage": "en", "zone": "localtime"}
    with pytest.raises(ValueError, match="'localtime' is no IANA time zone"):
        PutDefinition.model_validate({"definition": voucher})
    assert VoucherDefinition.model_validate(voucher).zone == "localtime"  # What is stored can still be read.
