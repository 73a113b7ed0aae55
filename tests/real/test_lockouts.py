"""Lock-outs after wrong scratch codes, on a real MongoDB: two edge processes, races, restarts, growth (rules 4.4.2)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from schemas.giftcards import CodeSource
from schemas.scratch_codes import derived_code
from services.edge.auth import lockouts
from services.edge.auth.lockouts import LOCK_S, LOCK_S_MAX, LOCKOUTS, Limit, Lockouts, Subject
from services.edge.auth.scratch_codes import CHECKED, SERIAL_NUMBER, SHOPPER, ScratchCodes, Tried
from services.edge.auth.tokens import Caller
from services.edge.http.problems import Problem
from services.edge.views.connection import Connection
from shared.errors import Unavailable
from shared.ids import new_id
from tests.harness import Installation, new_installation
from tests.servers import Servers

pytestmark = pytest.mark.real

STORE = "default"
SOURCE = CodeSource(key="development")
CARD: dict[str, Any] = {"cardId": "c-1", "switchId": None, "code": SOURCE.model_dump()}
CLIENT_WRONG_MAX = 30


@pytest.fixture(scope="module")
async def installation(real_servers: Servers) -> AsyncIterator[Installation]:
    """Databases of which each test uses its own serial numbers and clients."""
    async with new_installation(real_servers) as found:
        yield found


@asynccontextmanager
async def edges(installation: Installation, count: int = 1) -> AsyncIterator[list[Lockouts]]:
    """The lock-outs of so many new edge processes, each with its own connection."""
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(count):
            connection = Connection(installation.settings)
            connection.connect()
            stack.push_async_callback(connection.close)
            found.append(Lockouts(connection))
        await asyncio.gather(*(each.prepare() for each in found))
        yield found


def subject(limit: Limit = SERIAL_NUMBER) -> Subject:
    return Subject(limit, (new_id(),))


async def waits_s(installation: Installation, *subjects: Subject) -> int:
    """What an edge that was started just now says: it knows what the database knows."""
    async with edges(installation) as (fresh,):
        return (await fresh.standing(subjects)).wait_s


async def wrong(lock: Lockouts, of: Subject, times: int) -> list[int]:
    return [await lock.count([of]) for _ in range(times)]


async def pass_time(installation: Installation, **by: float) -> None:
    """Move all counts into the past."""
    earlier = timedelta(**by) / timedelta(milliseconds=1)
    members = ("at", "until", "forgotten_at")
    moved = {
        each: {"$cond": [{"$ifNull": [f"${each}", False]}, {"$subtract": [f"${each}", earlier]}, None]}
        for each in members
    }
    await installation.collection("edge", LOCKOUTS).update_many({}, [{"$set": moved}])


# ── counting ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_no_count_is_lost_between_two_edges(installation: Installation) -> None:
    of = subject(Limit(wrong_max=1_000, window_s=3600))
    async with edges(installation, 2) as both:
        assert {*await asyncio.gather(*(both[number % 2].count([of]) for number in range(60)))} == {0}
    (kept,) = await installation.collection("edge", LOCKOUTS).find({"wrong": 60}).to_list()
    assert of.parts[0] not in str(kept), "the serial number is hashed"


async def test_lockout_is_known_to_every_edge_and_survives_restarts(installation: Installation) -> None:
    of = subject()
    async with edges(installation, 2) as (one, other):
        assert await wrong(one, of, SERIAL_NUMBER.wrong_max - 1) == [0] * 4
        assert (await other.standing([of])).wait_s == 0
        assert await wrong(other, of, 1) == [0], "the fifth is answered as wrong, and locks"
        assert LOCK_S - 2 <= (await one.standing([of])).wait_s <= LOCK_S
        (refused,) = await wrong(one, of, 1)
        assert LOCK_S - 2 <= refused <= LOCK_S
    assert LOCK_S - 4 <= await waits_s(installation, of) <= LOCK_S, "what came meanwhile did not count"
    assert await waits_s(installation, subject(), of, subject()) >= LOCK_S - 4, "the longest of several counts"


async def test_lockouts_double_up_to_an_hour(installation: Installation) -> None:
    of, found = subject(), []
    async with edges(installation) as (lock,):
        await wrong(lock, of, SERIAL_NUMBER.wrong_max)
    for _ in range(10):
        found.append(await waits_s(installation, of))
        await pass_time(installation, seconds=found[-1])
        async with edges(installation) as (lock,):
            assert await wrong(lock, of, 1) == [0]
    whole = [each if each == LOCK_S_MAX else LOCK_S * round(each / LOCK_S) for each in found]
    assert whole == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert all(before <= after for before, after in pairwise(found))


async def test_counts_are_forgotten_after_their_window_and_never_during_a_lockout(installation: Installation) -> None:
    of = subject(Limit(wrong_max=5, window_s=10))
    async with edges(installation) as (lock,):
        await wrong(lock, of, 4)
        await pass_time(installation, seconds=11)
        assert await wrong(lock, of, 5) == [0] * 5, "the first of a new window"
    kept = installation.collection("edge", LOCKOUTS)
    (found,) = await kept.find({"wrong": 5, "until": {"$ne": None}}).sort("at", -1).limit(1).to_list()
    assert found["forgotten_at"] >= found["until"]
    assert (await kept.index_information())["forgotten"]["expireAfterSeconds"] == 0


async def test_right_answer_clears_what_is_not_locked(installation: Installation) -> None:
    of, locked = subject(), subject()
    async with edges(installation) as (lock,):
        for _ in range(3):
            await wrong(lock, of, 4)
            assert (await lock.standing([of])).counted == {of}
            await lock.clear(of)
            assert await lock.standing([of]) == (0, frozenset())
        await wrong(lock, locked, 5)
        await lock.clear(locked)
    assert await waits_s(installation, locked) > 0
    assert await waits_s(installation, of) == 0


async def test_what_cannot_be_counted_is_not_tried_again(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = subject()
    async with edges(installation) as (lock,):
        monkeypatch.setattr(lock._connection, "keeping", _away)
        with pytest.raises(Unavailable):
            await lock.count([of])
        assert (await lock.standing([of])).wait_s == LOCK_S
        assert (await lock.standing([subject()])).wait_s == 0


@asynccontextmanager
async def _away() -> AsyncIterator[Any]:
    raise Unavailable("MongoDB: away")
    yield


async def test_memory_of_lockouts_is_bounded(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockouts, "_KNOWN_MAX", 3)
    async with edges(installation) as (lock,):
        for _ in range(5):
            await wrong(lock, subject(Limit(1, 60)), 1)
        assert len(lock._known_s) == 3


# ── scratch codes ───────────────────────────────────────────────────────────────────────────────────────────────────


class Guesses:
    """Tries scratch codes of one new card over two edge processes."""

    def __init__(self, installation: Installation, both: list[Lockouts]) -> None:
        keys = installation.settings.code_key_set
        self.serial = new_id()
        self.code = derived_code(keys, STORE, CARD["cardId"], SOURCE) or ""
        self.codes = [ScratchCodes(each, self.find, keys, CLIENT_WRONG_MAX) for each in both]
        self.client = new_id()

    async def find(self, store: str, serial: str) -> dict[str, Any] | None:
        return CARD if (store, serial) == (STORE, self.serial) else None

    async def answer(
        self,
        code: str = "",
        edge: int = 0,
        *,
        serial: str = "",
        client: str = "",
        shopper: str | None = None,
        switch_id: str | None = None,
    ) -> str:
        """The id of the card, or the code of the problem; what is left out is right."""
        tried = Tried(serial or self.serial, code or self.code, switch_id, shopper)
        try:
            card = await self.codes[edge].card(Caller(client or self.client, STORE, frozenset()), tried)
        except Problem as problem:
            wait = (problem.headers or {}).get("Retry-After")
            return problem.code if wait is None or 0 < int(wait) <= LOCK_S_MAX else f"wait {wait} s"
        return str(card["cardId"])


def outcomes() -> Counter[str]:
    """How many scratch codes were checked, as the metric says."""
    counted = (each for metric in CHECKED.collect() for each in metric.samples if each.name.endswith("_total"))
    return Counter({each.labels["outcome"]: int(each.value) for each in counted})


@pytest.fixture
async def guesses(installation: Installation) -> AsyncIterator[Guesses]:
    async with edges(installation, 2) as both:
        yield Guesses(installation, both)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("switch_id", [None, "OTHER"])
async def test_unknown_cards_and_wrong_codes_are_answered_and_locked_alike(
    guesses: Guesses, known: bool, switch_id: str | None
) -> None:
    serial, before = guesses.serial if known else new_id(), outcomes()
    found = [await guesses.answer("wrong", serial=serial, switch_id=switch_id) for _ in range(6)]
    assert found == ["gift_card_unknown"] * 5 + ["too_many_wrong_codes"]
    for edge in (0, 1):
        assert await guesses.answer(edge=edge, serial=serial) == "too_many_wrong_codes", "the right code neither"
    assert outcomes() - before == {"wrong": 5, "locked_out": 3}


async def test_code_of_another_provider_is_wrong(guesses: Guesses) -> None:
    assert await guesses.answer(switch_id="OTHER") == "gift_card_unknown"


async def test_five_wrong_codes_count_in_a_row_only(guesses: Guesses) -> None:
    for _ in range(3):
        assert [await guesses.answer("wrong", number % 2) for number in range(4)] == ["gift_card_unknown"] * 4
        assert await guesses.answer() == CARD["cardId"]


async def test_racing_guesses_over_two_edges_get_five_answers_and_one_for_the_other_edge(guesses: Guesses) -> None:
    wrongs = [guesses.answer(f"wrong {number}", number % 2, client=new_id()) for number in range(60)]
    found = Counter(await asyncio.gather(*wrongs, guesses.answer(client=new_id())))
    assert found["gift_card_unknown"] <= SERIAL_NUMBER.wrong_max + 1
    assert found["too_many_wrong_codes"] >= 61 - SERIAL_NUMBER.wrong_max - 1


async def test_guess_that_comes_with_many_others_does_not_overtake_them(guesses: Guesses) -> None:
    found = await asyncio.gather(*(guesses.answer(each, client=new_id()) for each in [*["wrong"] * 8, ""]))
    assert found == [*["gift_card_unknown"] * 5, *["too_many_wrong_codes"] * 4], "the right one was the ninth"
    assert await guesses.answer(client=new_id()) == "too_many_wrong_codes"


async def test_racing_right_codes_are_all_right(guesses: Guesses) -> None:
    assert await guesses.answer("wrong") == "gift_card_unknown"
    assert {*await asyncio.gather(*(guesses.answer(edge=number % 2) for number in range(40)))} == {CARD["cardId"]}


async def test_client_with_too_many_wrong_codes_waits_and_others_do_not(guesses: Guesses) -> None:
    found = [await guesses.answer(serial=new_id(), edge=number % 2) for number in range(CLIENT_WRONG_MAX)]
    assert {*found} == {"gift_card_unknown"}
    for edge in (0, 1):
        assert await guesses.answer(edge=edge) == "too_many_wrong_codes"
        assert await guesses.answer(edge=edge, client=new_id()) == CARD["cardId"]


async def test_right_code_in_between_clears_no_count_of_a_client(guesses: Guesses) -> None:
    for _ in range(CLIENT_WRONG_MAX // 2):
        assert await guesses.answer(serial=new_id()) == await guesses.answer("wrong") == "gift_card_unknown"
        last = await guesses.answer()
    assert last == "too_many_wrong_codes"


async def test_shopper_with_too_many_wrong_codes_waits_and_others_do_not(guesses: Guesses) -> None:
    for _ in range(SHOPPER.wrong_max):
        assert await guesses.answer(serial=new_id(), shopper="203.0.113.7") == "gift_card_unknown"
    assert await guesses.answer(shopper="203.0.113.7", edge=1) == "too_many_wrong_codes"
    assert await guesses.answer(shopper="203.0.113.8") == CARD["cardId"]
    assert await guesses.answer() == CARD["cardId"]
    assert await guesses.answer(shopper="203.0.113.7", client=new_id()) == CARD["cardId"], "each client names its own"


async def test_nothing_is_told_while_the_database_cannot_count(
    guesses: Guesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fail closed: neither can somebody guess on, nor does a lock-out that this process knows end."""
    connection = guesses.codes[0]._lockouts._connection
    with monkeypatch.context() as away:
        away.setattr(connection, "keeping", _away)
        with pytest.raises(Unavailable):
            await guesses.answer("wrong")
        assert await guesses.answer() == "too_many_wrong_codes", "a right one would tell that the other was wrong"
        away.setattr(connection, "reading", _away)
        for code in ("", "wrong"):
            with pytest.raises(Unavailable):
                await guesses.answer(code, serial=new_id(), client=new_id())
