"""What is stored says the version of its shape, and what any release stored can be read."""

from copy import deepcopy
from typing import Any

import pytest

from shared.shapes import Shape
from tests.stored.events import EVENTS, NO_LONGER_KEPT, missing
from tests.stored.kept import kept, members
from tests.stored.kinds import Kind
from tests.stored.registry import KINDS

HINT = "append a step to the shape, then keep a document of the new version: python -m tests.stored"


EACH_KIND = pytest.mark.parametrize("kind", KINDS, ids=[kind.shape.name for kind in KINDS])


def test_shapes_have_names_of_their_own() -> None:
    assert len({kind.shape.name for kind in KINDS}) == len(KINDS)


@EACH_KIND
def test_a_stored_document_says_the_version_of_its_shape(kind: Kind) -> None:
    assert {document["v"] for document in kind.documents()} == {kind.shape.version}


@EACH_KIND
def test_what_is_stored_does_not_change_without_a_step(kind: Kind) -> None:
    of_version = kept(kind.shape.name).get(kind.shape.version)
    assert of_version is not None, f"no document is kept of version {kind.shape.version}: python -m tests.stored"
    stored = set().union(*map(members, kind.documents()))
    assert stored == set().union(*map(members, of_version)), HINT


@EACH_KIND
def test_documents_of_every_version_are_read(kind: Kind) -> None:
    versions = kept(kind.shape.name)
    assert [*versions] == [*range(kind.shape.version + 1)]
    for documents in versions.values():
        for document in documents:
            read = kind.read(deepcopy(document))
            assert read["v"] == kind.shape.version
            assert kind.read(deepcopy(read)) == read


@EACH_KIND
def test_documents_of_a_later_release_are_read(kind: Kind) -> None:
    """While two releases run side by side."""
    for document in kind.documents():
        kind.read({**document, "v": kind.shape.version + 1, "added": "later"})


@pytest.mark.parametrize(("name", "documents", "read"), EVENTS, ids=[name for name, _, _ in EVENTS])
def test_events_of_every_release_are_read(name: str, documents: Any, read: Any) -> None:
    known = kept(name)[1]
    assert not missing(known, documents()), "keep the new ones: python -m tests.stored"
    for document in known:
        dropped = NO_LONGER_KEPT.get(document["type"], frozenset())
        assert read(deepcopy(document)) == {name: each for name, each in document.items() if name not in dropped}


def test_steps_are_taken_in_order() -> None:
    shape = Shape("s", lambda it: {**it, "a": 1}, lambda it: {**it, "b": it["a"] + 1})
    assert shape.upgrade({}) == {"v": 2, "a": 1, "b": 2}
    assert shape.upgrade({"v": 1, "a": 5}) == {"v": 2, "a": 5, "b": 6}
    assert shape.upgrade({"v": 2}) == {"v": 2}
    assert shape.upgrade({"v": 3, "c": 4}) == {"v": 3, "c": 4}
