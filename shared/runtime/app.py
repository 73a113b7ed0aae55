"""Building a process from a service's parts, and its life: start, serve health and metrics, drain, end."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Protocol

import structlog
import uvicorn
import uvloop
from faststream.asgi import AsgiFastStream, AsgiResponse, get
from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512
from prometheus_client import make_asgi_app

from shared.backoff import Backoff
from shared.errors import Unavailable
from shared.logs import configure_logs
from shared.runtime.archive import Archive
from shared.runtime.availability import Availability
from shared.runtime.consumer import Pump, watch
from shared.runtime.health import Health
from shared.runtime.http import NoSniff, make_server
from shared.runtime.journal import Journal, translated
from shared.runtime.kafka import Producer
from shared.runtime.process import Probe, Processor, no_probe
from shared.runtime.progress import Progress, Reader
from shared.runtime.reactor import Reactor
from shared.runtime.service import Service
from shared.runtime.sweep import Sweep
from shared.runtime.ticks import tick
from shared.runtime.tuning import tune_memory
from shared.secrecy import SecretChanged, check_secrets
from shared.servers import kafka_options
from shared.settings import Settings

log = structlog.get_logger()


_METADATA_AGE_MS = 5_000
"""How soon a topic is seen that was deleted and made again (the client's own default is five minutes)."""


def make_broker(settings: Settings) -> KafkaBroker:
    """FastStream's broker: it makes, joins and stops the consumers."""
    return KafkaBroker(
        settings.kafka,
        security=_security(settings),
        acks="all",
        enable_idempotence=True,
        metadata_max_age_ms=_METADATA_AGE_MS,
        allow_auto_create_topics=False,
        request_timeout_ms=settings.request_timeout_ms,
        graceful_timeout=float(settings.drain_timeout_s),
        logger=None,
    )


_SASL = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}


def _security(settings: Settings) -> BaseSecurity:
    """What :func:`kafka_options` says, as FastStream takes it."""
    options = kafka_options(settings)
    context = options["ssl_context"]
    if not settings.kafka_user:
        return BaseSecurity(ssl_context=context)
    made = _SASL[options["sasl_mechanism"]]
    return made(options["sasl_plain_username"], options["sasl_plain_password"], ssl_context=context)


class Running(Reader, Protocol):
    """A pump, or a feed."""

    @property
    def topic(self) -> str:
        """What it reads."""

    async def run(self) -> None:
        """Read until it is stopped."""

    def stop(self) -> None:
        """Ask it to end with what it has in hand."""


class Pumps:
    """What reads topics in a process: started together, stopped gracefully; when one dies, the process ends."""

    def __init__(self, on_death: Callable[[], None]) -> None:
        self.all: list[Running] = []
        self._tasks: list[asyncio.Task[Any]] = []
        self._on_death = on_death
        self._draining = False

    def start(self) -> None:
        """Start pumping; the broker has been started."""
        for pump in self.all:
            task = asyncio.create_task(pump.run(), name=pump.topic)
            watch(task, self._ended)
            self._tasks.append(task)

    async def drain(self, timeout_s: float) -> None:
        """Let each end its batch and commit it, for so long; what isn't done by then is redelivered."""
        self._draining = True
        for pump in self.all:
            pump.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)

    def _ended(self, _: BaseException | None) -> None:
        if not self._draining:
            self._on_death()


class ServiceApp:
    """One process of one stateful service."""

    def __init__(self, service: Service, settings: Settings, probe: Probe = no_probe) -> None:
        self.service = service
        self.settings = settings
        self.health = Health(settings.stall_timeout_s)
        self.broker = make_broker(settings)
        self.producer = Producer(settings)
        self.journal = Journal(settings.mongodb, settings.database(service.name), settings.request_timeout_ms)
        self.pumps = Pumps(self._die)
        self.failed = False
        self._background: list[asyncio.Task[Any]] = []
        self._server: uvicorn.Server | None = None
        self._build(probe)

    def _build(self, probe: Probe) -> None:
        settings, name = self.settings, self.service.name
        commands, group = settings.topic(f"{name}.commands"), settings.group(name)
        part = self.health.part(f"{group}:{commands}")
        processor = Processor(self.service, settings, self.journal, self.producer, part, probe)
        self._commands = Pump(
            self.broker,
            commands,
            group,
            settings,
            self.health,
            processor.handle,
            fetch_wait_ms=settings.fetch_wait_ms,
        )
        self.pumps.all.append(self._commands)
        for topic, react in self.service.reactions.items():
            topic, group = settings.topic(topic), settings.group(self.service.input_group(topic))
            part = self.health.part(f"{group}:{topic}")
            reactor = Reactor(name, react, settings, self.journal, self.producer, part)
            self.pumps.all.append(
                Pump(
                    self.broker,
                    topic,
                    group,
                    settings,
                    self.health,
                    reactor.handle,
                    fetch_wait_ms=settings.feed_wait_ms,
                )
            )

    async def serve(self) -> int:
        """Run until a signal or a fatal error; the exit status."""
        configure_logs(self.settings.log_level, self.service.name)
        app = AsgiFastStream(
            self.broker,
            asgi_routes=health_routes(self.health),
            logger=None,
            on_startup=[self._start],
            after_startup=[self._run],
            on_shutdown=[self._drain],
            after_shutdown=[self._close],
        )
        self._server = make_server(NoSniff(app), self.settings)
        await self._server.serve()
        return 1 if self.failed else 0

    async def _start(self) -> None:
        """Wait for both servers; with one of them away a process waits and says so, and does not crash."""
        await until_available(partial(self.journal.prepare, self.service.letters_kept))
        await until_available(self._check_secrets)
        await until_available(self.producer.start)

    async def _check_secrets(self) -> None:
        try:
            async with translated():
                await check_secrets(self.journal.database, self.settings, keep=True)
        except SecretChanged as error:
            log.error("refused to start", reason=str(error))
            self.failed = True
            raise

    async def _run(self) -> None:
        self.pumps.start()
        self._in_background(Availability(self.settings, self.health).run())
        self._in_background(Progress(self.settings, self.pumps.all).run())
        self._in_background(self._watch())
        self._in_background(tick(self.service.name, self.settings, self.producer, self._partitions))
        if self.service.wake is not None:
            sweep = Sweep(self.service, self.settings, self.journal, self.producer, self._partitions)
            self._in_background(sweep.run())
        if self.service.decider.closable:
            archive = Archive(self.service, self.settings, self.journal, self._partitions)
            self._in_background(archive.run())

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` until the process ends; what it raises is a defect, and the end of the process."""
        task = asyncio.create_task(work)
        watch(task, lambda error: None if error is None else self._die())
        self._background.append(task)

    def _partitions(self) -> list[int]:
        """The partitions of the command topic that this process holds now."""
        return sorted(place.partition for place in self._commands.held)

    async def _watch(self) -> None:
        """Clients that stay stuck are known: a process that gets nowhere ends, to be started anew."""
        while True:
            await asyncio.sleep(self.settings.stall_timeout_s / 4)
            dead = self.health.not_alive()
            if dead:
                log.error("no progress", parts=dead)
                self._die()

    async def _drain(self) -> None:
        await self.pumps.drain(self.settings.drain_timeout_s)
        for task in self._background:
            task.cancel()

    async def _close(self) -> None:
        await self.producer.stop()
        self.journal.close()

    def _die(self) -> None:
        self.failed = True
        if self._server is not None:
            self._server.should_exit = True


async def until_available(attempt: Callable[[], Awaitable[object]]) -> None:
    """Repeat `attempt` with back-off until the server is there."""
    backoff = Backoff(first_ms=100)
    while True:
        try:
            await attempt()
            return
        except Unavailable as error:
            log.warning("waiting", reason=str(error))
            await backoff.wait()


def health_routes(health: Health) -> list[tuple[str, Any]]:
    """`/health/live`, `/health/ready` and `/metrics` for a process without an API of its own."""

    @get
    async def live(_: Any) -> AsgiResponse:
        return _answer(health.not_alive())

    @get
    async def ready(_: Any) -> AsgiResponse:
        return _answer(health.not_ready())

    return [("/health/live", live), ("/health/ready", ready), ("/metrics", make_asgi_app())]


def _answer(troubles: dict[str, str]) -> AsgiResponse:
    text = "".join(f"{name}: {why}\n" for name, why in troubles.items()) or "ok\n"
    return AsgiResponse(text.encode(), 503 if troubles else 200, {"content-type": "text/plain; charset=utf-8"})


def run(service: Service, settings: Settings) -> None:
    """Run a service's process to its end."""
    tune_memory()
    sys.exit(uvloop.run(ServiceApp(service, settings).serve()))
