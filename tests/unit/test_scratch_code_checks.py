"""How the edge checks a scratch code: the same work for every answer; and by which address a shopper is known."""

import sys
from collections.abc import Callable
from random import Random
from statistics import median, quantiles
from time import perf_counter_ns
from typing import Any, cast

import pytest
from starlette.requests import Request

from schemas.giftcards import CodeSource
from schemas.key_sets import KeySet
from schemas.scratch_codes import derived_code, given_code
from services.edge.auth.scratch_codes import ScratchCodes, Tried
from services.edge.auth.shoppers import ShopperHeader
from services.edge.http.problems import Problem
from shared.settings import DEVELOPMENT_CODE_KEYS

KEYS = KeySet.parse(DEVELOPMENT_CODE_KEYS)
DERIVED = CodeSource(key=KEYS.current.id)
CARD, OTHER, SERIAL = (
    "8f2f0d8e-2f0c-8a53-b6a8-0a4b1c3d5e6f",
    "1b2f0d8e-2f0c-8a53-b6a8-0a4b1c3d5e6f",
    "6299000000000000017",
)
RIGHT, WRONG = derived_code(KEYS, "s", CARD, DERIVED) or "", "0000-0000-0000-0000"
ROUNDS = 3_000
TIMES_APART_MAX = 1.25
"""By how much the medians of two answers may differ. An HMAC that only some need makes 1.3 and more."""


def card(source: CodeSource, card_id: str = CARD) -> dict[str, Any]:
    return {"cardId": card_id, "switchId": None, "code": source.model_dump()}


def given(code: str) -> CodeSource:
    return CodeSource(**given_code(KEYS, "s", OTHER, code).model_dump())


CASES: dict[str, tuple[dict[str, Any] | None, str, bool]] = {
    "right": (card(DERIVED), RIGHT, True),
    "wrong": (card(DERIVED), WRONG, False),
    "nearly right": (card(DERIVED), f"{RIGHT[:-1]}{'0' if RIGHT[-1] != '0' else '1'}", False),
    "right, given": (card(given(RIGHT), OTHER), RIGHT, True),
    "wrong, given": (card(given(RIGHT), OTHER), WRONG, False),
    "unknown": (None, RIGHT, False),
}


def opened(codes: ScratchCodes, name: str) -> bool:
    found, code, _ = CASES[name]
    return codes._opened("s", found, Tried(SERIAL, code))


@pytest.fixture
def codes() -> ScratchCodes:
    nothing: Any = None
    return ScratchCodes(nothing, nothing, KEYS, 100)


def test_right_codes_open_their_cards(codes: ScratchCodes) -> None:
    assert {name: opened(codes, name) for name in CASES} == {name: opens for name, (_, _, opens) in CASES.items()}


def test_every_answer_takes_the_same_time(codes: ScratchCodes) -> None:
    """Medians of many interleaved calls, so that what else runs on the machine concerns all alike."""
    times: dict[str, list[int]] = {name: [] for name in CASES}
    order, shuffled = [*CASES], Random(7)
    for _ in range(ROUNDS):
        shuffled.shuffle(order)
        for name in order:
            times[name].append(elapsed_ns(lambda name=name: opened(codes, name)))  # type: ignore[misc]
    for name, each in times.items():
        tenth, half, most = (quantiles(each, n=20)[index] / 1000 for index in (1, 9, 18))
        sys.stdout.write(f"{name:14} p10 {tenth:.1f}, p50 {half:.1f}, p95 {most:.1f} µs\n")
    medians = {name: median(each) for name, each in times.items()}
    assert max(medians.values()) < TIMES_APART_MAX * min(medians.values()), medians


def elapsed_ns(call: Callable[[], object]) -> int:
    began_ns = perf_counter_ns()
    call()
    return perf_counter_ns() - began_ns


def test_key_that_is_not_there_opens_nothing(codes: ScratchCodes) -> None:
    assert not codes._opened("s", card(CodeSource(key="2031")), Tried(SERIAL, RIGHT))


# ── shoppers ────────────────────────────────────────────────────────────────────────────────────────────────────────


def asked(*values: str) -> Request:
    headers = [(b"shopperaddress", value.encode()) for value in values]
    return Request(cast(Any, {"type": "http", "headers": headers}))


@pytest.mark.parametrize(
    ("values", "shopper"),
    [
        ((), None),
        (("",), None),
        (("203.0.113.7",), "203.0.113.7"),
        (("2001:db8:1:2:3:4:5:6",), "2001:db8:1:2::/64"),
        (("2001:DB8:1:2::9",), "2001:db8:1:2::/64"),
        (("::ffff:203.0.113.7",), "203.0.113.7"),
    ],
)
async def test_shopper_is_known_by_address_or_network(values: tuple[str, ...], shopper: str | None) -> None:
    assert await ShopperHeader()(asked(*values)) == shopper


@pytest.mark.parametrize(
    "values", [("somebody",), ("203.0.113.7, 10.0.0.1",), ("203.0.113.7", "203.0.113.8"), ("203.0.113.007",), (" ",)]
)
async def test_what_is_no_single_address_is_refused(values: tuple[str, ...]) -> None:
    with pytest.raises(Problem) as problem:
        await ShopperHeader()(asked(*values))
    assert (problem.value.code, problem.value.more) == ("invalid_parameter", {"parameter": "ShopperAddress"})
