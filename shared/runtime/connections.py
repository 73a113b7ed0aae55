"""Bounds on what anyone may send before a route sees it.

Uvicorn with httptools has none: it takes in a header without end, and keeps a slow sender for ever (decision 0011).
"""

import asyncio
from collections import Counter
from enum import Enum, auto
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.hashing import to_json
from shared.metrics import HTTP_REFUSED
from shared.settings import Settings

HEAD_BYTES_MAX = 32 * 1024
HEAD_FIELDS_MAX = 100
MESSAGE_BYTES_MAX = 4 * 1024 * 1024
"""Of one request with its framing and trailers; a route's own bound on its body is smaller and answers first."""

HEAD_S, BODY_S = 10.0, 30.0
"""From the first byte to the end of the head, and from there to the end of the body."""

IDLE_S = 75
"""Longer than balancers and clients keep a connection that is idle, so that they, and not we, close it (uvicorn: 5)."""

WRITE_S = 30.0
"""For as long a client may leave an answer unread that does not fit into the buffers; half of it at a close."""

LINGER_S, LINGER_BYTES_MAX = 2.0, 1024 * 1024
"""For as long, and for as much, a refused sender may go on before the connection ends: closed with something unread it
is reset, and the sender may never see why."""

REFUSALS: dict[str, tuple[int, str]] = {
    "bad_request": (400, "The request is not valid HTTP"),
    "request_timeout": (408, "The request took too long to arrive"),
    "body_too_large": (413, "The body is too large"),
    "head_too_large": (431, "The head of the request is too large"),
    "too_many_connections": (503, "There are too many connections"),
}
"""What is refused before any route: code, status and title, as the edge's problem documents have them."""

_DETAILS = {
    "bad_request": "the request is not HTTP/1.1",
    "request_timeout": f"send the head within {HEAD_S:.0f} s and the body within {BODY_S:.0f} s",
    "body_too_large": f"a request has at most {MESSAGE_BYTES_MAX} bytes in all",
    "head_too_large": f"a head has at most {HEAD_BYTES_MAX} bytes and {HEAD_FIELDS_MAX} fields",
    "too_many_connections": "close connections that are idle, or try again later",
}


class Door:
    """Counts connections by the address they come from; those of trusted proxies count in total only."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._by_peer: Counter[str] = Counter()
        self._total = 0

    def enter(self, peer: str) -> bool:
        """Count a connection, unless there are too many."""
        settings = self._settings
        if self._total >= settings.connections_max:
            return False
        if self._by_peer[peer] >= settings.connections_per_peer and not settings.trusts(peer):
            return False
        self._by_peer[peer] += 1
        self._total += 1
        return True

    def leave(self, peer: str) -> None:
        """A connection that had entered has ended."""
        self._total -= 1
        self._by_peer[peer] -= 1
        if not self._by_peer[peer]:
            del self._by_peer[peer]


class _Stage(Enum):
    BETWEEN = auto()
    HEAD = auto()
    BODY = auto()


class _Refused(Exception):
    """Ends parsing from within a callback of the parser."""


class BoundedProtocol(HttpToolsProtocol):
    """Uvicorn's protocol with bounds. A request that comes in one piece sets no timer and costs a few comparisons."""

    def __init__(self, *args: Any, door: Door, **more: Any) -> None:
        super().__init__(*args, **more)
        self._door = door
        self._peer: str | None = None
        self._stage = _Stage.BETWEEN
        self._message_bytes = self._head_bytes = self._fields = 0
        self._refusal: str | None = None
        self._over = False
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    # The connection
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count it, and do not wait for ever for its first byte."""
        super().connection_made(transport)
        peer = self.client[0] if self.client else ""
        if not self._door.enter(peer):
            self._refuse("too_many_connections")
            return
        self._peer = peer
        self.timeout_keep_alive_task = self.loop.call_later(IDLE_S, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._unset_keepalive_if_required()
        self._stop_waiting()
        self.resume_writing()
        if self._peer is not None:
            self._door.leave(self._peer)
            self._peer = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Have it parsed, then see how much of the request is still to come, and since when."""
        self._message_bytes += len(data)
        if self._over:
            if self._message_bytes > LINGER_BYTES_MAX:
                self.transport.abort()
            return
        super().data_received(data)
        if self._over or self.transport.is_closing():
            return
        if self._stage is _Stage.HEAD and self._message_bytes > HEAD_BYTES_MAX:
            self._refuse("head_too_large")
        elif self._stage is _Stage.BODY and self._message_bytes > MESSAGE_BYTES_MAX:
            self._refuse("body_too_large")
        elif self._deadline is None and self._awaits_more():
            self._deadline = self.loop.call_later(BODY_S if self._stage is _Stage.BODY else HEAD_S, self._late)

    def _awaits_more(self) -> bool:
        """Whether the rest of a request is due; empty lines between two requests count as the begin of one."""
        answered = self.cycle is None or self.cycle.response_complete
        return self._stage is not _Stage.BETWEEN or (answered and self.timeout_keep_alive_task is None)

    def pause_writing(self) -> None:
        """Answers are not read as fast as they are made."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(WRITE_S, self.transport.abort)

    def resume_writing(self) -> None:
        """They are read again."""
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """An idle connection ends."""
        if not self.transport.is_closing():
            self._hang_up()

    # The parser's callbacks
    def on_message_begin(self) -> None:
        """The first byte of a head."""
        self._stage = _Stage.HEAD
        self._head_bytes = self._fields = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._take(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head; one of a trailer is counted and never joins the head (RFC 9110 6.5.1)."""
        self._fields += 1
        self._take(len(name) + len(value) + 4)
        if self._stage is _Stage.HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head has ended. After an upgrade, which nothing here offers, the parser reads no further request."""
        self._stage = _Stage.BODY
        self._stop_waiting()
        super().on_headers_complete()
        if self.parser.should_upgrade():
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """The request has arrived."""
        self._stage = _Stage.BETWEEN
        self._message_bytes = 0
        self._stop_waiting()
        super().on_message_complete()

    def _take(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES_MAX or self._fields > HEAD_FIELDS_MAX:
            self._refusal = "head_too_large"
            raise _Refused

    def _unsupported_upgrade_warning(self) -> None:
        """A request that asks for an upgrade is answered as if it had not; nobody needs a log line of it."""

    # The end
    def send_400_response(self, msg: str) -> None:
        """What the parser could not read, or one of our callbacks did not let pass."""
        self._refuse(self._refusal or "bad_request")

    def _late(self) -> None:
        self._deadline = None
        if self._stage is _Stage.BETWEEN:
            self._hang_up()
        else:
            self._refuse("request_timeout")

    def _refuse(self, code: str) -> None:
        """Answer with a problem document where nothing else is being answered, and read no more."""
        HTTP_REFUSED.labels(code).inc()
        self._over = True
        self._stop_waiting()
        self._unset_keepalive_if_required()
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if self._stage is not _Stage.BODY:  # What is being answered came before, and whole.
                cycle.keep_alive = False
                return
            answering = cycle.response_started or bool(self.pipeline)
            cycle.disconnected = True
            cycle.message_event.set()
            if answering:
                self._hang_up()
                return
        self.transport.write(_response(code))
        if self._peer is None:  # It is not counted, so it may not stay.
            self._hang_up()
        else:
            self._linger()

    def _linger(self) -> None:
        """Send no more, and drop what still comes until the peer has seen the answer and closes, or takes too long."""
        self.transport.write_eof()
        self._message_bytes = 0
        self.flow.resume_reading()
        self.loop.call_later(LINGER_S, self._hang_up)

    def _hang_up(self) -> None:
        """Close, and do not wait for ever until the last answer was read."""
        self.transport.close()
        self.loop.call_later(WRITE_S / 2, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _response(code: str) -> bytes:
    status, title = REFUSALS[code]
    document = {
        "type": f"urn:fealty:problem:{code}",
        "title": title,
        "status": status,
        "detail": _DETAILS[code],
        "code": code,
    }
    body = to_json(document)
    head = (
        f"HTTP/1.1 {status} {title}",
        "content-type: application/problem+json",
        f"content-length: {len(body)}",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        *(("retry-after: 1",) if status == 503 else ()),
        "connection: close",
    )
    return "\r\n".join((*head, "", "")).encode() + body
