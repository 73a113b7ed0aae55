"""How the journal names what an entry wrote: `stream#version`, the version zero-padded (protocol P1).

A `#` in the stream's own name is escaped, as is `%`: else `order/s/1#000000000001` would lie among the writes of
`order/s/1`.
"""

_VERSION_DIGITS = 12


def write_of(stream: str, version: int) -> str:
    """How the journal names the write of a version."""
    return f"{_escaped(stream)}#{version:0{_VERSION_DIGITS}d}"


def first_write(stream: str) -> str:
    """Comes before every write of the stream, and after those of streams with earlier names."""
    return f"{_escaped(stream)}#"


def last_write(stream: str) -> str:
    """Comes after every write of the stream, and before those of streams with later names."""
    return f"{_escaped(stream)}#:"


def split(write: str) -> tuple[str, int]:
    """The stream and the version of a write."""
    stream, _, version = write.rpartition("#")
    return stream.replace("%23", "#").replace("%25", "%"), int(version)


def _escaped(stream: str) -> str:
    if "#" in stream or "%" in stream:
        return stream.replace("%", "%25").replace("#", "%23")
    return stream
