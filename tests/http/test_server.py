"""Limits of the HTTP server on connections, heads and bodies, over raw sockets."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.edge.http.problems import CODES
from shared.clock import monotonic_s
from shared.runtime import connections
from shared.runtime.connections import HEAD_BYTES_MAX, HEAD_FIELDS_MAX, MESSAGE_BYTES_MAX, REFUSALS
from tests.http.line import LARGE, SLOW_S, Connect, serving

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: a\r\n"
SOON_S = SLOW_S / 2


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connections to a server with the defaults."""
    async with serving() as connect:
        yield connect


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every bound on time is a third of a second."""
    for name in ("HEAD_S", "BODY_S", "IDLE_S", "WRITE_S"):
        monkeypatch.setattr(connections, name, SOON_S)


# ── bytes ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "begin",
    [GET + b"X-A: ", b"GET /", GET + b"X-", b"GET /x HTTP/1.1\r\nHost: a\r\nX: " + b"y\r\nX: " * 50],
    ids=["value", "target", "name", "fields"],
)
async def test_endless_request_heads_are_cut_off(connect: Connect, begin: bytes) -> None:
    line = await connect()
    await line.send(begin)
    assert await line.flood(64 * 1024 * 1024) < 8 * 1024 * 1024, "the kernel's buffers hold no more"
    other = await connect()
    await other.send(GET + b"\r\n")
    assert (await other.answer())[0] == 200


@pytest.mark.parametrize(
    "head",
    [
        GET + b"X-A: " + b"a" * HEAD_BYTES_MAX + b"\r\n\r\n",
        GET + b"".join(b"X-%d: y\r\n" % number for number in range(HEAD_FIELDS_MAX)) + b"\r\n",
        b"GET /" + b"a" * HEAD_BYTES_MAX + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        GET + b"X-A: " + b"a" * HEAD_BYTES_MAX * 2,
    ],
    ids=["bytes", "fields", "target", "unfinished"],
)
async def test_too_large_request_heads_are_refused(connect: Connect, head: bytes) -> None:
    line = await connect()
    await line.send(head)
    if not head.endswith(b"\r\n\r\n"):
        await asyncio.sleep(0.1)
        await line.send(b"a")
    await line.refused("head_too_large")


async def test_request_heads_at_the_limit_are_accepted(connect: Connect) -> None:
    line = await connect()
    fields = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 300) for number in range(HEAD_FIELDS_MAX - 1))
    await line.send(GET + fields + b"\r\n")
    assert (await line.answer())[0] == 200


async def test_endless_bodies_are_cut_off_even_after_the_response(connect: Connect) -> None:
    line = await connect()
    await line.send(b"POST /deaf HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n")
    assert (await line.answer())[0] == 200
    assert await line.flood(16 * MESSAGE_BYTES_MAX) < 4 * MESSAGE_BYTES_MAX


# ── trailers ──────────────────────────────────────────────────────────────────────────────────────────────────────────

CHUNKED = POST + b"Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n"


async def test_trailers_are_never_merged_into_the_headers(connect: Connect) -> None:
    line = await connect()
    await line.send(CHUNKED + b"2\r\nab\r\n0\r\nAuthorization: Bearer x\r\n\r\n")
    status, _, received = await line.answer()
    assert (status, received["size"]) == (200, 2)
    assert set(received["fields"]) == {"host", "transfer-encoding", "trailer"}
    await line.send(GET + b"\r\n")
    assert (await line.answer())[0] == 200


async def test_trailers_are_bounded_as_the_head_is(connect: Connect) -> None:
    line = await connect()
    await line.send(CHUNKED + b"0\r\n" + b"X-A: y\r\n" * (HEAD_FIELDS_MAX + 1))
    await line.refused("head_too_large")
    line = await connect()
    await line.send(CHUNKED + b"0\r\nX-A: ")
    assert await line.flood(16 * MESSAGE_BYTES_MAX) < 4 * MESSAGE_BYTES_MAX


@pytest.mark.parametrize(
    ("begin", "code"),
    [
        (GET + b"X-A: " + b"a" * HEAD_BYTES_MAX * 2, "head_too_large"),
        (POST + b"Content-Length: nonsense\r\n\r\n", "bad_request"),
    ],
)
async def test_a_client_that_keeps_sending_still_receives_the_refusal(
    connect: Connect, begin: bytes, code: str
) -> None:
    line = await connect()
    await line.send(begin)
    for _ in range(20):
        await asyncio.sleep(0.01)
        await line.send(b"a" * 1_000)
    await line.refused(code)


async def test_refused_connections_are_closed(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "LINGER_S", 0.2)
    line = await connect()
    await line.send(GET + b"X-A: " + b"a" * HEAD_BYTES_MAX * 2)
    await line.refused("head_too_large")

    async def drip() -> None:
        while True:
            await line.send(b"a")
            await asyncio.sleep(0.02)

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(drip(), 10)


# ── time ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("begin", "drop"),
    [(GET + b"X-A: ", b"a"), (POST + b"Content-Length: 100\r\n\r\n", b"a"), (CHUNKED, b"1\r\na\r\n")],
    ids=["head", "body", "chunks"],
)
@pytest.mark.usefixtures("hasty")
async def test_slow_senders_get_a_timeout_response(begin: bytes, drop: bytes) -> None:
    async with serving() as connect:
        line, began_s = await connect(), monotonic_s()
        await line.send(begin)

        async def drip() -> None:
            while True:
                await line.send(drop)
                await asyncio.sleep(SOON_S / 10)

        dripping = asyncio.create_task(drip())
        await line.refused("request_timeout")
        dripping.cancel()
        assert SOON_S * 0.9 < monotonic_s() - began_s < SOON_S * 4


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n", GET + b"\r\n", GET + b"\r\n" + b"\r\n"])
@pytest.mark.usefixtures("hasty")
async def test_idle_connections_are_closed(sent: bytes) -> None:
    async with serving() as connect:
        line = await connect()
        await line.send(sent)
        await line.ended()


@pytest.mark.usefixtures("hasty")
async def test_fragmented_requests_and_slow_routes_do_not_time_out() -> None:
    async with serving() as connect:
        line = await connect()
        for _ in range(4):
            for piece in (GET[:7], GET[7:], b"Content-Length: 2\r\n", b"\r\n", b"a", b"b"):
                await line.send(piece)
                await asyncio.sleep(SOON_S / 8)
            assert (await line.answer())[2]["size"] == 2
        await line.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await line.answer())[0] == 200


@pytest.mark.usefixtures("hasty")
async def test_clients_that_do_not_read_the_response_are_disconnected() -> None:
    async with serving() as connect:
        line = await connect()
        await line.send(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.sleep(4 * SOON_S)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await line.reader.readexactly(len(LARGE))


# ── connections ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_connections_per_address_are_limited() -> None:
    async with serving(connections_per_peer=3) as connect:
        lines = [await connect() for _ in range(3)]
        for line in lines:
            await line.send(GET + b"\r\n")
            assert (await line.answer())[0] == 200
        await (await connect()).refused("too_many_connections")
        lines[0].writer.close()
        await asyncio.sleep(0.1)
        last = await connect()
        await last.send(GET + b"\r\n")
        assert (await last.answer())[0] == 200


async def test_trusted_proxies_are_limited_in_total_only() -> None:
    async with serving(connections_per_peer=1, connections_max=3, trusted_proxies="127.0.0.0/8") as connect:
        for _ in range(3):
            line = await connect()
            await line.send(GET + b"\r\n")
            assert (await line.answer())[0] == 200
        await (await connect()).refused("too_many_connections")


@pytest.mark.parametrize(
    ("proxies", "heard"), [("", "127.0.0.1"), ("127.0.0.0/8", "203.0.113.9"), ("192.0.2.1, 10.0.0.0/8", "127.0.0.1")]
)
async def test_forwarded_addresses_are_accepted_from_trusted_proxies_only(proxies: str, heard: str) -> None:
    async with serving(trusted_proxies=proxies) as connect:
        line = await connect()
        await line.send(GET + b"X-Forwarded-For: 198.51.100.7, 203.0.113.9\r\n\r\n")
        assert (await line.answer())[2]["client"] == heard


# ── what is no HTTP ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "raw",
    [
        b"NONSENSE\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: a\r\nBad Name: y\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        POST + b"Content-Length: one\r\n\r\n",
        CHUNKED + b"nonsense\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
async def test_malformed_http_gets_a_problem_document(connect: Connect, raw: bytes) -> None:
    line = await connect()
    await line.send(raw)
    await line.refused("bad_request")


async def test_errors_do_not_corrupt_a_response_in_progress(connect: Connect) -> None:
    line = await connect()
    await line.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n" + b"NONSENSE\r\n\r\n")
    assert (await line.answer())[0] == 200
    await line.ended()


async def test_pipelined_requests_are_answered_in_order(connect: Connect) -> None:
    line = await connect()
    await line.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n" + POST + b"Content-Length: 3\r\n\r\nabc" + GET + b"\r\n")
    assert [(await line.answer())[2]["size"] for _ in range(3)] == [0, 3, 0]


async def test_upgrade_requests_are_answered_without_an_upgrade(connect: Connect) -> None:
    line = await connect()
    await line.send(GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    status, fields, _ = await line.answer()
    assert (status, fields["connection"]) == (200, "close")
    await line.ended()


def test_connection_refusals_are_listed_problem_codes() -> None:
    assert {code: CODES[code] for code in REFUSALS} == REFUSALS
