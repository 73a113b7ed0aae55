"""What a service hands to the runtime: its name, its pure functions, and its registries."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from pydantic import BaseModel

from shared.decider import Accepted, Command, Decider, Document, Wake
from shared.findings import Difference
from shared.reactions import Reaction


class Previewed(NamedTuple):
    """A command of which can be asked what it would come to: its type, and what is shown of it when it is accepted.

    `show` gets the command, the states that it was decided on, and what it would book; it gives a reply's result.
    """

    command: str
    show: "Show"


Show = Callable[[Command, Mapping[str, Any], Accepted[Any]], Document]


@dataclass(frozen=True, kw_only=True)
class Service:
    """A stateful service, as plain data.

    `commands` maps each command type to its wire model and `rejections` to the type of its refusal event;
    `changes` turns a stored event into the value of the public change stream, of type `changed`, or None when it moves
    nothing; a service without such a stream leaves both out.
    `reactions` maps each input topic to the function that translates its records into commands; `wake`, given a
    stream's name and its stored state, names the command that books what is due on it, or None when nothing is.
    `previews` maps a type of query to the command that it decides without doing it.
    `concerns` names what a command is about, as its refusal shall say it: members of the refusal event.
    `check_event`, given a state and the event that comes next, and `check_state`, given a state, find what cannot be
    true (rules 4.1.7).
    `letters_kept` is for how long dead letters are, where what was sent may be personal; otherwise nothing ends that.
    """

    name: str
    commands: Mapping[str, type[BaseModel]]
    rejections: Mapping[str, str]
    decider: Decider[Any, Any]
    check_event: Callable[[Any, Any], Iterator[Difference]]
    check_state: Callable[[Any], Iterator[Difference]]
    changed: str = ""
    changes: Callable[[Document], Document | None] = lambda _: None
    reactions: Mapping[str, Reaction] = field(default_factory=dict)
    previews: Mapping[str, Previewed] = field(default_factory=dict)
    wake: Callable[[str, Document], Wake | None] | None = None
    concerns: Callable[[Any], Document] = lambda _: {}
    letters_kept: timedelta | None = None

    def input_group(self, topic: str) -> str:
        """The consumer group of one input: each has its own, since all members of a group must read the same topics."""
        return f"{self.name}.reactions.{topic}"
