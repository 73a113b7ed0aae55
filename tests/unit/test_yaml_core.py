"""YAML by the core schema of its version 1.2, and where a value stands."""

from decimal import Decimal
from typing import Any

import pytest

from cli.yaml_core import BYTES_MAX, DEPTH_MAX, NotYaml, load

SCALARS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE", "!!bool true"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{text: text for text in ("on", "yes", "no", "Off", "y", "tRue", "<<", "=")},
    **{text: text for text in ("1:30", "190:20:30", "1_000", "0b11", "2027-01-01", "2027-01-01T00:00:00Z", "1e")},
    "0": 0,
    "-12": -12,
    "+7": 7,
    "0100": 100,
    "-010": -10,
    "0o17": 15,
    "0x1F": 31,
    "!!int 5": 5,
    "1.5": Decimal("1.5"),
    ".5": Decimal("0.5"),
    "1.": Decimal(1),
    "1e3": Decimal(1000),
    "-2.5E-1": Decimal("-0.25"),
    ".inf": Decimal("Infinity"),
    "-.Inf": Decimal("-Infinity"),
    "0.1": Decimal("0.1"),
    "'0100'": "0100",
    '"true"': "true",
    "!!str 5": "5",
}


@pytest.mark.parametrize("text", SCALARS)
def test_scalars_are_those_of_the_core_schema(text: str) -> None:
    value = load(f"k: {text}".encode()).value["k"]
    assert value == SCALARS[text]
    assert type(value) is type(SCALARS[text])


def test_no_number_is_none() -> None:
    assert load(b"k: .nan").value["k"].is_nan()


BOMB = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)

REFUSED = {
    "a key that is a list": (b"? [a]\n: b\n", (1, 3), "a key must be a text"),
    "a key that is a number": (b"a: 1\n1: 2\n", (2, 1), "a key must be a text"),
    "a key twice": (b"a: 1\nb:\n  c: 1\n  'c': 2\n", (4, 3), "the key 'c' is given twice"),
    "a tag of a language": (b"a: !!python/object:os.system x", (1, 4), "the tag"),
    "a tag on a mapping": (b"a:\n- !x {b: c}", (2, 3), "the tag !x"),
    "a tag that does not fit": (b"a: !!int x", (1, 4), "'x' is not a valid int"),
    "an endless exponent": (b"a: 1e9999999999999999999999", (1, 4), "not a valid float"),
    "a number of a thousand digits": (b"a: " + b"9" * 1000, (1, 4), "not a valid int"),
    "an alias of nothing": (b"a: *b", (1, 4), "found undefined alias 'b'"),
    "an alias inside what it names": (b"a: &a [*a]", (1, 4), "contains itself"),
    "aliases of aliases": (BOMB.encode(), None, "more than 200,000 values"),
    "a deep one": (b"[" * (DEPTH_MAX + 1), (1, DEPTH_MAX + 1), "nested deeper than 32"),
    "a very deep one": (b"[" * 100_000, (1, DEPTH_MAX + 1), "nested deeper than 32"),
    "a long one": (b"#" * (BYTES_MAX + 1), None, "has more than 4,194,304 bytes"),
    "two documents": (b"a: 1\n---\nb: 2\n", (2, 1), "but found another document"),
    "another encoding": ("a: é".encode("latin-1"), (1, 4), "is not UTF-8"),
    "UTF-16": ("a: b".encode("utf-16"), (1, 1), "is not UTF-8"),
    "a control character": (b"a: 1\nb: \x00", (2, 4), "the character U+0000 is not allowed"),
    "a bracket too few": (b"a: [1,\n", (2, 1), "expected the node content"),
    "a tab": (b"a:\n\tb: 1", (2, 1), "cannot start any token"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_is_told_with_its_place(what: str) -> None:
    raw, place, message = REFUSED[what]
    with pytest.raises(NotYaml) as caught:
        load(raw)
    assert message in str(caught.value)
    assert place in (None, caught.value.place)


def test_an_alias_may_be_used() -> None:
    assert load(b"a: &x {b: 1}\nc: [*x, *x]").value == {"a": {"b": 1}, "c": [{"b": 1}, {"b": 1}]}
    assert load(b"").value is None


def test_where_values_and_keys_stand() -> None:
    document = load("é: 1\na:\n  - {b: 'x', c: y}\n".encode())
    assert document.place(["a", 0, "c"]) == (3, 17)
    assert document.key_place(["a", 0, "c"]) == (3, 14)
    assert document.place(["a", 0, "d"]) == document.place(["a", 0]) == document.place(["a", 0, "d", 1]) == (3, 5)
    assert document.place([]) == document.place(["z"]) == (1, 1)
    assert [document.is_plain(["a", 0, each]) for each in "bcd"] == [False, True, False]


def test_numbers_that_are_read_otherwise_than_in_yaml_1_1_are_told() -> None:
    document = load(b"a: 0100\nb: [0x1F, 10, +1, -010, '0100', 00.5]\n")
    assert document.oddities == [
        ((1, 4), "0100 is read as 100; write 100"),
        ((2, 5), "0x1F is read as 31; write 31"),
        ((2, 19), "-010 is read as -10; write -10"),
    ]
