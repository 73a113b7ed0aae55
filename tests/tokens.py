"""Tokens for tests whose subject is something else: signed here, as the edge would sign them."""

from collections.abc import Sequence

from services.edge.auth.clients import SCOPES, new_secret
from services.edge.auth.store import credentials_of
from services.edge.auth.tokens import issuer_of, sign
from shared.clock import now_ms
from shared.settings import Settings


async def authorization(
    settings: Settings, name: str = "tests", store: str = "default", scopes: Sequence[str] = tuple(SCOPES)
) -> dict[str, str]:
    """The header of a client that may do everything in a store, or what is said; it is made when it is not there."""
    return (await authorizations(settings, [name], store, scopes))[0]


async def authorizations(
    settings: Settings, names: Sequence[str], store: str = "default", scopes: Sequence[str] = tuple(SCOPES)
) -> list[dict[str, str]]:
    """The headers of several clients, as :func:`authorization` makes them."""
    async with credentials_of(settings) as credentials:
        key = (await credentials.keys()).current
        clients = [
            await credentials.named(name) or await credentials.add(name, [*scopes], store, new_secret())
            for name in names
        ]
    tokens = [sign(client, client.scopes, key, issuer_of(settings), now_ms() // 1000) for client in clients]
    return [{"Authorization": f"Bearer {token}"} for token in tokens]
