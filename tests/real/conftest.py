"""Fixtures of the tests on real servers."""

from collections.abc import AsyncIterator

import pytest

from tests.harness import Installation
from tests.real.steps import Bench, new_bench


@pytest.fixture
async def bench(empty_installation: Installation) -> AsyncIterator[Bench]:
    """The steps of one batch, on an empty installation."""
    async with new_bench(empty_installation) as found:
        yield found
