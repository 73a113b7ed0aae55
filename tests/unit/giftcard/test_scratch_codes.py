"""Scratch codes: how they are derived and compared, and what names the cards that we draw (rules 4.4.2)."""

import base64
import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.giftcards import CodeSource
from schemas.key_sets import KeySet
from schemas.luhn import check_digit
from schemas.scratch_codes import (
    CodeKeyUnknown,
    code_matches,
    derived_code,
    drawn_card,
    drawn_code,
    given_code,
    normalised,
    random_card,
)

SECRET = b"a secret that never changes, as the installation has one"
IDS = st.text(min_size=1, max_size=64)
CODES = st.text(min_size=1, max_size=64).filter(normalised)


def key_text(id_: str, byte: int) -> str:
    return f"{id_}:{base64.b64encode(bytes([byte]) * 32).decode()}"


OLD, NEW = key_text("2026", 1), key_text("2027", 2)
KEYS = KeySet.parse(OLD)
ROTATED = KeySet.parse(f"{NEW},{OLD}")
DERIVED = CodeSource(key="2026")


def source_of_given(keys: KeySet, code: str) -> CodeSource:
    return CodeSource(**given_code(keys, "s", "c", code).model_dump())


def derived(keys: KeySet, store: str, card: str, source: CodeSource = DERIVED) -> str:
    code = derived_code(keys, store, card, source)
    assert code is not None
    return code


@given(IDS, IDS)
def test_derived_code_is_80_bits_in_groups_of_four_and_opens_its_card(store: str, card: str) -> None:
    code = derived(KEYS, store, card)
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", code)
    assert code_matches(KEYS, store, card, DERIVED, code)


def test_derivation_never_changes() -> None:
    """Codes are printed: what derives them may never become another function."""
    assert derived(KEYS, "default", "0b9c") == "1CKJ-9YX3-ZAR9-2XG3"
    assert (
        given_code(KEYS, "default", "0b9c", "1234").hash
        == "bf89f92e740df1176be495e67b82587f221a46556bf3e5fcf53e6d62ed6068ad"
    )
    assert drawn_card(SECRET, "default", "till", "T-1") == (
        "d2d416a3-9e1d-8f06-b944-d2b8fc153d2f",
        "1850144123243407990",
    )


@given(CODES, st.data())
def test_code_is_read_in_any_case_with_confusable_characters_and_any_grouping(text: str, data: st.DataObject) -> None:
    code = derived(KEYS, "s", text)
    alike = {"0": "0Oo", "1": "1IiLl"}
    typed = "".join(
        data.draw(st.sampled_from(["", " ", "-"])) + data.draw(st.sampled_from(alike.get(each, each + each.lower())))
        for each in code.replace("-", "")
    )
    assert code_matches(KEYS, "s", text, DERIVED, typed)


@given(st.integers(0, 15), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_other_character_is_another_code(place: int, other: str) -> None:
    code = derived(KEYS, "s", "c").replace("-", "")
    wrong = code[:place] + other + code[place + 1 :]
    assert code_matches(KEYS, "s", "c", DERIVED, wrong) is (wrong == code)


@pytest.mark.parametrize("wrong", ["", "-", "0", "\ud800", "ſ"])
def test_what_cannot_be_a_code_is_wrong(wrong: str) -> None:
    assert not code_matches(KEYS, "s", "c", DERIVED, wrong)


@given(st.tuples(IDS, IDS), st.tuples(IDS, IDS))
def test_two_stores_and_two_cards_have_other_codes(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (derived(KEYS, *one) == derived(KEYS, *other)) is (one == other)


def test_parts_are_told_apart() -> None:
    assert derived(KEYS, "ab", "c") != derived(KEYS, "a", "bc")
    assert drawn_card(SECRET, "s", "ab", "c") != drawn_card(SECRET, "s", "a", "bc")


@given(CODES)
def test_given_code_opens_its_card_alone(code: str) -> None:
    source = source_of_given(KEYS, code)
    assert code_matches(KEYS, "s", "c", source, f" {code.lower().upper()}")
    assert not code_matches(KEYS, "s", "d", source, code)
    assert not code_matches(KEYS, "t", "c", source, code)
    assert not code_matches(KEYS, "s", "c", source, f"{code}X")
    assert derived_code(KEYS, "s", "c", source) is None, "it can't be told again"


def test_card_with_a_given_code_is_not_opened_by_the_derived_one() -> None:
    assert not code_matches(KEYS, "s", "c", source_of_given(KEYS, "1234"), derived(KEYS, "s", "c"))


@pytest.mark.parametrize("empty", ["", " ", "- -"])
def test_given_code_has_a_character(empty: str) -> None:
    with pytest.raises(ValueError, match="at least one character"):
        given_code(KEYS, "s", "c", empty)


def test_unknown_card_is_opened_by_nothing() -> None:
    assert not code_matches(KEYS, "s", "c", None, derived(KEYS, "s", "c"))


def test_codes_from_before_a_rotation_stay_right() -> None:
    before, given_before = derived(KEYS, "s", "c"), source_of_given(KEYS, "1234")
    assert code_matches(ROTATED, "s", "c", DERIVED, before)
    assert code_matches(ROTATED, "s", "c", given_before, "1234")
    assert drawn_code(ROTATED).key == "2027", "new cards have the new key"
    assert derived(ROTATED, "s", "c", CodeSource(key="2027")) != before
    assert source_of_given(ROTATED, "1234").hash != given_before.hash


def test_key_that_is_not_there_is_no_wrong_answer() -> None:
    with pytest.raises(CodeKeyUnknown, match="2027"):
        code_matches(KEYS, "s", "c", CodeSource(key="2027"), "1234")
    with pytest.raises(CodeKeyUnknown, match="2027"):
        derived_code(KEYS, "s", "c", CodeSource(key="2027"))


# ── the cards that we draw ──────────────────────────────────────────────────────────────────────────────────────────


@given(st.tuples(IDS, IDS, IDS), st.tuples(IDS, IDS, IDS))
def test_each_transaction_draws_one_card(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    first, second = drawn_card(SECRET, *one), drawn_card(SECRET, *other)
    assert (first.card_id == second.card_id) is (first.serial_number == second.serial_number) is (one == other)


@given(IDS)
def test_drawn_card_has_an_id_that_only_the_secret_gives_and_a_number_with_a_check_digit(id_: str) -> None:
    card = drawn_card(SECRET, "s", "till", id_)
    assert UUID(card.card_id).version == 8
    assert re.fullmatch(r"[1-9][0-9]{18}", card.serial_number)
    assert card.serial_number[-1] == check_digit(card.serial_number[:-1])
    assert drawn_card(b"another", "s", "till", id_) != card


def test_random_cards_differ() -> None:
    assert len({each for _ in range(1_000) for each in random_card()}) == 2_000


# ── sets of keys ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_first_key_is_the_current_one() -> None:
    assert (ROTATED.current.id, [key.id for key in ROTATED.keys]) == ("2027", ["2027", "2026"])
    assert ROTATED.find("2026") == KEYS.current
    assert ROTATED.find("2025") is None
    assert KeySet.parse(f" {NEW} , {OLD},") == ROTATED


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no key"),
        (" , ", "no key"),
        (OLD.partition(":")[2], "key 1 has no id"),
        (f"{OLD},:{'A' * 43}=", "key 2 has no id"),
        (f"{OLD},{OLD}", "2026 is there twice"),
        ("2026:AAAA", "2026 is not the base64 of 32 bytes"),
        ("2026:", "2026 is not the base64"),
        (OLD[:-1], "2026 is not the base64"),
        (f"{OLD[:-2]}*=", "2026 is not the base64"),
    ],
)
def test_malformed_keys_are_refused_and_not_shown(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as error:
        KeySet.parse(text)
    assert "AQEB" not in str(error.value)


def test_keys_are_not_shown() -> None:
    assert "\\x01" not in repr(KEYS)
