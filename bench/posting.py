"""Requests of tills that each have a key of their own, over as many connections as there are requests under way."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from bench.asking import Caller, connected

_NO_OUTCOME = (202, 503, 504)
_FINISH_TIMEOUT_S = 300.0


@dataclass
class Posts:
    """Connections are used in turn, so that none is idle for long; what was refused is `wrong`."""

    port: int
    token: str
    wrong: list[str] = field(default_factory=list, kw_only=True)
    open: list[tuple[str, str, bytes]] = field(default_factory=list, kw_only=True)
    """What was asked and not answered in time: key, path, body. The outcome is still to be had, under the same key."""

    _idle: deque[Caller] = field(default_factory=deque, kw_only=True)

    async def post(self, key: str, path: str, body: bytes) -> None:
        """Post a body; with no outcome in time, it stays open."""
        caller = self._idle.popleft() if self._idle else await connected(self.port, self.token)
        status, answer = await caller.post(path, body, key)
        self._idle.append(caller)
        if status in _NO_OUTCOME:
            self.open.append((key, path, body))
        elif status != 200:
            self.wrong.append(f"{status} {answer[:200].decode(errors='replace')}")

    async def finish(self) -> None:
        """Say again what was not answered in time, as a till does, until it is: each has its effect once."""
        self.hang_up()
        async with asyncio.timeout(_FINISH_TIMEOUT_S):
            while self.open:
                again, self.open = self.open, []
                for each in again:
                    await self.post(*each)
        self.hang_up()

    def hang_up(self) -> None:
        """Close the connections: the edge closes those that nobody has used for some seconds."""
        while self._idle:
            self._idle.pop().close()
