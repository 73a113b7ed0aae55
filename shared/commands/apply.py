"""`fealty apply -f FILE`: send declarations as commands and show what became of each."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.points import PutProgramme
from schemas.programme import Declarations, Programme
from schemas.replies import Reply, Status
from shared.commands.commander import commander
from shared.commands.console import out, table
from shared.ids import new_id
from shared.runtime.requests import NotSent, OutcomeUnknown, Request, Requester
from shared.settings import Settings

APPLIED, UNCHANGED, REFUSED, UNANSWERED = "applied", "unchanged", "refused", "unanswered"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one programme's declaration; `version` is its present one, where known."""

    programme: str
    status: str
    version: int | None = None
    code: str = ""
    detail: str = ""

    @property
    def good(self) -> bool:
        """The programme now has the declared rules."""
        return self.status in (APPLIED, UNCHANGED)


async def apply(declarations: Declarations, settings: Settings) -> list[Outcome]:
    """Send `points.put_programme.v1` for each programme, and wait for all outcomes; each in the order declared.

    :raises Unavailable: the broker is away.
    """
    async with commander(settings) as requester:
        return await asyncio.gather(
            *(_put(requester, programme, settings) for programme in declarations.programmes),
        )


def show(outcomes: Sequence[Outcome]) -> None:
    """Print the outcomes as a table."""
    shown = table("programme", "version", "outcome", "code", "detail")
    for outcome in outcomes:
        version = "" if outcome.version is None else str(outcome.version)
        shown.add_row(outcome.programme, version, outcome.status, outcome.code, outcome.detail)
    out().print(shown)


async def _put(requester: Requester, programme: Programme, settings: Settings) -> Outcome:
    value = PutProgramme(programme=programme).model_dump_json(by_alias=True, exclude_none=True).encode()
    request = Request("points", new_id(), "points.put_programme.v1", programme.id, value, settings.store)
    try:
        sent = await requester.send(request)
    except NotSent as error:
        return Outcome(programme.id, UNANSWERED, detail=f"not sent: {error}")
    except OutcomeUnknown as error:
        return Outcome(programme.id, UNANSWERED, detail=f"sent, and not acknowledged in time: {error}")
    reply = await sent.reply(settings.reply_wait_ms)
    if reply is None:
        detail = f"no reply in {settings.reply_wait_ms / 1000:g} s: does the points service run?"
        return Outcome(programme.id, UNANSWERED, detail=detail)
    return _outcome(programme.id, reply)


def _outcome(programme: str, reply: Reply) -> Outcome:
    """A snapshot comes with the reply exactly when the command changed something."""
    if reply.status is Status.ACCEPTED:
        version = None if reply.result is None else reply.result.get("version")
        return Outcome(programme, APPLIED if reply.snapshots else UNCHANGED, version)
    detail = " ".join(part for part in (reply.detail, reply.pointer) if part)
    return Outcome(programme, REFUSED, code=reply.code or str(reply.status), detail=detail)
