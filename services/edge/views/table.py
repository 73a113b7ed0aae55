"""The table of views. A new one is a module with a class, and a row here."""

from typing import get_type_hints

from services.edge.views.accounts import Accounts
from services.edge.views.attributions import Attributions
from services.edge.views.catalogue import Catalogue
from services.edge.views.connection import Connection
from services.edge.views.customers import Customers
from services.edge.views.giftcard_batches import GiftCardBatches
from services.edge.views.giftcard_history import GiftCardHistory
from services.edge.views.giftcards import GiftCards
from services.edge.views.refusals import Refusals
from services.edge.views.statements import Statements
from services.edge.views.view import View
from services.edge.views.vouchers import Vouchers


class Table:
    """Each view by the name under which routes read it; its class says collections, indexes, topic and handler."""

    accounts: Accounts
    customers: Customers
    vouchers: Vouchers
    giftcards: GiftCards
    giftcard_batches: GiftCardBatches
    catalogue: Catalogue
    statements: Statements
    giftcard_history: GiftCardHistory
    refusals: Refusals
    attributions: Attributions

    def __init__(self, connection: Connection) -> None:
        for name, view in VIEWS.items():
            setattr(self, name, view(connection))

    @property
    def all(self) -> list[View]:
        """All views, in the order of the table."""
        return [getattr(self, name) for name in VIEWS]


VIEWS: dict[str, type[View]] = get_type_hints(Table)
