"""Declaring programmes: the command, its event, and what is shown of them (rules 4.1.1)."""

from typing import Literal

from pydantic import model_validator

from schemas.base import Instant, Published, Wire
from schemas.declaration_checks import programme_faults, refuse
from schemas.order_numbers import UniquePer
from schemas.programme import Programme, ProgrammeState
from schemas.tiers import TierSet


class PutProgramme(Wire):
    """`points.put_programme.v1`: declare a programme, or a new version of it; an equal one is a no-op."""

    programme: Programme

    @model_validator(mode="after")
    def _can_be_meant(self) -> "PutProgramme":
        refuse(programme_faults(self.programme))
        return self


class ProgrammeApplied(Published):
    """`points.programme_applied.v1`: the programme has these rules from now on."""

    type: Literal["points.programme_applied.v1"] = "points.programme_applied.v1"
    programme: Programme
    version: int
    booked_at: Instant


class ProgrammeView(Published):
    """`points.programme.v1` on `points.snapshots`: a programme's current rules."""

    programme: Programme
    version: int
    state: ProgrammeState


class CatalogueView(Published):
    """`points.catalogue.v1` on `points.snapshots`: the store's tier sets, and the programmes that orders earn in.

    `order_numbers_unique_per` says where an order number names one order.
    """

    tier_sets: tuple[TierSet, ...]
    order_programmes: tuple[str, ...]
    order_numbers_unique_per: UniquePer = "store"
