"""`fealty refusals`: what the points service refused, inputs above all, whose senders wait for no answer."""

from dataclasses import replace

from cli.commands.console import Failure
from cli.commands.output import Form, Sheet, facts, show
from services.edge.views.refusal_store import Query, accounts_of, one, page, refusals_of
from shared.settings import Settings

_COLUMNS = ("at", "code", "topic", "order", "account", "id")


async def list_refusals(query: Query, number: str | None, settings: Settings, form: Form) -> None:
    """Print refusals, the newest first.

    :raises Unavailable: the database is away.
    """
    async with refusals_of(settings) as database:
        if number is not None:
            query = replace(query, accounts=await accounts_of(database, query.store, number))
        found = await page(database, query)
    sheet = Sheet(_COLUMNS, documents=found)
    for each in found:
        topic = (each["input"] or {}).get("topic") or each["sender"]
        sheet.add(each["at"], each["code"], topic, each["order"], each["accountNumber"], each["id"])
    show(sheet, form, "no refusals")


async def show_refusal(id_: str, settings: Settings, form: Form) -> None:
    """Print one refusal whole.

    :raises Failure: there is none with this id.
    :raises Unavailable: the database is away.
    """
    async with refusals_of(settings) as database:
        found = await one(database, settings.store, id_)
    if found is None:
        raise Failure(f"the store {settings.store} has no refusal {id_}; refusals older than 28 days are removed")
    facts(found, form)
