"""JSON pointers (RFC 6901) into request bodies, translated from pointers into their commands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

Steps = Sequence[int | str]


@dataclass(frozen=True)
class SentBody:
    """A body as it was sent, and its model. `renamed` maps member names of the command to those of the body."""

    document: Mapping[str, Any]
    model: type[BaseModel]
    renamed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def pointer(self, command_pointer: str) -> str | None:
        """Translate a pointer into the command to one into the body; None if the body has no such member.

        Absent members of the first level are named too, since the caller can add them.
        """
        first, *others = _steps(command_pointer) or [""]
        steps = [self.renamed.get(first, first), *others]
        path = existing_steps(self.document, steps)
        if not path and steps[0] in _member_names(self.model):
            path = steps[:1]
        return pointer(path) if path else None


def existing_steps(document: Any, steps: Steps) -> Steps:
    """The longest prefix of the steps that exists in a document."""
    for count, step in enumerate(steps):
        try:
            document = document[int(step) if isinstance(document, list | tuple) else step]
        except (KeyError, IndexError, TypeError, ValueError):
            return steps[:count]
    return steps


def pointer(steps: Steps) -> str:
    """The JSON pointer with these steps."""
    return "".join("/" + replace_surrogates(str(step)).replace("~", "~0").replace("/", "~1") for step in steps)


def replace_surrogates(text: str) -> str:
    """Replace lone surrogates, which JSON can escape and UTF-8 cannot encode."""
    return text.encode(errors="replace").decode()


def _steps(command_pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in command_pointer.split("/")[1:]]


def _member_names(model: type[BaseModel]) -> set[str]:
    return {info.alias or name for name, info in model.model_fields.items()}
