"""The components of one edge process and their life cycle: connect in the background, supervise, drain."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import structlog

from services.edge.auth.access import Access
from services.edge.auth.lockouts import Lockouts
from services.edge.auth.oauth import TokenEndpoint
from services.edge.auth.scratch_codes import ScratchCodes
from services.edge.bus.commands import Bus
from services.edge.views.feeds import Feed
from services.edge.views.views import Views
from shared.runtime.app import Pumps, make_broker, until_available
from shared.runtime.availability import Availability
from shared.runtime.consumer import Batch, watch
from shared.runtime.health import Health
from shared.runtime.kafka import translated
from shared.runtime.progress import Progress
from shared.secrecy import SecretChanged, check_secrets
from shared.settings import Settings

log = structlog.get_logger()

_CHECK_INTERVAL_S = 1.0
_STOP_TIMEOUT_S = 5.0
_JOIN_TIMEOUT_S = 30.0


class Edge:
    """All components behind the routes. Nothing connects before :meth:`start`, which itself waits for no server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.health = Health(settings.stall_timeout_s)
        self.views = Views(settings, self.health)
        self.access = Access(self.views, settings)
        self.tokens = TokenEndpoint(self.access, self.views)
        self.lockouts = Lockouts(self.views.connection)
        self.code_keys = settings.code_key_set
        self.scratch_codes = ScratchCodes(
            self.lockouts,
            self.views.giftcards.with_serial_number,
            self.code_keys,
            settings.client_wrong_codes_max,
        )
        self.broker = make_broker(settings)
        self.bus = Bus(self.broker, settings, self.health, self.views)
        self.on_failure: Callable[[], None] = lambda: None
        self._pumps = Pumps(self._fail)
        for topic, handle in self.views.feeds():
            self._add_feed(topic, handle)
        self._background: list[asyncio.Task[Any]] = []
        self._connected = False
        self._stopping = False

    def not_alive(self) -> dict[str, str]:
        """The parts that are stuck; none before all have started, so that waiting for a server ends no process."""
        return self.health.not_alive() if self._connected else {}

    def _add_feed(self, topic: str, handle: Callable[[Batch], Awaitable[None]]) -> None:
        """Feed a topic to the views. Latency does not matter: replies bring the snapshots that callers wait for."""
        self._pumps.all.append(Feed(self.broker, topic, self.settings, self.health, self.views, handle))

    async def start(self) -> None:
        """Start connecting in the background; until that is done, requests get 503."""
        available = Availability(self.settings, self.health)
        for coroutine in (self._connect(), self._watch(), available.run()):
            self._in_background(coroutine)

    async def stop(self) -> None:
        """Let the pumps finish their batches, then disconnect; the server has finished all requests before."""
        self._stopping = True
        for task in self._background:
            task.cancel()
        await self._pumps.drain(self.settings.drain_timeout_s)
        await self.bus.stop()
        await self._stop_broker()
        await self.views.stop()

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        watch(task, self._background_ended)
        self._background.append(task)

    async def _connect(self) -> None:
        await asyncio.gather(self._connect_views(), self._connect_bus())
        self._connected = True

    async def _connect_views(self) -> None:
        await until_available(self.views.start)
        await until_available(self.lockouts.prepare)
        await until_available(self._check_secrets)
        await until_available(self.access.start)

    async def _check_secrets(self) -> None:
        try:
            async with self.views.database() as database:
                await check_secrets(database, self.settings, keep=True)
        except SecretChanged as error:
            log.error("refused to start", reason=str(error))
            raise

    async def _connect_bus(self) -> None:
        await until_available(self.bus.connect)
        await until_available(self._start_broker)
        self._pumps.start()
        await until_available(self.bus.start)
        self._in_background(Progress(self.settings, [*self._pumps.all, self.bus.replies]).run())

    async def _start_broker(self) -> None:
        try:
            async with translated("starting the consumers"):
                await asyncio.wait_for(self.broker.start(), _JOIN_TIMEOUT_S)
        except BaseException:
            await self._stop_broker()
            raise

    async def _stop_broker(self) -> None:
        with suppress(Exception):
            await asyncio.wait_for(self.broker.stop(), _STOP_TIMEOUT_S)

    async def _watch(self) -> None:
        """Check periodically whether servers answer again; end the process if a part makes no progress."""
        while True:
            await asyncio.sleep(_CHECK_INTERVAL_S)
            await self.bus.check()
            await self.views.check()
            if dead := self.not_alive():
                log.error("no progress", parts=dead)
                self._fail()
                return

    def _background_ended(self, error: BaseException | None) -> None:
        if error is not None:
            self._fail()

    def _fail(self) -> None:
        if not self._stopping:
            self.on_failure()
