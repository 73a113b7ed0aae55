"""`fealty giftcards batch`: cards for sale, created by the service, and shown while they are (rules 4.4.7)."""

import asyncio
from typing import Any

from pydantic import ValidationError

from cli.commands.commander import ACTOR, commander
from cli.commands.console import Failure, told
from cli.commands.output import Form, facts
from cli.commands.progress import progress_bar
from cli.commands.stores import journal_of
from cli.giftcards import batch_of
from schemas.base import Wire
from schemas.giftcard_batches import OpenBatch
from schemas.replies import Reply, Status
from services.giftcard.state import Batch, batch_stream
from shared.clock import monotonic_s
from shared.ids import new_id
from shared.runtime.journal import Journal
from shared.runtime.requests import NotSent, OutcomeUnknown, Request, Requester
from shared.settings import Settings

_LOOK_INTERVAL_S = 0.2


async def create(batch_id: str, card_type: str, count: int, wait: bool, settings: Settings) -> Batch:
    """Open a batch, and wait until its cards are there, or do not.

    :raises Failure: an argument is wrong, the service refuses, does not answer, or makes no progress.
    :raises Unavailable: a server is away.
    """
    try:
        payload = OpenBatch(batch_id=batch_id, card_type=card_type, count=count, key=settings.code_key_set.current.id)
    except ValidationError as error:
        raise Failure("; ".join(told(error))) from error
    async with journal_of("giftcard", settings) as journal:
        async with commander(settings) as requester:
            await ask(requester, settings, "giftcard.open_batch.v1", batch_id, payload)
        if not wait:
            return await find(journal, batch_id, settings)
        return await _filled(journal, batch_id, settings)


async def status(batch_id: str, settings: Settings) -> Batch:
    """The batch as it is now.

    :raises Failure: there is none.
    :raises Unavailable: the database is away.
    """
    async with journal_of("giftcard", settings) as journal:
        return await find(journal, batch_id, settings)


def show(batch: Batch, form: Form) -> None:
    """Print how far a batch is."""
    shown: dict[str, Any] = {
        "batch": batch.batch_id,
        "state": batch.state.value,
        "created": batch.created,
        "count": batch.wanted,
        "cardType": batch.pinned.code,
        "exportId": batch.export_id,
        "openedAt": batch.opened_at,
        "changedAt": batch.changed_at,
    }
    facts(shown, form)


async def find(journal: Journal, batch_id: str, settings: Settings) -> Batch:
    """A batch by its id.

    :raises Failure: there is none.
    """
    stream = batch_stream(settings.store, batch_id)
    stored = (await journal.load([], [stream])).streams.get(stream)
    batch = None if stored is None else batch_of(stream, stored)
    if batch is None:
        raise Failure(f"there is no batch {batch_id!r}")
    return batch


async def ask(requester: Requester, settings: Settings, type_: str, subject: str, payload: Wire) -> Reply:
    """Send a command to the gift card service, and wait until it is accepted.

    :raises Failure: it is refused, or there is no answer.
    """
    value = payload.model_dump_json(by_alias=True, exclude_none=True).encode()
    request = Request("giftcard", new_id(), type_, subject, value, settings.store, actor=ACTOR)
    try:
        reply = await (await requester.send(request)).reply(settings.reply_wait_ms)
    except NotSent as error:
        raise Failure(f"not sent: {error}") from error
    except OutcomeUnknown as error:
        raise Failure(
            f"sent, but not acknowledged in time: {error}; look at the status before you repeat it"
        ) from error
    if reply is None:
        waited = f"no reply in {settings.reply_wait_ms / 1000:g} s"
        raise Failure(f"{waited}: check that the giftcard service is running, and look at the status before you repeat")
    if reply.status is not Status.ACCEPTED:
        raise Failure(f"{reply.code or reply.status}: {reply.detail}")
    return reply


async def _filled(journal: Journal, batch_id: str, settings: Settings) -> Batch:
    """Wait until all cards are there, as long as some come."""
    created, until_s = -1, 0.0
    with progress_bar("creating cards") as progress:
        while True:
            batch = await find(journal, batch_id, settings)
            progress(batch.created, batch.wanted)
            if batch.created == batch.wanted:
                return batch
            if batch.created > created:
                created, until_s = batch.created, monotonic_s() + settings.not_after_ms / 1000
            elif monotonic_s() > until_s:
                waited = f"no card was created for {settings.not_after_ms / 1000:g} s"
                raise Failure(f"{waited}: the batch goes on when the giftcard service runs; see `batch status`")
            await asyncio.sleep(_LOOK_INTERVAL_S)
