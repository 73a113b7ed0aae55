"""`fealty apply -f FILE`: send declarations as commands and show what became of each."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from cli.commands.commander import ACTOR, commander
from cli.commands.kinds import KINDS, Declared, Key, each_of
from cli.commands.output import Form, Sheet, print_json, say
from cli.commands.output import show as print_sheet
from schemas.declarations import Declarations
from schemas.replies import Reply, Status
from shared.ids import new_id
from shared.runtime.requests import NotSent, OutcomeUnknown, Request, Requester
from shared.settings import Settings

APPLIED, UNCHANGED, REFUSED, UNANSWERED, NOT_SENT = "applied", "unchanged", "refused", "unanswered", "not sent"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one declaration, whose `kind` is told in words; `version` is its present one, where known."""

    kind: str
    id: str
    status: str
    version: int | None = None
    code: str = ""
    detail: str = ""

    @property
    def good(self) -> bool:
        """What was declared has these rules now."""
        return self.status in (APPLIED, UNCHANGED)


async def apply(declarations: Declarations, settings: Settings) -> list[Outcome]:
    """Declare everything, kind after kind in the order of their table, and wait for all outcomes.

    What needs something that could not be declared is not sent.

    :raises Unavailable: the broker is away.
    """
    outcomes: dict[Key, Outcome] = {}
    async with commander(settings) as requester:
        for _, of_kind in groupby(each_of(declarations), lambda each: each.kind):
            wanted = list(of_kind)
            for later in (False, True):
                wave = [each for each in wanted if bool(each.kind.later(each.value)) is later]
                done = await asyncio.gather(*(_put(requester, settings, each, outcomes) for each in wave))
                outcomes.update({each.key: outcome for each, outcome in zip(wave, done, strict=True)})
    return [outcomes[each.key] for each in each_of(declarations)]


def show(outcomes: Sequence[Outcome], form: Form = Form.TABLE) -> None:
    """Print what became of each declaration."""
    shown = Sheet(("declared", "id", "version", "outcome", "code", "detail"))
    for outcome in outcomes:
        shown.add(outcome.kind, outcome.id, outcome.version, outcome.status, outcome.code, outcome.detail)
    print_sheet(shown, form)


def show_valid(declarations: Declarations, form: Form) -> None:
    """Print how much of each kind files declare that are right by themselves; of what a store has once, nothing."""
    several = [(kind, len(kind.declared(declarations))) for kind in KINDS if kind.id is not None]
    if form is Form.JSON:
        print_json({"valid": True, **{kind.section: count for kind, count in several}})
    else:
        counts = ", ".join(f"{count} {kind.called}s" for kind, count in several)
        say(f"valid: {counts}; nothing was sent")


async def _put(
    requester: Requester, settings: Settings, declared: Declared, outcomes: Mapping[Key, Outcome]
) -> Outcome:
    kind, type_, id_ = declared.kind.called, declared.kind.command, declared.id
    missing = [key for key in dict.fromkeys(declared.kind.needs(declared.value)) if key in outcomes]
    if names := [id_ for section, id_ in missing if not outcomes[section, id_].good]:
        return Outcome(kind, id_, NOT_SENT, detail=f"it refers to {', '.join(names)}, which could not be applied")
    service, payload = declared.kind.service, declared.kind.payload(declared.value)
    value = payload.model_dump_json(by_alias=True, exclude_none=True).encode()
    request = Request(service, new_id(), type_, id_, value, settings.store, actor=ACTOR)
    try:
        sent = await requester.send(request)
    except NotSent as error:
        return Outcome(kind, id_, UNANSWERED, detail=f"not sent: {error}")
    except OutcomeUnknown as error:
        return Outcome(kind, id_, UNANSWERED, detail=f"sent, but not acknowledged in time: {error}")
    reply = await sent.reply(settings.reply_wait_ms)
    if reply is None:
        detail = f"no reply in {settings.reply_wait_ms / 1000:g} s: check that the {service} service is running"
        return Outcome(kind, id_, UNANSWERED, detail=detail)
    return _outcome(kind, id_, reply)


def _outcome(kind: str, id_: str, reply: Reply) -> Outcome:
    """A snapshot comes with the reply exactly when the command changed something."""
    if reply.status is Status.ACCEPTED:
        version = None if reply.result is None else reply.result.get("version")
        return Outcome(kind, id_, APPLIED if reply.snapshots else UNCHANGED, version)
    detail = " ".join(part for part in (reply.detail, reply.pointer) if part)
    return Outcome(kind, id_, REFUSED, code=reply.code or str(reply.status), detail=detail)
