"""A file for `fealty apply -f`: programmes and tier sets, declared together."""

from typing import Annotated

from pydantic import Field, model_validator

from schemas.base import Wire
from schemas.programme import Programme
from schemas.tiers import TierSet


class Declarations(Wire):
    """Everything in a file is validated before anything is sent."""

    programmes: Annotated[tuple[Programme, ...], Field(max_length=500)] = ()
    tier_sets: Annotated[tuple[TierSet, ...], Field(max_length=50)] = ()

    @model_validator(mode="after")
    def _unique(self) -> "Declarations":
        for ids in ([each.id for each in self.programmes], [each.id for each in self.tier_sets]):
            if twice := {name for name in ids if ids.count(name) > 1}:
                raise ValueError(f"declared twice: {', '.join(sorted(twice))}")
        if len(primary := [each.id for each in self.tier_sets if each.primary and each.state == "active"]) > 1:
            raise ValueError(f"more than one primary tier set: {', '.join(sorted(primary))}")
        return self
