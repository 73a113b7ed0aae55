"""What is declared, in memory: programmes, voucher definitions and tier sets, as the views have them.

A customer's answer names every programme and all that is on offer; so that it takes one read, these are not read with
it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.edge.shapes import CATALOGUE, DEFINITION, PROGRAMME
from services.edge.snapshots import Document

PROGRAMMES, DEFINITIONS, CATALOGUES = "programmes", "definitions", "catalogues"
COLLECTIONS = (PROGRAMMES, DEFINITIONS, CATALOGUES)


@dataclass
class Declared:
    """A store's programmes and definitions by their ids, on the wire's names; its primary tier set, if it has one."""

    programmes: dict[str, Document] = field(default_factory=dict)
    definitions: dict[str, Document] = field(default_factory=dict)
    primary_tier_set: str | None = None


class Catalogue:
    """All stores' declarations, replaced as a whole."""

    def __init__(self) -> None:
        self._stores: dict[str, Declared] = {}

    def replace(
        self, programmes: Iterable[Document], definitions: Iterable[Document], catalogues: Iterable[Document]
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
        for declared in stores.values():
            declared.programmes = dict(sorted(declared.programmes.items()))
        self._stores = stores

    def of(self, store: str) -> Declared:
        """A store's declarations; empty when there are none."""
        return self._stores.get(store) or Declared()


def _store(document: Document) -> str:
    store: str = document["_id"].split("/", 2)[1]
    return store
