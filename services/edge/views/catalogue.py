"""What is declared, in memory: programmes, voucher definitions, tier sets and card types, as the views have them.

A customer's answer names every programme and all that is on offer; so that it takes one read, these are not read with
it.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from schemas.giftcards import CARD_TYPE_VIEW, CardTypeView
from schemas.points import CATALOGUE_VIEW, PROGRAMME_VIEW, CatalogueView, ProgrammeView
from schemas.vouchers import DEFINITION_VIEW, DefinitionView
from services.edge.views.connection import Connection
from services.edge.views.shapes import CARD_TYPE, CATALOGUE, DEFINITION, PROGRAMME
from services.edge.views.view import SnapshotType, Stored, View
from shared.clock import monotonic_s
from shared.decider import Document
from shared.errors import Unavailable

PROGRAMMES, DEFINITIONS, CATALOGUES, CARD_TYPES = "programmes", "definitions", "catalogues", "card_types"

_AGE_MAX_S = 5.0
"""Another edge may have been fed a declaration: it is known here after this time at the latest."""


@dataclass
class Declared:
    """A store's programmes, definitions and card types by their ids, on the wire's names; its primary tier set."""

    programmes: dict[str, Document] = field(default_factory=dict)
    definitions: dict[str, Document] = field(default_factory=dict)
    card_types: dict[str, Document] = field(default_factory=dict)
    primary_tier_set: str | None = None


class Catalogue(View):
    """All stores' declarations, replaced as a whole."""

    collections = (Stored(PROGRAMMES), Stored(DEFINITIONS), Stored(CATALOGUES), Stored(CARD_TYPES))
    snapshots = (
        SnapshotType(PROGRAMME_VIEW, TypeAdapter(ProgrammeView), PROGRAMMES, PROGRAMME),
        SnapshotType(DEFINITION_VIEW, TypeAdapter(DefinitionView), DEFINITIONS, DEFINITION),
        SnapshotType(CATALOGUE_VIEW, TypeAdapter(CatalogueView), CATALOGUES, CATALOGUE),
        SnapshotType(CARD_TYPE_VIEW, TypeAdapter(CardTypeView), CARD_TYPES, CARD_TYPE),
    )

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._stores: dict[str, Declared] = {}
        self._read_at_s = float("-inf")
        self._reading = asyncio.Lock()
        self._complete = False

    async def read(self) -> None:
        """Read what is declared; one reading after another, or an older one might end last."""
        async with self._reading, self._connection.reading() as database:
            self._read_at_s = monotonic_s()
            found = await asyncio.gather(
                *(database[each.name].find({"view": {"$exists": True}}).to_list(None) for each in self.collections)
            )
            self.replace(*found)
            self._complete = True

    async def check(self) -> None:
        """Turn once: look for what other edges may have been fed."""
        if monotonic_s() - self._read_at_s > _AGE_MAX_S:
            with suppress(Unavailable):
                await self.read()

    async def tier_sets(self, store: str) -> dict[str, Document]:
        """A store's tier sets by id, as `TierSet`s on the wire."""
        stream = f"catalogue/{store}/all"
        async with self._connection.reading() as database:
            found = await database[CATALOGUES].find_one({"_id": stream}, {"v": 1, "view.tierSets": 1})
        return {} if found is None else {each["id"]: each for each in CATALOGUE.upgrade(found)["view"]["tierSets"]}

    def replace(
        self,
        programmes: Iterable[Document],
        definitions: Iterable[Document],
        catalogues: Iterable[Document],
        card_types: Iterable[Document],
    ) -> None:
        """Take the documents of the views instead of those known until now."""
        stores: dict[str, Declared] = {}
        for document in map(PROGRAMME.upgrade, programmes):
            programme = document["view"]["programme"]
            stores.setdefault(_store(document), Declared()).programmes[programme["id"]] = programme
        for document in map(DEFINITION.upgrade, definitions):
            definition = document["view"]["definition"]
            stores.setdefault(_store(document), Declared()).definitions[definition["code"]] = definition
        for document in map(CATALOGUE.upgrade, catalogues):
            for tier_set in document["view"]["tierSets"]:
                if tier_set["primary"] and tier_set.get("state") != "retired":
                    stores.setdefault(_store(document), Declared()).primary_tier_set = tier_set["id"]
        for document in map(CARD_TYPE.upgrade, card_types):
            card_type = document["view"]["cardType"]
            stores.setdefault(_store(document), Declared()).card_types[card_type["code"]] = card_type
        for declared in stores.values():
            declared.programmes = dict(sorted(declared.programmes.items()))
        self._stores = stores

    def known(self, store: str) -> Declared:
        """A store's declarations, of which a request is refused that names something else.

        :raises Unavailable: they have not been read yet.
        """
        if not self._complete:
            raise Unavailable("what is declared has not been read yet")
        return self.of(store)

    def of(self, store: str) -> Declared:
        """A store's declarations; empty when there are none."""
        return self._stores.get(store) or Declared()


def _store(document: Document) -> str:
    store: str = document["_id"].split("/", 2)[1]
    return store
