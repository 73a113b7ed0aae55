"""The systems that may call the edge, and the keys that sign their tokens, in the edge's database."""
