"""All that is kept of a customer as one JSON document, written page by page: it never lies in memory as a whole."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from services.edge.edge import Edge
from services.edge.families.v1.presenting import account_of, movement_of, voucher_of
from services.edge.views.statements import Place, Query
from shared.decider import Document
from shared.hashing import to_json

_PAGE = 500


async def exported(edge: Edge, store: str, document: Mapping[str, Any]) -> AsyncIterator[bytes]:
    """The pieces of an `ExportAnswer`. A server that goes away meanwhile ends it amidst, which no reader takes for all.

    :raises Unavailable: the views are away.
    """
    accounts = {}
    for link in document["links"]:
        if (account := await edge.views.accounts.one(link)) is not None:
            accounts[account[1]["account"]] = account
    tier_sets = await edge.views.catalogue.tier_sets(store)
    customer = {name: value for name, value in document["view"].items() if name != "search"}
    yield b'{"customer":' + to_json(customer) + b',"accounts":['
    between = b""
    for account_id, each in accounts.items():
        shown = to_json(account_of(*each, tier_sets))
        yield between + shown[:-1] + b',"movements":['
        async for piece in _joined(_movements(edge, account_id)):
            yield piece
        yield b"]}"
        between = b","
    yield b'],"vouchers":['
    async for piece in _joined(_vouchers(edge, {*document["links"], *accounts})):
        yield piece
    yield b"]}"


async def _movements(edge: Edge, account: str) -> AsyncIterator[Iterable[Document]]:
    """All of an account, newest first, in pages."""
    below: Place | None = None
    while True:
        page = await edge.views.statements.page(Query(account=account, below=below, limit=_PAGE))
        actors = await edge.views.attributions.actors(page)
        yield (movement_of(change, actors) for change in page)
        if len(page) < _PAGE:
            return
        below = Place(datetime.fromisoformat(page[-1]["bookedAt"]), page[-1]["sequence"])


async def _vouchers(edge: Edge, accounts: Collection[str]) -> AsyncIterator[Iterable[Document]]:
    """All of some accounts, used ones too, in pages."""
    after = ""
    while True:
        page = await edge.views.vouchers.owned(accounts, after, _PAGE)
        yield (voucher_of(view) for _, view in page)
        if len(page) < _PAGE:
            return
        after = page[-1][0]


async def _joined(pages: AsyncIterator[Iterable[Document]]) -> AsyncIterator[bytes]:
    """The members of a JSON array, a page at a time."""
    between = b""
    async for page in pages:
        if piece := b",".join(map(to_json, page)):
            yield between + piece
            between = b","
