"""What is owed on gift cards, by card type and currency."""

from collections.abc import Mapping

from cli.giftcards import card_type_of, card_view
from cli.ledger import Ledger, Movements
from cli.liability.books import Columns, Key, Present
from cli.liability.reading import Declared, Subject
from services.giftcard.evolve import KINDS
from services.giftcard.state import card_stream, type_stream

_BY_KIND = {
    "create": ("issued", "issued"),
    "issue": ("issued", "issued"),
    "import": ("issued", "issued"),
    "activate": ("loaded", "loaded"),
    "redeem": ("redeemed", "redeemed"),
    "give_back": ("given_back", "given_back"),
    "cancel": ("given_back", "cancelled"),
    "expire": ("expired", "expired"),
    "void": ("voided", "voided"),
    "refund": ("refunded", "refunded"),
}
"""A cancel gives back what was redeemed, or takes away what was issued or loaded."""

COLUMNS = Columns(
    ("issued", "loaded", "redeemed", "given_back", "cancelled", "expired", "voided", "refunded", "other"),
    {event: _BY_KIND[kind] for event, kind in KINDS.items()},
    unknown=("other", "other"),
)
"""By the type of the event, from which the kind of a movement follows."""


async def _declared(ledger: Ledger, store: str) -> Declared:
    found = [card_type_of(*each) async for each in ledger.streams(type_stream(store, ""))]
    return Declared({each.code: each.zone for each in found if each is not None}, {})


async def _present(ledger: Ledger, store: str, _units: Mapping[str, str]) -> dict[Key, Present]:
    """The sums of all balances, by type and currency, as the service publishes them."""
    sums: dict[Key, int] = {}
    async for stream, stored in ledger.streams(card_stream(store, "")):
        view = card_view(stream, stored)
        if view is not None:
            key = Key(view["cardType"], view["currency"])
            sums[key] = sums.get(key, 0) + view["balance"]
    return {key: Present(balance) for key, balance in sums.items()}


SUBJECT = Subject(
    name="giftcards",
    service="giftcard",
    labels=("card_type", "currency"),
    columns=COLUMNS,
    has_pending=False,
    hint="`fealty verify --service giftcard` lists the cards",
    movements=Movements("cardType", kind="type", unit="currency"),
    declared=_declared,
    present=_present,
)
