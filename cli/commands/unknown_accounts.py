"""`fealty unknown-accounts`: the numbers for which inputs wait, and letting them go on (rules 4.1.2)."""

from typing import Any, NamedTuple

from cli.commands.commander import ACTOR, commander
from cli.commands.console import Failure, out
from cli.commands.output import Form, Sheet, show
from cli.commands.stores import journal_of
from schemas.replies import Status
from shared.hashing import to_json
from shared.ids import account_id, new_id
from shared.runtime.journal import Journal
from shared.runtime.requests import NotSent, OutcomeUnknown, Request
from shared.settings import Settings


class Unknown(NamedTuple):
    """An account number that nobody knows, how many inputs wait for it, and since when."""

    number: str
    waiting: int
    since: str


async def list_unknown(settings: Settings, limit: int, form: Form = Form.TABLE) -> None:
    """Print the numbers for which inputs wait."""
    async with journal_of("points", settings) as journal:
        found = await unknown_accounts(journal, limit)
    shown = Sheet(("account number", "waiting inputs", "since"))
    for each in found:
        shown.add(each.number, each.waiting, each.since)
    show(shown, form, "no unknown accounts")


async def unknown_accounts(journal: Journal, limit: int) -> list[Unknown]:
    """At most `limit` accounts for which inputs wait; two queries, both by index."""
    accounts = await journal.snapshots.find({"state.waiting": {"$exists": True}}).limit(limit).to_list(None)
    firsts = [each["state"]["waiting"][0] for each in accounts]
    entries = {each["_id"]: each for each in await journal.entries.find({"_id": {"$in": firsts}}).to_list(None)}
    return [_unknown(each["state"]["waiting"], entries) for each in accounts]


def _unknown(waiting: list[str], entries: dict[str, Any]) -> Unknown:
    event = entries[waiting[0]]["events"][0]["data"]
    return Unknown(event["accountNumber"], len(waiting), event["bookedAt"])


async def replay_unknown(settings: Settings, number: str) -> None:
    """Let inputs open an account under `number`, and those that wait for it go on, in their order.

    :raises Failure: the service has not confirmed it.
    """
    subject = account_id(settings.store, number)
    value = to_json({"accountNumber": number})
    request = Request("points", new_id(), "points.know_number.v1", subject, value, settings.store, actor=ACTOR)
    async with commander(settings) as requester:
        try:
            sent = await requester.send(request)
        except (NotSent, OutcomeUnknown) as error:
            raise Failure(f"not confirmed: {error}; run the command again") from error
        reply = await sent.reply(settings.reply_wait_ms)
    if reply is None or reply.status is not Status.ACCEPTED or reply.result is None:
        raise Failure("the points service did not reply: check that it is running, and run the command again")
    out().print(f"waiting inputs that are processed now: {reply.result['waiting']}")
