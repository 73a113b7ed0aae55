"""Tokens: what is signed here is read back, and nothing else is."""

import asyncio
import base64
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import orjson
import pytest

from services.edge.auth import keys
from services.edge.auth.clients import Client, digest_of, new_secret
from services.edge.auth.keys import SKEW_S, TOKEN_LIFE_S, SigningKey, new_key, ring_of
from services.edge.auth.throttle import ATTEMPTS_MAX, CLIENT_CACHE_S, WINDOW_S, ClientCache, Throttle
from services.edge.auth.tokens import Caller, issuer_of, key_id_of, sign, verify
from services.edge.http.problems import Problem
from shared.clock import instant
from shared.errors import Unavailable
from shared.settings import Settings

ISSUER = "urn:fealty:edge"
KEY = new_key()
CLIENT = Client(
    id="0199d2a5-7c00-7000-8000-00000000000c",
    name="till",
    store="shoes",
    scopes=("api_loyalty", "api_void"),
    secret_digest=digest_of("s"),
    disabled=False,
    created_at=instant(0),
    used_at=None,
)


def now_s() -> int:
    return int(time.time())


def token(**more: Any) -> str:
    """A token as it should be, but for some of its claims; None takes one away."""
    claims = jwt.decode(sign(CLIENT, CLIENT.scopes, KEY, ISSUER, now_s()), options={"verify_signature": False}) | more
    said = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(said, KEY.secret, "HS256", {"kid": KEY.id})


def code_of(text: str, key: SigningKey = KEY) -> str:
    """The code by which a token is refused; empty when it is accepted."""
    try:
        key_id_of(text)
        verify(text, key, ISSUER)
    except Problem as problem:
        refusal = problem
    else:
        return ""
    assert refusal.status == 401
    told = (refusal.headers or {})["WWW-Authenticate"]
    assert told.startswith('Bearer realm="fealty", error="invalid_token", error_description="')
    return refusal.code


def part(document: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(document)).rstrip(b"=").decode()


def test_a_token_says_who_for_which_store_and_what_for() -> None:
    at_s = now_s()
    text = sign(CLIENT, ["api_loyalty"], KEY, ISSUER, at_s)
    assert key_id_of(text) == KEY.id
    verified = verify(text, KEY, ISSUER)
    assert verified.caller == Caller(CLIENT.id, "shoes", frozenset({"api_loyalty"}))
    assert verified.expires_at_s == at_s + TOKEN_LIFE_S + SKEW_S
    assert jwt.get_unverified_header(text) == {"alg": "HS256", "typ": "JWT", "kid": KEY.id}
    claims = jwt.decode(text, options={"verify_signature": False})
    assert (claims["iss"], claims["iat"], claims["exp"]) == (ISSUER, at_s, at_s + 3600)
    assert len({jwt.decode(token(), options={"verify_signature": False})["jti"] for _ in range(3)}) == 3


def test_clocks_may_differ_by_half_a_minute() -> None:
    at_s = now_s()
    for age_s, code in (
        (TOKEN_LIFE_S + SKEW_S - 5, ""),
        (TOKEN_LIFE_S + SKEW_S + 1, "token_expired"),
        (-SKEW_S + 5, ""),
        (-SKEW_S - 5, "token_invalid"),
    ):
        assert code_of(sign(CLIENT, (), KEY, ISSUER, at_s - age_s)) == code, age_s


@pytest.mark.parametrize("claim", ["iss", "sub", "store", "scope", "iat", "exp", "jti"])
def test_every_claim_is_needed(claim: str) -> None:
    assert code_of(token()) == ""
    assert code_of(token(**{claim: None})) == "token_invalid"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "urn:fealty:other.edge"},
        {"aud": "somebody"},
        {"sub": 7},
        {"store": 7},
        {"scope": ["api_loyalty"]},
        {"iat": "now"},
        {"exp": "later"},
    ],
)
def test_claims_that_none_of_ours_has(claims: dict[str, Any]) -> None:
    assert code_of(token(**claims)) == "token_invalid"


@pytest.mark.parametrize(("claim", "in_s"), [("exp", 10 * 365 * 86_400), ("exp", 60.5), ("nbf", 3_000)])
def test_times_that_none_of_ours_has(claim: str, in_s: float) -> None:
    assert code_of(token(**{claim: now_s() + in_s})) == "token_invalid"


@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
def test_signed_otherwise() -> None:
    good = token()
    header, body, signature = good.split(".")
    claims = jwt.decode(good, options={"verify_signature": False})
    none = {"alg": "none", "typ": "JWT", "kid": KEY.id}
    other = jwt.encode(claims, KEY.secret, "HS512", {"kid": KEY.id})
    changed = part({**claims, "scope": "api_admin"})
    for text in (
        f"{part(none)}.{body}.",
        f"{part(none)}.{body}.{signature}",
        f"{part({**none, 'alg': 'NONE'})}.{body}.",
        f"{part({**none, 'alg': 'HS512'})}.{body}.{signature}",
        other,
        f"{header}.{changed}.{signature}",
        f"{header}.{body}.{signature[:-6]}AAAAAA",
        f"{header}.{body}.",
        jwt.encode(claims, new_key().secret, "HS256", {"kid": KEY.id}),
    ):
        assert code_of(text) == "token_invalid", text
    assert code_of(good, new_key()) == "token_invalid"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a.b.c",
        "..",
        "é.é.é",
        "a" * 5_000,
        f"{part([])}.{part({})}.AA",
        f"{part({'alg': 'HS256'})}.{part({})}.AA",
        f"{part({'alg': 'HS256', 'kid': 7})}.{part({})}.AA",
        f"{part({'alg': 'HS256', 'kid': KEY.id, 'crit': ['x']})}.{part({})}.AA",
    ],
    ids=[*map(str, range(10))],
)
def test_what_is_no_token(text: str) -> None:
    assert code_of(text) == "token_invalid"


def test_another_scope_can_be_asked_for_within_a_route() -> None:
    caller = Caller("c", "s", frozenset({"api_loyalty"}))
    caller.need("api_loyalty")
    with pytest.raises(Problem) as raised:
        caller.need("api_void")
    assert (raised.value.code, raised.value.status) == ("insufficient_scope", 403)
    told = raised.value.headers
    assert told == {"WWW-Authenticate": 'Bearer realm="fealty", error="insufficient_scope", scope="api_void"'}


def test_installations_sign_under_their_own_names() -> None:
    assert issuer_of(Settings()) == ISSUER
    assert issuer_of(Settings(prefix="other.")) != ISSUER


def test_a_secret_is_known_by_its_digest() -> None:
    secret = new_secret()
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    assert CLIENT.has_secret("s")
    for other in ("", "S", "s ", secret, "\ud800"):
        assert not CLIENT.has_secret(other)


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_retired_key_is_accepted_until_its_last_token_has_expired() -> None:
    at = datetime(2026, 11, 22, 10, tzinfo=UTC)
    ring = ring_of(KEY).rotated(at)
    assert ring.current.id != KEY.id
    assert ring.current.secret != KEY.secret
    end = at + timedelta(seconds=TOKEN_LIFE_S + SKEW_S)
    found = ring.find(KEY.id, end)
    assert found is not None
    assert found.secret == KEY.secret
    late = end + timedelta(minutes=1)
    assert ring.find(KEY.id, late) is None
    assert ring.find(ring.current.id, late) == ring.current
    assert ring.find("x", at) is None
    assert {key.id for key in ring.rotated(at).all} >= {KEY.id, ring.current.id}
    assert KEY.id not in {key.id for key in ring.rotated(late).all}
    assert keys.ring_of(KEY).find(KEY.id, late) == KEY


# ── wrong secrets ───────────────────────────────────────────────────────────────────────────────────────────────────


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("services.edge.auth.throttle.monotonic_s", clock)
    return clock


def test_ten_tries_in_a_row_within_a_minute(clock: Clock) -> None:
    throttle = Throttle()
    for count in range(ATTEMPTS_MAX):
        assert throttle.count("c", "a") == 0, count
        clock.now_s += 1
    assert throttle.count("c", "a") == WINDOW_S - 1
    assert throttle.count("c", "b") == throttle.count("d", "a") == 0
    clock.now_s += WINDOW_S - 1.5
    assert throttle.count("c", "a") == 1, "those that were told to wait do not make the wait longer"
    clock.now_s += 0.5
    for count in range(ATTEMPTS_MAX):  # Of a new row: those before it were more than a minute ago.
        assert throttle.count("c", "a") == 0, count
    assert throttle.count("c", "a") == WINDOW_S


def test_slow_tries_and_those_before_a_success_do_not_count(clock: Clock) -> None:
    throttle = Throttle()
    for _ in range(3 * ATTEMPTS_MAX):
        assert throttle.count("slow", "a") == 0
        clock.now_s += WINDOW_S / (ATTEMPTS_MAX - 1) + 0.1
    for _ in range(3):
        for _ in range(ATTEMPTS_MAX):
            assert throttle.count("c", "a") == 0
        throttle.succeeded("c", "a")


def test_what_is_counted_is_bounded(clock: Clock) -> None:
    throttle = Throttle()
    for number in range(12_000):
        throttle.count(f"{number}" + "x" * 1_000, "a")
    assert len(throttle._attempts) == 10_000
    assert max(len(client) for client, _ in throttle._attempts) == 64
    for _ in range(20):
        throttle.count("c", "a")
    assert len(throttle._attempts["c", "a"]) == ATTEMPTS_MAX


async def test_a_client_is_read_once_in_a_while_and_again_after_a_failure(clock: Clock) -> None:
    reads: list[str] = []

    async def read(id_: str) -> Client | None:
        reads.append(id_)
        await asyncio.sleep(0)
        if id_ == "away":
            raise Unavailable("away")
        return CLIENT if id_ == CLIENT.id else None

    cache = ClientCache(read)
    assert await asyncio.gather(*(cache.client(CLIENT.id) for _ in range(50))) == [CLIENT] * 50
    assert await cache.client("nobody") is None
    clock.now_s += CLIENT_CACHE_S - 0.1
    assert await cache.client(CLIENT.id) == CLIENT
    assert reads == [CLIENT.id, "nobody"]
    clock.now_s += 0.1
    assert await cache.client(CLIENT.id) == CLIENT
    assert reads == [CLIENT.id, "nobody", CLIENT.id]
    for _ in range(2):
        with pytest.raises(Unavailable):
            await cache.client("away")
    assert reads.count("away") == 2
    for number in range(1_200):
        await cache.client(f"{number}")
    assert len(cache._reads) == 1_000
