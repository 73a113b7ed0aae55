"""`python -m tests.stored`: keep today's documents of each shape whose version, or whose events, are not kept yet."""

import sys

from tests.stored.events import EVENTS, missing
from tests.stored.kept import keep, kept
from tests.stored.registry import KINDS


def main() -> None:
    """Add what is not there; what was kept stays as it is."""
    for kind in KINDS:
        found = kept(kind.shape.name)
        if kind.shape.version not in found:
            found[kind.shape.version] = kind.documents()
            keep(kind.shape.name, found)
            sys.stdout.write(f"kept {kind.shape.name}, version {kind.shape.version}\n")
    for name, documents, _ in EVENTS:
        found = kept(name)
        if new := missing(found.get(1, []), documents()):
            keep(name, {1: [*found.get(1, []), *new]})
            sys.stdout.write(f"kept {len(new)} {name}\n")


main()
