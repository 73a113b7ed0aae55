"""A file for `fealty apply -f`: voucher definitions, programmes, tier sets and account numbers, together."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import model_validator

from schemas.base import AtMost, Wire
from schemas.programme import Programme
from schemas.tiers import TierSet
from schemas.voucher_definition import VoucherDefinition
from schemas.waiting_inputs import (
    NumberPatterns,
)

STORE_WIDE = "all"
"""Stands for the id of what a store declares once."""


class Declarations(Wire):
    """Everything in a file is validated before anything is sent.

    `account_numbers` are the numbers under which inputs may open accounts, besides customers' cards.
    """

    vouchers: Annotated[tuple[VoucherDefinition, ...], AtMost(1000)] = ()
    programmes: Annotated[tuple[Programme, ...], AtMost(500)] = ()
    tier_sets: Annotated[tuple[TierSet, ...], AtMost(50)] = ()
    account_numbers: NumberPatterns | None = None

    @model_validator(mode="after")
    def _unique(self) -> "Declarations":
        for ids in self.ids().values():
            if twice := {name for name in ids if ids.count(name) > 1}:
                raise ValueError(f"declared twice: {', '.join(sorted(twice))}")
        if len(primary := [each.id for each in self.tier_sets if each.primary and each.state == "active"]) > 1:
            raise ValueError(f"more than one primary tier set: {', '.join(sorted(primary))}")
        return self

    @model_validator(mode="after")
    def _sold_by_their_own(self) -> "Declarations":
        """What a programme sells or issues may be declared elsewhere; here it must not be another programme's."""
        owners = {each.code: each.programme for each in self.vouchers}
        for programme in self.programmes:
            for code in _named(programme):
                if owners.get(code) not in (None, programme.id):
                    raise ValueError(f"{programme.id} names the voucher {code}, which belongs to {owners[code]}")
        return self

    def ids(self) -> dict[str, list[str]]:
        """What is declared, by the section of the file."""
        return {
            "vouchers": [each.code for each in self.vouchers],
            "programmes": [each.id for each in self.programmes],
            "tierSets": [each.id for each in self.tier_sets],
            "accountNumbers": [] if self.account_numbers is None else [STORE_WIDE],
        }


def _named(programme: Programme) -> Iterator[str]:
    """The vouchers that a programme sells, or issues at its threshold."""
    yield from (offer.voucher_id for offer in programme.purchases)
    if programme.issue_immediate_threshold is not None:
        yield programme.issue_immediate_threshold.voucher_id
