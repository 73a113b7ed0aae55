"""A kind of stored document: its shape, those that today's code writes, and how it reads one that is stored."""

from collections.abc import Callable
from typing import NamedTuple

from shared.decider import Document
from shared.shapes import Shape


class Kind(NamedTuple):
    """`documents` have every member that the code ever writes; `read` returns what the code makes of a stored one."""

    shape: Shape
    documents: Callable[[], list[Document]]
    read: Callable[[Document], Document]
