"""Who names a gift card by serial number and scratch code: checked in constant time, with lock-outs (rules 4.4.2)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import structlog
from prometheus_client import Counter

from schemas.giftcards import CodeSource
from schemas.key_sets import KeySet
from schemas.scratch_codes import CodeKeyUnknown, code_matches
from services.edge.auth.lockouts import Limit, Lockouts, Subject
from services.edge.auth.tokens import Caller
from services.edge.http.problems import Problem

log = structlog.get_logger()

CHECKED = Counter("fealty_scratch_codes_total", "Scratch codes sent by callers, by outcome.", ["outcome"])

SERIAL_NUMBER = Limit(wrong_max=5, window_s=24 * 3600)
SHOPPER = Limit(wrong_max=10, window_s=3600)
CLIENT_WINDOW_S = 3600

Document = dict[str, Any]
Find = Callable[[str, str], Awaitable[Document | None]]


class Tried(NamedTuple):
    """What is tried: on which serial number which code, where it is given for which provider, and by which shopper."""

    serial_number: str
    scratch_code: str
    switch_id: str | None = None
    shopper: str | None = None


class ScratchCodes:
    """Finds cards by serial number and scratch code.

    A card that is not there, one of another provider and a wrong code are the same: in the answer, in what is counted,
    and in what is done until then. In each process the tries on one serial number run one after another: so at most
    one try for each other process is answered that came before the lock-out and was not counted yet.
    """

    def __init__(self, lockouts: Lockouts, find: Find, keys: KeySet, client_wrong_max: int) -> None:
        self._lockouts = lockouts
        self._find = find
        self._keys = keys
        self._client = Limit(client_wrong_max, CLIENT_WINDOW_S)
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def card(self, caller: Caller, tried: Tried, pointer: str = "/serialNumber") -> Document:
        """The card, as the views have it.

        :raises Problem: `gift_card_unknown`, or `too_many_wrong_codes` during a lock-out.
        :raises Unavailable: the database cannot be reached; then nothing is told of the code.
        """
        turn = self._turns.setdefault((caller.store, tried.serial_number), asyncio.Lock())
        async with turn:
            return await self._card(caller, tried, pointer)

    async def _card(self, caller: Caller, tried: Tried, pointer: str) -> Document:
        serial, *_ = subjects = self._subjects(caller, tried)
        standing, card = await asyncio.gather(
            self._lockouts.standing(subjects), self._find(caller.store, tried.serial_number)
        )
        if standing.wait_s:
            CHECKED.labels("locked_out").inc()
            raise locked_out(standing.wait_s)
        if self._opened(caller.store, card, tried) and card is not None:
            if serial in standing.counted:
                await self._lockouts.clear(serial)
            CHECKED.labels("right").inc()
            return card
        CHECKED.labels("wrong").inc()
        if wait_s := await self._lockouts.count(subjects):
            raise locked_out(wait_s)
        raise unknown_card(pointer)

    def _subjects(self, caller: Caller, tried: Tried) -> list[Subject]:
        subjects = [
            Subject(SERIAL_NUMBER, ("serial number", caller.store, tried.serial_number)),
            Subject(self._client, ("client", caller.client)),
        ]
        if tried.shopper is not None:
            subjects.append(Subject(SHOPPER, ("shopper", caller.client, tried.shopper)))
        return subjects

    def _opened(self, store: str, card: Document | None, tried: Tried) -> bool:
        """Whether this is the card and its code; no code is that of a card without one.

        It does the same for every answer, and without a card.
        """
        found = card or {"cardId": tried.serial_number, "switchId": None, "code": None}
        card_id, source = found["cardId"], CodeSource(**(found["code"] or {"key": self._keys.current.id}))
        try:
            right = code_matches(self._keys, store, card_id, source if found["code"] else None, tried.scratch_code)
        except CodeKeyUnknown as error:
            log.error("a scratch code cannot be checked", card=card_id, reason=str(error))
            return False
        return right and tried.switch_id in (None, found["switchId"])


def locked_out(wait_s: int) -> Problem:
    """429: the same for whatever is locked, whether there is a card or not."""
    detail = "Too many wrong scratch codes were sent. Wait as long as Retry-After says."
    return Problem("too_many_wrong_codes", detail, headers={"Retry-After": str(wait_s)})


def unknown_card(pointer: str | None = None) -> Problem:
    """404: the same for a card that is not there, one of another provider, and a wrong scratch code."""
    return Problem("gift_card_unknown", "there is no such gift card", pointer=pointer)
