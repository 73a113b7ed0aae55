"""The versions of stored documents: each says the version of its shape as `v`, and a reader brings older ones up to it.

A document without `v` is from before it was written: version 0. To change what is stored, append a step to its shape,
and keep a document of the new version (`python -m tests.stored`); what is stored already is never rewritten for it.
"""

from collections.abc import Callable
from typing import Any, Final

Document = dict[str, Any]

Step = Callable[[Document], Document]
"""From one version to the next. The document may be a part of the stored one, since some reads project: a step looks
for the members that it changes. It may change the document in place."""

VERSION: Final = "v"


def unchanged(document: Document) -> Document:
    """The step between versions of which the earlier reads like the later one."""
    return document


class Shape:
    """The shape of one kind of stored document; `steps[n]` upgrades a document of version n to n + 1."""

    __slots__ = ("name", "steps", "version")

    def __init__(self, name: str, *steps: Step) -> None:
        self.name = name
        self.steps = steps
        self.version = len(steps)

    def stamp(self, document: Document) -> Document:
        """The document, which the present code made, with its version."""
        document[VERSION] = self.version
        return document

    def upgrade(self, document: Document) -> Document:
        """The stored document as the present code would have written it.

        One of a later version is read as it is: while several releases run side by side, the older ones meet those,
        and ignore the members that they do not know.
        """
        version = document.get(VERSION, 0)
        if version >= self.version:
            return document
        for step in self.steps[version:]:
            document = step(document)
        return self.stamp(document)
