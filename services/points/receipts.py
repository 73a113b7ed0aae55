"""What an account was loaded for a receipt: a stream for each account and receipt where orders earn (rules 4.1.10).

One for each account, so that a receipt number that many accounts share is nobody's bottleneck.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from schemas.receipts import ReceiptEvent, ReceiptLoaded
from shared.decider import Document


class Receipt(NamedTuple):
    """By programme, how many transactions of the account load for the receipt; `id` names account and receipt."""

    id: str
    loads: Mapping[str, int] = MappingProxyType({})


def evolve_receipt(receipt: Receipt, event: ReceiptEvent) -> Receipt:
    """The receipt after one transaction more, or one less."""
    loads = dict(receipt.loads)
    for name in event.programmes:
        loads[name] = loads.get(name, 0) + (1 if isinstance(event, ReceiptLoaded) else -1)
    return receipt._replace(loads=MappingProxyType({name: count for name, count in loads.items() if count > 0}))


def dump_receipt(receipt: Receipt) -> Document:
    """A BSON-ready document."""
    return {"loads": [[programme, count] for programme, count in receipt.loads.items()]}


def load_receipt(name: str, document: Document) -> Receipt:
    """What `dump_receipt` gave."""
    return Receipt(name, MappingProxyType(dict(document["loads"])))
