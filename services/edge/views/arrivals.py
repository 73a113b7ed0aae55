"""What did not fit into a reply comes by the feeds: whoever was told *accepted* waits until the views have it."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

import structlog

from schemas.replies import LeftOut
from services.edge.views.accounts import ACCOUNTS
from services.edge.views.composing import attach
from services.edge.views.connection import Database
from services.edge.views.giftcard_history import GIFT_CARD_HISTORY, change_id
from services.edge.views.snapshots import known, place_of
from services.edge.views.statements import STATEMENTS
from services.edge.views.vouchers import VOUCHERS
from shared.clock import monotonic_s
from shared.errors import Unavailable

WAIT_S = 2.0
_LOOK_S = 0.03

log = structlog.get_logger()


async def arrived(database: Callable[[], AbstractAsyncContextManager[Database]], left_out: Sequence[LeftOut]) -> bool:
    """Wait until the views have what a reply left out; False when they have not in time, or are away."""
    until = monotonic_s() + WAIT_S
    try:
        while True:
            async with database() as views:
                if await _there(views, left_out):
                    return True
            if monotonic_s() > until:
                log.warning("snapshots left out of a reply did not arrive in time", parts=len(left_out))
                return False
            await asyncio.sleep(_LOOK_S)
    except Unavailable as error:
        log.warning("snapshots left out of a reply could not be checked", error=str(error))
        return False


async def _there(database: Database, left_out: Sequence[LeftOut]) -> bool:
    """Whether all snapshots and changes are there; then the customers show the accounts and vouchers, too."""
    owners: set[str] = set()
    for collection, versions in _versions(left_out).items():
        shown = {"version": True, **({"view.account": True} if collection == VOUCHERS else {})}
        found = await database[collection].find({"_id": {"$in": [*versions]}}, shown).to_list(len(versions))
        if len(found) < len(versions) or any(each["version"] < versions[each["_id"]] for each in found):
            return False
        if collection == ACCOUNTS:
            owners |= versions.keys()
        owners |= {owner for each in found if (owner := each.get("view", {}).get("account")) is not None}
    for collection, last in _last_changes(left_out).items():
        if await database[collection].count_documents({"_id": {"$in": last}}) < len(last):
            return False
    if owners:
        await attach(database, owners, follow=True)
    return True


def _versions(left_out: Sequence[LeftOut]) -> dict[str, dict[str, int]]:
    """By collection, the versions that its documents must have at least."""
    wanted: dict[str, dict[str, int]] = defaultdict(dict)
    for each in left_out:
        if each.type is not None and each.version is not None and known(each.type):
            collection, id_ = place_of(each.type, each.stream)
            wanted[collection][id_] = max(each.version, wanted[collection].get(id_, 0))
    return wanted


def _last_changes(left_out: Sequence[LeftOut]) -> dict[str, list[str]]:
    """By collection, the ids of the last changes of accounts and cards: a feed brings those of each in their order."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for each in left_out:
        kind, store, name = each.stream.split("/", 2)
        if each.sequence is not None and kind == "account":
            wanted[STATEMENTS].append(f"{name}#{each.sequence}")
        if each.sequence is not None and kind == "card":
            wanted[GIFT_CARD_HISTORY].append(change_id(store, name, each.sequence))
    return wanted
