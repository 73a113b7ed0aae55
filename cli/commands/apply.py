"""`fealty apply -f FILE`: send declarations as commands and show what became of each."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import assert_never

from cli.commands.commander import ACTOR, commander
from cli.commands.cross_checks import named
from cli.commands.output import Form, Sheet, print_json, say
from cli.commands.output import show as print_sheet
from schemas.declarations import STORE_WIDE, Declarations
from schemas.order_numbers import PUT_ORDER_NUMBERS, PutOrderNumbers
from schemas.points import PutProgramme
from schemas.programme import Programme
from schemas.replies import Reply, Status
from schemas.tiers import PutTierSet, TierSet
from schemas.vouchers import PutDefinition
from schemas.waiting_inputs import (
    PutAccountNumbers,
)
from shared.ids import new_id
from shared.runtime.requests import NotSent, OutcomeUnknown, Request, Requester
from shared.settings import Settings

Put = PutDefinition | PutProgramme | PutTierSet | PutAccountNumbers | PutOrderNumbers

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
    """Declare vouchers, then programmes, which name them, then tier sets and account numbers; wait for all outcomes.

    Order numbers come first, since a programme may have orders earn at once. The primary tier set comes last, since
    another one may have to give the place up first.

    :raises Unavailable: the broker is away.
    """
    tier_sets = declarations.tier_sets
    orders = declarations.order_numbers
    async with commander(settings) as requester:
        first = []
        if orders is not None:
            first = [await _put(requester, settings, PutOrderNumbers(unique_per=orders.unique_per))]
        outcomes = await asyncio.gather(
            *(_put(requester, settings, PutDefinition(definition=each)) for each in declarations.vouchers)
        )
        missing = {outcome.id for outcome in outcomes if not outcome.good}
        outcomes += await asyncio.gather(
            *(_put_programme(requester, settings, each, missing) for each in declarations.programmes)
        )
        by_id: dict[str, Outcome] = {}
        for wave in ([each for each in tier_sets if not _leads(each)], [each for each in tier_sets if _leads(each)]):
            done = await asyncio.gather(*(_put(requester, settings, PutTierSet(tier_set=each)) for each in wave))
            by_id.update((outcome.id, outcome) for outcome in done)
        numbers = declarations.account_numbers
        last = [] if numbers is None else [await _put(requester, settings, PutAccountNumbers(patterns=numbers))]
    return [*first, *outcomes, *(by_id[each.id] for each in tier_sets), *last]


def show(outcomes: Sequence[Outcome], form: Form = Form.TABLE) -> None:
    """Print what became of each declaration."""
    shown = Sheet(("declared", "id", "version", "outcome", "code", "detail"))
    for outcome in outcomes:
        shown.add(outcome.kind, outcome.id, outcome.version, outcome.status, outcome.code, outcome.detail)
    print_sheet(shown, form)


async def _put_programme(
    requester: Requester, settings: Settings, programme: Programme, missing: Collection[str]
) -> Outcome:
    """A programme is not declared while it names vouchers that are `missing`."""
    if names := [code for code in dict.fromkeys(code for _, code in named(programme)) if code in missing]:
        return Outcome(
            "programme", programme.id, NOT_SENT, detail=f"it refers to {', '.join(names)}, which could not be applied"
        )
    return await _put(requester, settings, PutProgramme(programme=programme))


def show_valid(declarations: Declarations, form: Form) -> None:
    """Print what files declare that are right by themselves."""
    counts = {section: len(ids) for section, ids in declarations.ids().items() if not section.endswith("Numbers")}
    if form is Form.JSON:
        print_json({"valid": True, **counts})
    else:
        say(
            f"valid: {counts['vouchers']} vouchers, {counts['programmes']} programmes, {counts['tierSets']} tier sets; "
            "nothing was sent"
        )


async def _put(requester: Requester, settings: Settings, payload: Put) -> Outcome:
    match payload:
        case PutDefinition():
            kind, type_, id_ = "voucher", "voucher.put_definition.v1", payload.definition.code
        case PutProgramme():
            kind, type_, id_ = "programme", "points.put_programme.v1", payload.programme.id
        case PutTierSet():
            kind, type_, id_ = "tier set", "points.put_tier_set.v1", payload.tier_set.id
        case PutAccountNumbers():
            kind, type_, id_ = "account numbers", "points.put_account_numbers.v1", STORE_WIDE
        case PutOrderNumbers():
            kind, type_, id_ = "order numbers", PUT_ORDER_NUMBERS, STORE_WIDE
        case _:
            assert_never(payload)
    service = type_.partition(".")[0]
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


def _leads(tier_set: TierSet) -> bool:
    return tier_set.primary and tier_set.state == "active"


def _outcome(kind: str, id_: str, reply: Reply) -> Outcome:
    """A snapshot comes with the reply exactly when the command changed something."""
    if reply.status is Status.ACCEPTED:
        version = None if reply.result is None else reply.result.get("version")
        return Outcome(kind, id_, APPLIED if reply.snapshots else UNCHANGED, version)
    detail = " ".join(part for part in (reply.detail, reply.pointer) if part)
    return Outcome(kind, id_, REFUSED, code=reply.code or str(reply.status), detail=detail)
