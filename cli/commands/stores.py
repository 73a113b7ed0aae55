"""The services that keep a journal, and their stores, for operators."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cli.commands.console import Failure
from cli.commands.progress import progress_bar
from services import registry
from services.registry import JOURNALED
from shared.clock import monotonic_s
from shared.runtime.groups import members
from shared.runtime.journal import Journal, translated
from shared.runtime.service import Service
from shared.secrecy import check_secrets
from shared.settings import Settings

_GRACE_S = 1.0


def service_of(name: str, settings: Settings) -> Service:
    """A service of this installation by its name.

    :raises Failure: there is no such service, or it keeps no journal.
    """
    if name not in JOURNALED:
        raise Failure(f"{name!r} has no journal; choose one of {', '.join(JOURNALED)}")
    return registry.service_of(name, settings)


@asynccontextmanager
async def journal_of(service: str, settings: Settings) -> AsyncIterator[Journal]:
    """The store of a service.

    :raises SecretChanged: it was written with other secrets.
    :raises Unavailable: the database is away.
    """
    journal = Journal(settings.mongodb, settings.database(service), settings.request_timeout_ms)
    try:
        async with translated():
            await check_secrets(journal.database, settings, keep=False)
        yield journal
    finally:
        journal.close()


async def must_be_stopped(service: str, settings: Settings) -> None:
    """Wait until nobody works on the service's commands, for as long as a process that has gone may count as there.

    :raises Failure: its group still has members.
    :raises Unavailable: the broker is away.
    """
    await must_be_empty(settings.group(service), service, settings)


async def must_be_empty(group: str, who: str, settings: Settings) -> None:
    """The same of one consumer group, whose members are processes of `who`."""
    until_s = monotonic_s() + settings.session_timeout_ms / 1000 + _GRACE_S
    with progress_bar("waiting until the processes of the service have stopped") as progress:
        while present := await members(settings, group):
            progress(0, present)
            if monotonic_s() > until_s:
                raise Failure(f"{who} is running: its group has {present} members; stop its processes first")
            await asyncio.sleep(_GRACE_S / 2)
