"""Rows of gift cards: what they become, why they are refused, and that a code leaves as a hash alone."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.importing import Format, opened
from cli.importing.cards import CreatedCards, ImportedCards
from cli.importing.kind import Planned, Refused
from cli.importing.rejects import Rejects
from schemas.giftcards import CardType, CardTypeState, CreateCard, ImportCard
from schemas.key_sets import KeySet
from schemas.scratch_codes import code_matches
from services.giftcard.decider import DECIDER
from services.giftcard.state import DeclaredType
from shared.decider import Document
from shared.runtime.journal import Journal

OLD, NEW = f"old:{'A' * 43}=", f"new:{'E' * 43}="
KEYS, ROTATED = KeySet.parse(OLD), KeySet.parse(f"{NEW},{OLD}")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
HEADER = "card_id,serial_number,card_type,status,balance,expires_at,scratch_code\n"
CODE = "4711-TOP-SECRET"


class _Types:
    """A journal with two card types, one of which is retired."""

    async def load(self, _: Any, streams: list[str]) -> Any:
        found = {}
        for code, state in (("EUR", CardTypeState.ACTIVE), ("OLD", CardTypeState.RETIRED)):
            card_type = CardType(
                code=code, currency="EUR", max_balance=Decimal(5), zone="Europe/Amsterdam", state=state
            )
            document = {"state": DECIDER.dump_state(DeclaredType(code, card_type, 1))}
            found[f"type/default/{code}"] = SimpleNamespace(document=document)
        return SimpleNamespace(streams={name: found[name] for name in streams if name in found})


def imported(tmp_path: Path, lines: str, kind: Any = None) -> list[Planned | Refused]:
    """What becomes of the rows of a file."""
    kind = kind or ImportedCards("default", KEYS, "go-live")
    path = tmp_path / "cards.csv"
    path.write_text(lines)
    with opened(path, Format.CSV, kind.layout) as file:
        return asyncio.run(kind.plan(list(file.rows), cast(Journal, _Types())))


def entry_of(planned: Planned, type_: str = "giftcard.imported.v1", **more: Any) -> Document:
    """The journal's entry of a row that was booked."""
    payload = planned.payload.model_dump(mode="json", by_alias=True)
    status = payload.get("status", "created")
    delta = int(planned.value * 100)
    data = {**payload, "type": type_, "newStatus": status, "delta": delta, "balance": delta, **more}
    return {"events": [{"data": data}]}


def test_a_row_becomes_a_card_as_it_is_elsewhere_and_its_code_a_hash(tmp_path: Path) -> None:
    (planned,) = imported(tmp_path, HEADER + f"C-1,S-1,OLD,Active,25.50,2027-06-30,{CODE}")
    assert isinstance(planned, Planned)
    payload = planned.payload
    assert isinstance(payload, ImportCard)
    assert (payload.card_id, payload.serial_number, payload.card_type) == ("C-1", "S-1", "OLD")
    assert (payload.status, payload.balance, payload.batch) == ("active", Decimal("25.50"), "go-live")
    assert payload.expires_at == datetime(2027, 6, 30, 22, tzinfo=UTC), "the end of the day in the type's zone"
    assert payload.code is not None
    assert "SECRET" not in planned.payload.model_dump_json()
    event: Any = SimpleNamespace(key=payload.code.key, hash=payload.code.hash)
    assert code_matches(KEYS, "default", "C-1", event, "4711 top secret")


REFUSED = {
    "C-1,S-1,NONE,active,1,,": "there is no card type 'NONE'",
    "C-1,S-1,EUR,void,0,,": "status is not created, active or redeemed; cards in other states cannot be used any more",
    "C-1,S-1,EUR,active,,,": "balance must be above zero for an active card, and zero for all others",
    "C-1,S-1,EUR,redeemed,1,,": "balance must be above zero for an active card, and zero for all others",
    "C-1,S-1,EUR,created,,2030-01-01,": (
        "expires_at must be empty for a created card: its type gives it one when it is first loaded"
    ),
    "C-1,S-1,EUR,active,-1,,": "balance is below zero",
    "C-1,S-1,EUR,active,1.001,,": "balance has too many decimals: EUR has 2",
    "C-1,S-1,EUR,active,ten,,": "balance is not a number: write digits, with a point before the decimals",
    "C-1,S-1,EUR,active,1,soon,": ("expires_at is neither a date (2027-12-31) nor an instant (2027-12-31T23:00:00Z)"),
    "C-1,,EUR,active,1,,": "serial_number is missing",
    f"{'C' * 65},S-1,EUR,active,1,,": "card_id has more than 64 characters",
    "C-1,S-1,EUR,active,1,, - - ": "scratch_code has only blanks and hyphens",
}


@pytest.mark.parametrize("line", REFUSED)
def test_why_a_row_is_refused(tmp_path: Path, line: str) -> None:
    assert imported(tmp_path, HEADER + line) == [Refused(REFUSED[line])]


def test_an_expired_card_is_refused_when_it_is_sent(tmp_path: Path) -> None:
    kind = ImportedCards("default", KEYS, "go-live")
    (planned,) = imported(tmp_path, HEADER + "C-1,S-1,EUR,active,1,2020-12-31,", kind)
    assert isinstance(planned, Planned)
    assert kind.refused_now(planned, NOW) == Refused("expires_at is in the past")


def test_a_card_is_in_a_file_once() -> None:
    assert ImportedCards("default", KEYS, "x").repeats(7) == Refused("has the card_id of line 7")


def test_a_row_is_recognised_after_the_key_of_codes_has_changed_and_no_other_row_is(tmp_path: Path) -> None:
    line = HEADER + f"C-1,S-1,EUR,active,25.50,2027-06-30,{CODE}"
    (before,) = imported(tmp_path, line)
    later = ImportedCards("default", ROTATED, "go-live")
    (after,) = imported(tmp_path, line, later)
    assert isinstance(before, Planned)
    assert isinstance(after, Planned)
    assert before.payload != after.payload
    entry = entry_of(before)
    assert later.is_booked(after, entry)
    others = [("25.50", "25.51"), ("S-1", "S-2"), ("2027", "2028"), (CODE, "another"), (CODE, "")]
    for old, new in others:
        (other,) = imported(tmp_path, line.replace(old, new), later)
        assert isinstance(other, Planned)
        assert not later.is_booked(other, entry), new


def test_printed_cards_are_created_without_a_balance_and_need_no_code(tmp_path: Path) -> None:
    kind = CreatedCards("default", KEYS, "print-1", "EUR")
    lines = f"card_id,serial_number,scratch_code\nC-1,S-1,{CODE}\nC-2,S-2,\n"
    first, second = imported(tmp_path, lines, kind)
    assert isinstance(first, Planned)
    assert isinstance(second, Planned)
    assert isinstance(first.payload, CreateCard)
    assert isinstance(second.payload, CreateCard)
    assert first.payload.code is not None
    assert second.payload.code is None
    assert {first.payload.batch, second.payload.batch} == {"print-1"}
    assert kind.is_booked(second, entry_of(second, "giftcard.created.v1"))
    assert kind.refused_now(first, NOW) is None
    retired = CreatedCards("default", KEYS, "print-1", "OLD")
    (planned, _) = imported(tmp_path, lines, retired)
    assert isinstance(planned, Planned)
    assert retired.refused_now(planned, NOW) == Refused("the card type OLD is retired")


def test_the_file_of_refused_rows_is_private(tmp_path: Path) -> None:
    """It has the codes of the rows in clear, as the file that they came from."""
    source = tmp_path / "cards.csv"
    source.write_text(HEADER + f"C-1,S-1,NONE,active,1,,{CODE}")
    rejects = Rejects(tmp_path / "rejects.csv")
    (tmp_path / "rejects.csv.part").touch(mode=0o644)
    with opened(source, Format.CSV, ImportedCards.layout) as file:
        rejects.add(file.columns, next(file.rows), "why")
    rejects.close()
    assert (tmp_path / "rejects.csv").stat().st_mode & 0o777 == 0o600
