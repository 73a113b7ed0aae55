"""The shapes of the views' documents, and of what the edge keeps beside them.

A step upgrades what is read; what is filtered or sorted by is as it was stored.
A change of what queries look for is no step: the views are filled anew from the topics (docs/operations.md).
"""

from shared.decider import Document
from shared.shapes import Shape, unchanged


def _held_shown(account: Document) -> Document:
    """Balances from before it was shown what is held."""
    for balance in account.get("view", {}).get("balances", ()):
        balance.setdefault("held", 0)
    return account


def _without_batch(card: Document) -> Document:
    """Gift cards from before they kept their batch."""
    if "view" in card:
        card["view"].setdefault("batch", None)
    return card


def _nothing_held(card: Document) -> Document:
    """Gift cards from before they took part in transactions."""
    if "view" in card:
        card["view"].setdefault("held", 0)
    return card


def _of_no_transaction(change: Document) -> Document:
    """Mutations from before gift cards took part in transactions."""
    if "change" in change:
        change["change"].setdefault("operation", None)
    return change


ACCOUNT = Shape("view.account", _held_shown)
ACCOUNT_PART = Shape("view.customer.account", unchanged)
ATTRIBUTION = Shape("edge.attribution", unchanged)
CARD_TYPE = Shape("view.card_type")
CATALOGUE = Shape("view.catalogue", unchanged, unchanged)
CUSTOMER = Shape("view.customer", unchanged, unchanged)
DEFINITION = Shape("view.definition", unchanged, unchanged)
GIFT_CARD = Shape("view.giftcard", _without_batch, _nothing_held)
GIFT_CARD_BATCH = Shape("view.giftcard_batch")
GIFT_CARD_CHANGE = Shape("view.giftcard_change", _of_no_transaction)
OFFSET = Shape("edge.offset", unchanged)
PROGRAMME = Shape("view.programme", unchanged, unchanged)
STATEMENT = Shape("view.statement", unchanged, unchanged)
VOUCHER = Shape("view.voucher", unchanged, unchanged, unchanged)
VOUCHER_PART = Shape("view.customer.voucher", unchanged, unchanged)
