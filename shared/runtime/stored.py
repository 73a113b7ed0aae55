"""The shapes of what the runtime stores for each service; the states inside snapshots are their service's own."""

from shared.shapes import Shape, unchanged

ENTRY = Shape("journal_entry", unchanged, unchanged)
"""Its events say their version in their types, which end in it: `.v1`."""

SNAPSHOT = Shape("snapshot", unchanged, unchanged)

FENCE = Shape("fence", unchanged)

DEAD_LETTER = Shape("dead_letter", unchanged)

REBUILD = Shape("rebuild", unchanged)
"""How far a rebuild has come, and its parts."""
