"""How the streams of the points service are named: a kind, the store, and what it is of."""

from functools import lru_cache
from urllib.parse import quote


def account_stream(store: str, account: str) -> str:
    """The stream of an account."""
    return f"account/{store}/{account}"


def programme_stream(store: str, programme: str) -> str:
    """The stream of a programme, whose id may itself contain slashes."""
    return f"programme/{store}/{programme}"


def catalogue_stream(store: str) -> str:
    """The stream of the store's catalogue."""
    return f"catalogue/{store}/all"


def order_stream(store: str, order: str, shop: str | None = None) -> str:
    """The stream of an order; with a shop, of that shop's order of this number."""
    return f"order/{store}/{order}" if shop is None else f"shop-order/{store}/{_quoted(shop)}/{order}"


def receipt_stream(store: str, account: str, receipt: str, shop: str | None = None) -> str:
    """The stream of what an account was loaded for a receipt; with a shop, for that shop's receipt of this number."""
    if shop is None:
        return f"receipt/{store}/{account}/{receipt}"
    return f"shop-receipt/{store}/{account}/{_quoted(shop)}/{receipt}"


def transaction_stream(store: str, transaction: str) -> str:
    """The stream of a transaction that is held."""
    return f"transaction/{store}/{transaction}"


def reversals_stream(store: str, transaction: str) -> str:
    """The stream of what was undone of a transaction."""
    return f"reversals/{store}/{transaction}"


def aggregate_of(stream: str) -> str:
    """The id of the account, programme, order or transaction that a stream is of; of a receipt the account's too."""
    return stream.split("/", 2)[2]


@lru_cache(maxsize=1024)
def _quoted(shop: str) -> str:
    """A shop's name without a slash, so that what follows it may have some."""
    return quote(shop, safe="")
