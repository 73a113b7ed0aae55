"""A voucher's definition as it is declared in YAML and carried by `voucher.put_definition.v1` (rules 4.3.1)."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StrictBool, model_validator

from schemas.base import Instant, Published, Wire
from schemas.declaration_checks import refuse, zone_faults
from schemas.programme import ExpiryRule, Language, Zone
from schemas.text import LINE, LINES, Checked, Key
from schemas.voucher_benefit import Worth

LANGUAGES_MAX = 30

Titles = Annotated[
    dict[Language, Annotated[str, Checked(LINE, 100, 1)]],
    Field(min_length=1, max_length=LANGUAGES_MAX),
]
Descriptions = Annotated[dict[Language, Annotated[str, Checked(LINES, 1000, 1)]], Field(max_length=LANGUAGES_MAX)]


KnownTitles = Annotated[
    dict[Language, Annotated[str, Field(min_length=1, max_length=100)]],
    Field(min_length=1, max_length=LANGUAGES_MAX),
]
KnownDescriptions = Annotated[
    dict[Language, Annotated[str, Field(min_length=1, max_length=1000)]], Field(max_length=LANGUAGES_MAX)
]
"""Of a definition that a door has taken: events say what it says, whatever a door takes today."""


class DefinitionState(StrEnum):
    """Of a retired definition no voucher is sold or issued any more; those that exist stay what they are."""

    ACTIVE = "active"
    RETIRED = "retired"


class VoucherDefinition(Wire):
    """What a kind of vouchers is called and how long it is valid. Changing it never alters vouchers that exist.

    Texts are per language; `default_language` is one of them. Vouchers of a `programme` are redeemed in its part of a
    transaction, those of none at its top level (rules 4.2.5). `validity` counts from the day of issue in `zone`; a
    voucher is gone from the first instant of the day after; without one it is valid for ever. `bearer` allows vouchers
    that belong to no account. `benefit` is what a till takes off for it.
    """

    code: Key
    titles: Titles
    descriptions: Descriptions = Field(default_factory=dict)
    default_language: Language
    programme: Key | None = None
    validity: ExpiryRule | None = None
    zone: Zone = "UTC"
    bearer: StrictBool = False
    benefit: Worth = None
    state: DefinitionState = DefinitionState.ACTIVE

    @model_validator(mode="after")
    def _has_default(self) -> "VoucherDefinition":
        for name, texts in (("titles", self.titles), ("descriptions", self.descriptions)):
            if texts and self.default_language not in texts:
                raise ValueError(f"{name} has no text in the default language {self.default_language}")
        return self


class PutDefinition(Wire):
    """`voucher.put_definition.v1`: declare a definition, or a new version of it; an equal one is a no-op."""

    definition: VoucherDefinition

    @model_validator(mode="after")
    def _can_be_meant(self) -> "PutDefinition":
        refuse(zone_faults(self.definition.zone))
        return self


class DefinitionPut(Published):
    """`voucher.definition_put.v1`: vouchers that are issued from now on are like this."""

    type: Literal["voucher.definition_put.v1"] = "voucher.definition_put.v1"
    definition: VoucherDefinition
    version: int
    booked_at: Instant


class DefinitionView(Published):
    """`voucher.definition_snapshot.v1` on `voucher.snapshots`: a definition as it is now."""

    definition: VoucherDefinition
    version: int
    state: DefinitionState
