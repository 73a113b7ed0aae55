"""Exports are streamed page by page, in bounded memory."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import orjson

from services.edge.families.v1.exporting import export_document
from services.edge.families.v1.models.customers import ExportAnswer
from services.edge.views.statements import Query
from tests.contract.customer_examples import VIEW
from tests.contract.examples import ACCOUNT, CHANGED, EXAMPLES

MOVEMENTS, VOUCHERS = 1_700, 1_200
_VOUCHER = EXAMPLES["voucher.snapshot.v1"][0].model_dump(mode="json", by_alias=True)
_ACCOUNT = EXAMPLES["points.account.v1"][0].model_dump(mode="json", by_alias=True)
_CHANGE = CHANGED.model_dump(mode="json", by_alias=True)


class Views:
    """An account with many movements, newest first, and many vouchers."""

    def __init__(self) -> None:
        self.read: list[int] = []

    @property
    def accounts(self) -> "Views":
        return self

    catalogue = statements = vouchers = attributions = accounts

    async def one(self, _link: str) -> tuple[int, dict[str, Any]]:
        return 3, _ACCOUNT

    async def tier_sets(self, _store: str) -> dict[str, Any]:
        return {}

    async def page(self, query: Query) -> list[dict[str, Any]]:
        first = MOVEMENTS if query.below is None else query.below.sequence - 1
        return self._page([{**_CHANGE, "sequence": each} for each in range(first, max(0, first - query.limit), -1)])

    async def owned(self, _accounts: Any, after: str, limit: int) -> list[tuple[str, dict[str, Any]]]:
        first = 0 if not after else int(after) + 1
        return self._page([(str(each), _VOUCHER) for each in range(first, min(VOUCHERS, first + limit))])

    async def actors(self, _page: Any) -> dict[str, str]:
        return {}

    def _page(self, found: list[Any]) -> list[Any]:
        self.read.append(len(found))
        return found


async def test_an_export_is_written_page_by_page() -> None:
    views, pieces = Views(), []
    edge: Any = SimpleNamespace(views=views)
    document = {"links": [ACCOUNT], "view": VIEW.model_dump(mode="json", by_alias=True)}
    read_by_piece = []
    async for piece in export_document(edge, "s", document):
        pieces.append(piece)
        read_by_piece.append(sum(views.read))
    assert max(views.read) <= 500
    assert max(later - earlier for earlier, later in pairwise(read_by_piece)) <= 500
    found = orjson.loads(b"".join(pieces))
    ExportAnswer.model_validate(found)
    (account,) = found["accounts"]
    assert [each["sequence"] for each in account["movements"]] == [*range(MOVEMENTS, 0, -1)]
    assert len(found["vouchers"]) == VOUCHERS
    assert "search" not in found["customer"]


async def test_customers_without_accounts_can_be_exported() -> None:
    edge: Any = SimpleNamespace(views=Views())
    document: dict[str, Any] = {"links": [], "view": VIEW.model_dump(mode="json", by_alias=True)}
    pieces = [piece async for piece in export_document(edge, "s", document)]
    assert orjson.loads(b"".join(pieces))["accounts"] == []
