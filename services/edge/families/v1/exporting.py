"""Exports all data of a customer as one JSON document, streamed page by page so that memory stays bounded."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from services.edge.edge import Edge
from services.edge.families.v1.presenting import account_of, movement_of, voucher_of
from services.edge.views.statements import Place, Query
from shared.decider import Document
from shared.hashing import to_json

_PAGE = 500


async def export_document(edge: Edge, store: str, document: Mapping[str, Any]) -> AsyncIterator[bytes]:
    """The pieces of an `ExportAnswer`. If the database fails midway, the document ends early and is invalid JSON.

    :raises Unavailable: the views cannot be reached.
    """
    accounts = {}
    for link in document["links"]:
        if (account := await edge.views.accounts.one(link)) is not None:
            accounts[account[1]["account"]] = account
    tier_sets = await edge.views.catalogue.tier_sets(store)
    customer = {name: value for name, value in document["view"].items() if name != "search"}
    yield b'{"customer":' + to_json(customer) + b',"accounts":['
    separator = b""
    for account_id, account in accounts.items():
        account_json = to_json(account_of(*account, tier_sets))
        yield separator + account_json[:-1] + b',"movements":['
        async for piece in _array_elements(_movements(edge, account_id)):
            yield piece
        yield b"]}"
        separator = b","
    yield b'],"vouchers":['
    async for piece in _array_elements(_vouchers(edge, {*document["links"], *accounts})):
        yield piece
    yield b"]}"


async def _movements(edge: Edge, account: str) -> AsyncIterator[Iterable[Document]]:
    """All movements of an account, newest first, in pages."""
    below: Place | None = None
    while True:
        page = await edge.views.statements.page(Query(account=account, below=below, limit=_PAGE))
        actors = await edge.views.attributions.actors(page)
        yield (movement_of(change, actors) for change in page)
        if len(page) < _PAGE:
            return
        below = Place(datetime.fromisoformat(page[-1]["bookedAt"]), page[-1]["sequence"])


async def _vouchers(edge: Edge, accounts: Collection[str]) -> AsyncIterator[Iterable[Document]]:
    """All vouchers of these accounts, used ones too, in pages."""
    after = ""
    while True:
        page = await edge.views.vouchers.owned(accounts, after, _PAGE)
        yield (voucher_of(view) for _, view in page)
        if len(page) < _PAGE:
            return
        after = page[-1][0]


async def _array_elements(pages: AsyncIterator[Iterable[Document]]) -> AsyncIterator[bytes]:
    """The elements of a JSON array as bytes, a page at a time."""
    separator = b""
    async for page in pages:
        if piece := b",".join(map(to_json, page)):
            yield separator + piece
            separator = b","
