"""JSON pointers (RFC 6901) into a request's body: what is wrong is named by members that the body has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

Steps = Sequence[int | str]


@dataclass(frozen=True)
class SentBody:
    """A body as it was sent, of which model. `renamed` has its name of each member that its command calls otherwise."""

    document: Mapping[str, Any]
    model: type[BaseModel]
    renamed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def pointer(self, of_command: str) -> str | None:
        """A pointer into the command as one into the body; None when the body says nothing of it.

        A member of the first level that is missing is named too: it is what could be given.
        """
        first, *others = _steps(of_command) or [""]
        steps = [self.renamed.get(first, first), *others]
        found = within(self.document, steps)
        if not found and steps[0] in _members(self.model):
            found = steps[:1]
        return pointer(found) if found else None


def within(document: Any, steps: Steps) -> Steps:
    """As many of the steps as lead somewhere in a document."""
    for count, step in enumerate(steps):
        try:
            document = document[int(step) if isinstance(document, list | tuple) else step]
        except (KeyError, IndexError, TypeError, ValueError):
            return steps[:count]
    return steps


def pointer(steps: Steps) -> str:
    """The pointer that takes these steps."""
    return "".join("/" + clean(str(step)).replace("~", "~0").replace("/", "~1") for step in steps)


def clean(text: str) -> str:
    """Without lone surrogates, which JSON can carry and UTF-8 cannot."""
    return text.encode(errors="replace").decode()


def _steps(of_command: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in of_command.split("/")[1:]]


def _members(model: type[BaseModel]) -> set[str]:
    return {info.alias or name for name, info in model.model_fields.items()}
