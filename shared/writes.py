"""How the journal names what an entry wrote: `stream#version`, the version zero-padded (DESIGN P1)."""

_VERSION_DIGITS = 12


def write_of(stream: str, version: int) -> str:
    """How the journal names the write of a version."""
    return f"{stream}#{version:0{_VERSION_DIGITS}d}"


def first_write(stream: str) -> str:
    """Comes before every write of the stream, and after those of streams with earlier names."""
    return f"{stream}#"


def last_write(stream: str) -> str:
    """Comes after every write of the stream, and before those of streams with later names."""
    return f"{stream}#:"


def split(write: str) -> tuple[str, int]:
    """The stream and the version of a write."""
    stream, _, version = write.rpartition("#")
    return stream, int(version)
