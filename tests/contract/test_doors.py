"""Whatever comes in from outside is of a type that checks it; every model is walked, so that none is forgotten."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from schemas._registry import registry
from schemas.base import Published, Wire
from schemas.text import STORED, Key, Reference
from schemas.transaction import Transaction
from tests.contract.doors import models, takes, values

ODD = ("a\0b", "a\x1b[2Jb", "a\x7fb", "a\x85b", "a\u2028b", "a\u202eb", "a\u2066b", "a\ud800b")
"""Texts with control characters, with such as turn the direction of a line, and with a lone surrogate."""

LOOKALIKES = (" A", "A ", "\u00a0A", "A\u200b", "A\u00adB", "A/B", "e\u0301", "A\U000e0041", "", "A" * 65)

MODELS = models()


def odd_texts(model: type[BaseModel]) -> list[str]:
    """The places of a model where one of the odd texts is taken."""
    return [f"{place}: {text!a}" for place, value in values(model) for text in ODD if takes(value, text)]


@pytest.mark.parametrize("name", MODELS)
def test_no_text_takes_control_characters(name: str) -> None:
    assert odd_texts(MODELS[name]) == []


@pytest.mark.parametrize("name", [name for name, each in registry().items() if issubclass(each.model, Published)])
def test_what_we_publish_is_not_checked_since_it_may_tell_of_what_was_taken_before(name: str) -> None:
    for place, value in values(registry()[name].model, beside=Wire):
        if takes(value, "a"):
            assert takes(value, " a\x1b/"), place


class Careless(BaseModel):
    """As somebody might write it."""

    plain: str
    listed: tuple[dict[str, str | None], ...] = ()


def test_a_text_that_is_not_checked_is_found() -> None:
    places = {each.partition(":")[0] for each in odd_texts(Careless)}
    assert places == {"Careless.plain", "Careless.listed[]{key}", "Careless.listed[]{}"}


def test_the_walk_sees_what_there_is() -> None:
    assert {"loyalty.transaction.v1", "order.placed.v1", "points.adjust.v1", "customer.create.v1"} <= set(MODELS)
    bodies = {"Transaction", "CustomerSearch", "VoucherIssue", "CreateCustomer", "NewCard", "TierPin"}
    assert {name.rpartition(".")[2] for name in MODELS} >= bodies
    places = {place for place, _ in values(Transaction)}
    assert {"Transaction.context.comment", "Transaction.loyalty_programs[].purchases[].voucher_id"} <= places


@pytest.mark.parametrize("text", LOOKALIKES)
def test_identifiers_that_look_like_others_are_refused_and_read_where_they_are_stored(text: str) -> None:
    number = TypeAdapter(Key)
    with pytest.raises(ValidationError):
        number.validate_python(text)
    if 1 <= len(text) <= 64:
        assert number.validate_python(text, context=STORED) == text


def test_order_numbers_may_have_slashes() -> None:
    order = TypeAdapter(Reference)
    assert order.validate_python("2026/123") == "2026/123"
    with pytest.raises(ValidationError):
        order.validate_python("2026/123 ")


def lax(model: type[BaseModel]) -> list[str]:
    """The places of a model where a text or a boolean is taken for a number, or another value for a boolean or date."""
    found = []
    for place, value in values(model):
        numbers = [each for each in (0, 1, 2, 5, 20, 1000) if takes(value, each)]
        if takes(value, True):
            others: list[object] = [0, 1, 1.0, "true", "1", "yes"]
        else:
            others = [*map(str, numbers), *(f" {each}" for each in numbers)]
        others += [True, False] if numbers else []
        found += [f"{place}: {other!r}" for other in others if takes(value, other)]
    return found


@pytest.mark.parametrize("name", MODELS)
def test_no_number_is_given_as_text_or_boolean(name: str) -> None:
    assert lax(MODELS[name]) == []


class Lax(BaseModel):
    """As somebody might write it."""

    number: int
    amounts: tuple[Decimal, ...]
    flag: bool
    on: date


def test_a_number_that_is_read_laxly_is_found() -> None:
    assert {each.partition(":")[0] for each in lax(Lax)} == {"Lax.number", "Lax.amounts[]", "Lax.flag", "Lax.on"}
