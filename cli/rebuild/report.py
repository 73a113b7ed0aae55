"""What a rebuild came to."""

from dataclasses import dataclass, field

_UNFOLDABLE_MAX = 1_000


@dataclass(slots=True)
class Report:
    """What was folded, `writes` being versions of streams, and what was done about it.

    `going_on_after` names the last stream of an earlier call that was cut short, whose work this one goes on with;
    the counts are those of both. `unfoldable` holds the first thousand streams whose journal cannot be folded, with
    the reason; their snapshots stay as they were.
    """

    streams: int = 0
    writes: int = 0
    events: int = 0
    removed: int = 0
    going_on_after: str | None = None
    unfoldable_streams: int = 0
    unfoldable: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Every stream has its snapshot."""
        return self.unfoldable_streams == 0

    def include(self, other: "Report") -> None:
        """Add what another part came to."""
        self.streams += other.streams
        self.writes += other.writes
        self.events += other.events
        self.going_on_after = self.going_on_after or other.going_on_after
        self.unfoldable_streams += other.unfoldable_streams
        self.unfoldable = dict([*self.unfoldable.items(), *other.unfoldable.items()][:_UNFOLDABLE_MAX])

    def cannot_fold(self, stream: str, reason: str) -> None:
        """Note a stream whose snapshot stays as it was."""
        self.unfoldable_streams += 1
        if len(self.unfoldable) < _UNFOLDABLE_MAX:
            self.unfoldable[stream] = reason
