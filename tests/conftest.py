"""Fixtures: real servers once a run, an installation of its own for each test."""

import os
from collections.abc import AsyncIterator, Generator
from typing import Any

import pytest
import structlog
from hypothesis import settings

from tests.harness import DEMO, Installation, new_installation
from tests.servers import Servers, servers

# A broker of the tests lives for minutes: what its JVM spends on compiling for speed, it never earns back.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
structlog.configure(
    processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer(key_order=["event"])]
)
settings.register_profile("fealty", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("fealty")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first, so that the end of a run on several processes is made of short ones."""
    items.sort(key=lambda item: (item.get_closest_marker("real") is None, "real" not in item.path.parts))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a test marked `exercises` that did not call its operation with success."""
    names = [name for mark in item.iter_markers("exercises") for name in mark.args]
    if not names:
        return (yield)
    from tests.http import exercised

    exercised.answered.clear()
    result = yield
    if lacking := exercised.not_exercised(names):
        pytest.fail(f"no running edge answered with success: {', '.join(lacking)}")
    return result


@pytest.fixture(scope="session")
async def real_servers() -> AsyncIterator[Servers]:
    """A real Kafka and a real MongoDB."""
    async with servers() as found:
        yield found


@pytest.fixture
async def empty_installation(real_servers: Servers) -> AsyncIterator[Installation]:
    """A fresh installation: topics, and nothing in them."""
    async with new_installation(real_servers) as installation:
        yield installation


@pytest.fixture
async def installation(empty_installation: Installation) -> Installation:
    """A fresh installation with the demo programmes sent, to be booked by its first worker."""
    await empty_installation.declare_file(DEMO)
    return empty_installation
