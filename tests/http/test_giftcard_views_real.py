"""A card's history is never torn against the card: what one topic brought before the other is waited for."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from schemas.replies import LeftOut
from services.edge.families.giftcard.answering import shown_card
from services.edge.families.giftcard.models import HistoryDetail
from services.edge.http.problems import Problem
from services.edge.views import arrivals, giftcard_history
from services.edge.views.views import Views
from shared.decider import Document
from shared.ids import new_id
from shared.runtime.health import Health
from tests.harness import new_installation
from tests.http.cards import card_change, card_snapshot
from tests.servers import Servers

pytestmark = pytest.mark.real

STORE = "default"


@pytest.fixture(scope="module")
async def views(real_servers: Servers) -> AsyncIterator[Views]:
    """Views of one installation; each test has its own cards."""
    async with new_installation(real_servers) as installation:
        views = Views(installation.settings, Health(60))
        await views.start()
        yield views
        await views.stop()


async def stored(views: Views, card: str, sequence: int, *changes: int) -> Document:
    """A card, as the view has it, whose latest mutation is `sequence`, with these mutations beside it."""
    await views.apply([card_snapshot(card, sequence)], [card_change(card, each) for each in changes], STORE)
    found = await views.giftcards.one(STORE, card)
    assert found is not None
    return found


async def test_mutations_that_are_newer_than_the_card_are_not_shown(views: Views) -> None:
    card = await stored(views, new_id(), 2, 1, 2, 3)
    shown = await shown_card(views, STORE, card, HistoryDetail.REGULAR)
    assert [each["sequence"] for each in shown["history"]] == [2, 1]


@pytest.mark.parametrize("there", [(1,), (2,), ()])
async def test_mutations_that_are_missing_are_waited_for(views: Views, there: tuple[int, ...]) -> None:
    card = await stored(views, new_id(), 2, *there)
    showing = asyncio.create_task(shown_card(views, STORE, card, HistoryDetail.REGULAR))
    await asyncio.sleep(0.1)
    assert not showing.done()
    await views.giftcard_history.apply(STORE, [card_change(card["cardId"], each) for each in (1, 2)])
    assert [each["sequence"] for each in (await showing)["history"]] == [2, 1]


async def test_a_history_that_does_not_come_is_not_shown(views: Views, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giftcard_history, "WAIT_S", 0.1)
    card = await stored(views, new_id(), 3, 1, 3)
    with pytest.raises(Problem) as raised:
        await shown_card(views, STORE, card, HistoryDetail.CONDENSED)
    assert raised.value.code == "unavailable"
    assert (await shown_card(views, STORE, card, HistoryDetail.NONE))["cardId"] == card["cardId"]


async def test_cards_of_other_stores_have_other_histories(views: Views) -> None:
    card = await stored(views, new_id(), 1, 1)
    await views.apply([card_snapshot(card["cardId"], 1, "other")], [card_change(card["cardId"], 1, delta=5)], "other")
    (mine,) = await views.giftcard_history.page(STORE, card["cardId"], 1, 9) or [{}]
    (theirs,) = await views.giftcard_history.page("other", card["cardId"], 1, 9) or [{}]
    assert (mine["delta"], theirs["delta"]) == (-1000, 5)
    serial = card["serialNumber"]
    assert await views.giftcards.with_serial_number(STORE, serial) == card
    assert await views.giftcards.with_serial_number("others", serial) is None


async def test_what_a_reply_left_out_is_waited_for(views: Views, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "WAIT_S", 0.1)
    card = new_id()
    left_out = [LeftOut(stream=f"card/{STORE}/{card}", sequence=2)]
    await stored(views, card, 2, 1)
    assert not await arrivals.arrived(views.database, left_out)
    await views.giftcard_history.apply(STORE, [card_change(card, 2)])
    assert await arrivals.arrived(views.database, left_out)
