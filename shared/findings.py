"""What a verification finds, and where two documents differ."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_FINDINGS_PER_STREAM_MAX = 20
_FINDINGS_MAX = 1_000
NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something off: what it is about, what should be there, what is there."""

    what: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference, and the stream that it is on."""

    stream: str
    difference: Difference


@dataclass(slots=True)
class Report:
    """What was looked at (`writes` are versions of streams), and what is off.

    `findings` holds the first thousand; `streams_off` counts all streams that are off.
    """

    streams: int = 0
    writes: int = 0
    events: int = 0
    streams_off: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Nothing is off."""
        return self.streams_off == 0

    def add(self, stream: str, differences: list[Difference]) -> None:
        """Note what is off on a stream."""
        self.streams_off += 1
        room = max(0, _FINDINGS_MAX - len(self.findings))
        self.findings += [Finding(stream, each) for each in differences[: min(room, _FINDINGS_PER_STREAM_MAX)]]


def differences(expected: Any, found: Any, path: str = "") -> Iterator[Difference]:
    """Where two documents differ, each with its JSON pointer."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in {**expected, **found}:
            yield from differences(expected.get(name, NOTHING), found.get(name, NOTHING), f"{path}/{name}")
    elif isinstance(expected, list) and isinstance(found, list):
        for index in range(max(len(expected), len(found))):
            one = expected[index] if index < len(expected) else NOTHING
            other = found[index] if index < len(found) else NOTHING
            yield from differences(one, other, f"{path}/{index}")
    elif expected != found:
        yield Difference(path, str(expected), str(found))
