"""What a store has declared, as the services keep it."""

from cli.commands.cross_checks import Known
from cli.commands.stores import journal_of
from cli.ledger import ledger
from cli.points import order_numbers_of, programme_of, tier_sets_of
from cli.vouchers import definition_of
from schemas.order_numbers import UniquePer
from services.points.streams import catalogue_stream, programme_stream
from services.voucher.state import definition_stream
from shared.settings import Settings


async def declared(settings: Settings) -> Known:
    """All that is declared in the store.

    :raises Unavailable: the database is away.
    """
    programmes, tier_sets, vouchers = {}, {}, {}
    order_numbers: UniquePer = "store"
    async with journal_of("points", settings) as journal, ledger(journal) as books:
        async for stream, stored in books.streams(programme_stream(settings.store, "")):
            if programme := programme_of(stream, stored):
                programmes[programme.id] = programme
        async for stream, stored in books.streams(catalogue_stream(settings.store)):
            tier_sets = {each.id: each for each in tier_sets_of(stream, stored)}
            order_numbers = order_numbers_of(stream, stored)
    async with journal_of("voucher", settings) as journal, ledger(journal) as books:
        async for stream, stored in books.streams(definition_stream(settings.store, "")):
            if definition := definition_of(stream, stored):
                vouchers[definition.code] = definition
    return Known(programmes, vouchers, tier_sets, order_numbers)
