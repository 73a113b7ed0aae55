"""Readiness and liveness of a process, told by its parts (protocol P6; liveness is progress, not a ping)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from shared.clock import monotonic_s
from shared.metrics import READY

log = structlog.get_logger()

STOPPED_AT = "stopped at"
"""How readiness begins to say that nothing but an operator's decision is missing."""


class Troubles(Protocol):
    """Where a batch says that it waits for a server, and that it no longer does."""

    def trouble(self, what: str) -> None:
        """Not ready from now on, because of `what`."""

    def clear(self) -> None:
        """Ready again."""


@dataclass(slots=True)
class Part:
    """One part of a process: whether it joined, what troubles it, when it last turned and last got on."""

    name: str
    changed: Callable[[], None]
    is_server: bool = False
    is_joined: bool = False
    troubled_by: str | None = None
    stopped_at: list[str] = field(default_factory=list)
    stuck_at: dict[str, str] = field(default_factory=dict)
    died_of: str | None = None
    lag_records: int = 0
    last_beat_s: float = field(default_factory=monotonic_s)
    last_progress_s: float = field(default_factory=monotonic_s)

    def joined(self) -> None:
        """The part has its share of the work, or the server answers."""
        if not self.is_joined:
            self.is_joined = True
            self.changed()
        self.clear()

    def beat(self) -> None:
        """The part's loop has turned."""
        self.last_beat_s = monotonic_s()

    def progress(self) -> None:
        """The part has done something; what troubled it is over."""
        self.last_progress_s = monotonic_s()
        self.clear()

    def lag(self, records: int) -> None:
        """How much is still to do."""
        self.lag_records = records
        if records == 0:
            self.last_progress_s = monotonic_s()

    def trouble(self, what: str) -> None:
        """The part waits for a server; logged once until it is over."""
        if self.troubled_by is None:
            log.warning("waiting", part=self.name, reason=what)
        self.troubled_by = what
        self.beat()
        self.changed()

    def clear(self) -> None:
        """The trouble is over."""
        if self.troubled_by is not None:
            log.info("continuing", part=self.name)
            self.troubled_by = None
            self.changed()

    def stopped(self, where: str) -> None:
        """A partition was stopped; this part is not ready until the process is started anew."""
        self.stopped_at.append(where)
        self.changed()

    def resumed(self) -> None:
        """Its partitions were handed over."""
        if self.stopped_at:
            self.stopped_at.clear()
            self.changed()

    def stuck(self, where: str, why: str) -> None:
        """A partition was given up too often; it is tried on, and until it gets on this part is not ready."""
        if where not in self.stuck_at:
            log.error("partition stuck", part=self.name, partition=where, reason=why)
        self.stuck_at[where] = why
        self.changed()

    def freed(self, where: str) -> None:
        """A partition that was stuck has got on, or is another's."""
        if self.stuck_at.pop(where, None) is not None:
            log.info("partition no longer stuck", part=self.name, partition=where)
            self.changed()

    def died(self, why: str) -> None:
        """What this part rests on has ended, and will not come back in this process."""
        self.died_of = why
        self.changed()

    def why_not_ready(self) -> str | None:
        """A sentence, or None when ready."""
        if not self.is_joined:
            return "not joined yet"
        if self.stopped_at:
            return f"{STOPPED_AT} {', '.join(self.stopped_at)}"
        if self.stuck_at:
            return "; ".join(f"stuck at {where}: {why}" for where, why in self.stuck_at.items())
        return self.died_of or self.troubled_by


class Health:
    """All parts of a process together."""

    def __init__(self, stall_timeout_s: int) -> None:
        self._stall_timeout_s = stall_timeout_s
        self._parts: dict[str, Part] = {}

    def part(self, name: str) -> Part:
        """Register a part; the process isn't ready before it has joined."""
        return self._parts.setdefault(name, Part(name, self._publish))

    def server(self, name: str) -> Part:
        """Register a server that the process needs: while it is away no part is blamed for getting nowhere."""
        return self._parts.setdefault(name, Part(name, self._publish, is_server=True))

    def not_ready(self) -> dict[str, str]:
        """Why the process is not ready, by part; empty when it is."""
        return {name: why for name, part in self._parts.items() if (why := part.why_not_ready())}

    def not_alive(self) -> dict[str, str]:
        """Parts whose loop does not turn any more, or that have work, no trouble, and get nowhere."""
        now_s = monotonic_s()
        dead: dict[str, str] = {}
        if any(part.is_server and part.troubled_by for part in self._parts.values()):
            for part in self._parts.values():
                part.last_progress_s = now_s
        for name, part in self._parts.items():
            if part.died_of:
                dead[name] = part.died_of
            elif now_s - part.last_beat_s > self._stall_timeout_s:
                dead[name] = "its loop has stopped"
            elif (
                part.lag_records
                and not part.troubled_by
                and not part.stopped_at
                and now_s - part.last_progress_s > self._stall_timeout_s
            ):
                dead[name] = f"{part.lag_records} records are waiting and none is processed"
        return dead

    def _publish(self) -> None:
        READY.set(0 if self.not_ready() else 1)
