"""The kinds of declarations, a row each: how `fealty apply` reads, checks, counts and sends them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from cli.commands.cross_checks import named
from schemas import declaration_checks as checks
from schemas.base import Wire
from schemas.declarations import STORE_WIDE, Declarations
from schemas.giftcards import PutCardType
from schemas.order_numbers import PUT_ORDER_NUMBERS, PutOrderNumbers
from schemas.points import PutProgramme
from schemas.tiers import PutTierSet
from schemas.vouchers import PutDefinition
from schemas.waiting_inputs import PutAccountNumbers

Key = tuple[str, str]
"""The section of a file, and the id of what is declared there."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: the field of :class:`Declarations` that has it, how people call it, and the command that declares one.

    `id` is the member that tells several apart; without it a store has one. `faults` finds what no type refuses,
    `needs` names what must have been declared before, and `later` those that are sent when the others of the kind are
    done. Kinds are sent in the table's order.
    """

    field: str
    called: str
    command: str
    payload: Callable[[Any], Wire]
    id: str | None = None
    faults: Callable[[Any], Iterable[checks.Fault]] = lambda _: ()
    needs: Callable[[Any], Iterable[Key]] = lambda _: ()
    later: Callable[[Any], bool] = lambda _: False

    @property
    def section(self) -> str:
        """The member of a file."""
        return Declarations.model_fields[self.field].alias or self.field

    @property
    def service(self) -> str:
        """The service that the command goes to."""
        return self.command.partition(".")[0]

    def declared(self, declarations: Declarations) -> tuple[Any, ...]:
        """All of the kind, in the order of the file."""
        found: Any = getattr(declarations, self.field)
        return found if self.id is not None else () if found is None else (found,)

    def together(self, files: Iterable[Declarations]) -> Any:
        """What several files declare of the kind: all of them, or the one that there is."""
        found = tuple(each for file in files for each in self.declared(file))
        return found if self.id is not None else next(iter(found), None)


KINDS = (
    Kind(  # First, since a programme may have orders earn at once.
        "order_numbers",
        "order numbers",
        PUT_ORDER_NUMBERS,
        lambda each: PutOrderNumbers(unique_per=each.unique_per),
    ),
    Kind(
        "vouchers",
        "voucher",
        "voucher.put_definition.v1",
        lambda each: PutDefinition(definition=each),
        id="code",
        faults=lambda each: checks.zone_faults(each.zone),
    ),
    Kind(
        "programmes",
        "programme",
        "points.put_programme.v1",
        lambda each: PutProgramme(programme=each),
        id="id",
        faults=checks.programme_faults,
        needs=lambda each: [("vouchers", code) for _, code in named(each)],
    ),
    Kind(
        "tier_sets",
        "tier set",
        "points.put_tier_set.v1",
        lambda each: PutTierSet(tier_set=each),
        id="id",
        faults=lambda each: checks.zone_faults(each.zone),
        later=lambda each: each.primary and each.state == "active",  # Another one may have to give the place up first.
    ),
    Kind(
        "gift_card_types",
        "gift card type",
        "giftcard.put_type.v1",
        lambda each: PutCardType(card_type=each),
        id="code",
        faults=lambda each: checks.zone_faults(each.zone),
    ),
    Kind(
        "account_numbers",
        "account numbers",
        "points.put_account_numbers.v1",
        lambda each: PutAccountNumbers(patterns=each),
    ),
)


class Declared(NamedTuple):
    """One declaration of a file, its id, and the path to it."""

    kind: Kind
    id: str
    value: Any
    path: checks.Path

    @property
    def key(self) -> Key:
        """Its section and id."""
        return self.kind.section, self.id


def each_of(declarations: Declarations) -> Iterator[Declared]:
    """All declarations, in the table's order."""
    for kind in KINDS:
        for index, value in enumerate(kind.declared(declarations)):
            if kind.id is None:
                yield Declared(kind, STORE_WIDE, value, (kind.section,))
            else:
                yield Declared(kind, getattr(value, kind.id), value, (kind.section, index))
