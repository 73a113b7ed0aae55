"""Fuzzing: every response is as the OpenAPI document declares, and requests that fit the document are not malformed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.harness import Installation
from tests.http.declared import DOCUMENT
from tests.http.fuzzing import fuzz
from tests.http.shop import Shop, open_shop

pytestmark = pytest.mark.real

OPERATIONS = sum(len(operations) for operations in DOCUMENT["paths"].values())


@pytest.fixture
async def shop(installation: Installation) -> AsyncIterator[Shop]:
    """A shop whose edge has no rate limit in practice."""
    async with open_shop(installation, "giftcard", FEALTY_CLIENT_REQUESTS_PER_S="100000") as shop:
        yield shop


@pytest.mark.timeout(300)
async def test_a_short_fuzz_run_finds_nothing(shop: Shop, tmp_path: Path) -> None:
    fuzzed = await fuzz(shop, tmp_path, seed=1, phases="examples,fuzzing", examples=4)
    assert fuzzed.findings == {}
    assert fuzzed.operations == OPERATIONS
    assert fuzzed.calls >= 2 * OPERATIONS


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("phases", "examples", "calls_min"), [("coverage", 1, 3_000), ("fuzzing", 300, 5_000), ("stateful", 100, 50)]
)
async def test_a_long_fuzz_run_finds_nothing(
    shop: Shop, tmp_path: Path, phases: str, examples: int, calls_min: int
) -> None:
    """Few responses have the parameters of other operations, so there are few chained calls."""
    fuzzed = await fuzz(shop, tmp_path, seed=2, phases=phases, examples=examples)
    assert fuzzed.findings == {}
    assert fuzzed.calls >= calls_min
