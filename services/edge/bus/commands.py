"""Commands out, outcomes in: the edge's side of protocol P3 and P8."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from faststream.kafka import KafkaBroker
from starlette.responses import Response
from structlog.contextvars import bind_contextvars

from schemas.replies import Reply, Status
from services.edge.auth.tokens import Caller
from services.edge.bus.operations import Operations
from services.edge.bus.results import result_of
from services.edge.http import answers
from services.edge.http.bodies import too_large
from services.edge.http.headers import REPLAYED
from services.edge.http.pointers import SentBody
from services.edge.http.problems import RETRY_AFTER_S, Problem, unavailable
from services.edge.views.arrivals import arrived
from services.edge.views.attributions import CORRECTIONS
from services.edge.views.views import Views
from shared.errors import Unavailable
from shared.hashing import request_hash
from shared.ids import keyed_command_id, new_id
from shared.runtime.health import Health
from shared.runtime.requests import NotSent, Operation, OutcomeUnknown, Request, Requester
from shared.settings import Settings

_PING_TIMEOUT_S = 2.0

Show = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any] | None]]
"""What to answer instead of an accepted command's result, made from it; None when it is not to be seen yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A command to send, for whom, and `said`: route, path and canonical body, by which retries are recognised.

    An idempotency `key` is the caller's own: another client may use the same for something else. A refusal names its
    place in the `body`, when there is one.
    """

    caller: Caller
    service: str
    type: str
    subject: str
    value: bytes
    said: Sequence[str | bytes]
    key: str | None
    body: SentBody | None = None


class Bus:
    """Sends commands and answers with their outcomes. Until :meth:`start` has returned, everything is 503."""

    def __init__(self, broker: KafkaBroker, settings: Settings, health: Health, views: Views) -> None:
        self._broker = broker
        self._settings = settings
        self._secret = settings.secret.get_secret_value().encode()
        self._views = views
        self._operations = Operations(settings)
        self._requester = Requester(broker, settings, health, "/edge")
        self._state = health.part("edge:commands")
        self._started = False

    @property
    def replies(self) -> Requester:
        """Whoever listens for replies."""
        return self._requester

    async def connect(self) -> None:
        """Reach the broker.

        :raises Unavailable: when it is away.
        """
        await self._requester.connect()

    async def start(self) -> None:
        """Be ready to send; FastStream's broker has been started.

        :raises Unavailable: when the end of the replies cannot be found.
        """
        await self._requester.start()
        self._started = True
        self._state.joined()

    async def stop(self) -> None:
        """Stop waiting for replies."""
        self._started = False
        await self._requester.stop()

    async def check(self) -> None:
        """Turn once: after a failure, become ready again when the broker answers."""
        self._state.beat()
        if self._state.troubled_by is not None and await self._broker.ping(_PING_TIMEOUT_S):
            self._state.clear()

    async def execute(self, ask: Ask, show: Show | None = None) -> Response:
        """Send a command, wait for its outcome, apply what came with it, and answer: with the result, or what it shows.

        What cannot be shown, because the views are away, was done nevertheless: the answer is 202, with where to ask.

        :raises Problem: refused, not sent, or not known (the table of protocol P8).
        """
        if len(ask.value) > self._settings.record_bytes_max:
            raise too_large(self._settings.record_bytes_max)
        client, store = ask.caller.client, ask.caller.store
        request = Request(
            service=ask.service,
            command_id=new_id() if ask.key is None else keyed_command_id(store, client, ask.key),
            type=ask.type,
            subject=ask.subject,
            value=ask.value,
            store=store,
            request_hash=request_hash(self._secret, *ask.said),
            actor=ask.caller.actor,
        )
        self._check_started()
        bind_contextvars(command=request.command_id)
        if ask.type in CORRECTIONS:
            await self._views.attributions.remember(request.command_id, ask.caller.actor)
        try:
            sent = await self._requester.send(request)
        except NotSent as error:
            self._state.trouble(str(error))
            raise unavailable("The command was not sent. Send the request again.") from error
        except OutcomeUnknown as error:
            self._state.trouble(str(error.__cause__))
            raise _outcome_unknown(error.operation, self._operations.id_of(error.operation, ask.caller)) from error
        reply = await sent.reply(self._settings.reply_wait_ms)
        if reply is None:
            return self._pending(sent.operation, ask.caller)
        if not await self._settled(reply):
            return self._pending(sent.operation, ask.caller)
        replayed = {REPLAYED: "true"} if reply.replayed else {}
        if (problem := refusal(reply)) is not None:
            if problem.pointer is not None:
                problem.pointer = None if ask.body is None else ask.body.pointer(problem.pointer)
            problem.headers = {**(problem.headers or {}), **replayed}
            raise problem
        if show is None:
            return answers.answer(result_of(reply.result), headers=replayed)
        try:
            shown = await show(reply.result or {})
        except Unavailable:
            shown = None
        if shown is None:
            return self._pending(sent.operation, ask.caller)
        return answers.answer(shown, headers=replayed)

    async def preview(self, caller: Caller, service: str, type_: str, subject: str, value: bytes) -> dict[str, Any]:
        """What a service says that a command would come to; nothing of it is done, so that it may be asked for again.

        :raises Problem: what the command would be refused with; or `unavailable` when no answer came in time.
        """
        if len(value) > self._settings.record_bytes_max:
            raise too_large(self._settings.record_bytes_max)
        self._check_started()
        request = Request(service, new_id(), type_, subject, value, caller.store, actor=caller.actor)
        try:
            sent = await self._requester.send(request)
        except (NotSent, OutcomeUnknown) as error:
            self._state.trouble(str(error))
            raise unavailable("The preview cannot be requested now. Send the request again.") from error
        reply = await sent.reply(self._settings.reply_wait_ms)
        if reply is None:
            raise unavailable("The preview did not arrive in time. Send the request again.")
        if (problem := refusal(reply)) is not None:
            raise problem
        return reply.result or {}

    async def poll(self, id_: str, caller: Caller) -> Response:
        """200 with how an operation of the caller ended, or 202 as long as that is open.

        :raises Problem: `operation_unknown`; or `unavailable` when it cannot be asked now.
        """
        operation = self._operations.read(id_, caller)
        self._check_started()
        try:
            sent = await self._requester.poll(operation, caller.store)
        except (NotSent, OutcomeUnknown) as error:
            self._state.trouble(str(error))
            raise unavailable("The outcome cannot be requested now. Send the request again.") from error
        reply = await sent.reply(self._settings.reply_wait_ms)
        if reply is None or not await self._settled(reply):
            return answers.pending(id_, operation.command_id)
        document: dict[str, Any] = {
            "operationId": id_,
            "commandId": operation.command_id,
            "status": str(reply.status),
        }
        if reply.status is Status.ACCEPTED:
            document["result"] = result_of(reply.result)
        elif (problem := refusal(reply)) is not None:
            document["problem"] = problem.document()
        return answers.answer(document)

    async def _settled(self, reply: Reply) -> bool:
        """Put what a reply brings into the views; whether the outcome may be told.

        What was accepted is told when the next read shows it: until the views take it, it can be polled.
        """
        seen = await self._views.apply(reply.snapshots, reply.changes)
        if seen and reply.left_out:
            seen = await arrived(self._views.database, reply.left_out)
        return reply.status is not Status.PENDING and (seen or reply.status is not Status.ACCEPTED)

    def _pending(self, operation: Operation, caller: Caller) -> Response:
        return answers.pending(self._operations.id_of(operation, caller), operation.command_id)

    def _check_started(self) -> None:
        if not self._started:
            raise unavailable("The edge is still waiting for Kafka. Send the request again.")


def refusal(reply: Reply) -> Problem | None:
    """The problem that a reply stands for; None for an accepted command, and for one that never arrived."""
    match reply.status:
        case Status.REJECTED:
            return Problem(reply.code or "internal", reply.detail or "The command was refused.", pointer=reply.pointer)
        case Status.TOO_LATE:
            detail = "The command arrived too late and was dropped; nothing was booked. Send it again."
            return Problem("too_late", detail, headers={"Retry-After": RETRY_AFTER_S})
        case Status.DEAD_LETTERED:
            return Problem(
                "dead_lettered",
                reply.detail or "An operator has to look at the dead letter.",
                more={"reason": reply.code},
            )
        case Status.KEY_REUSED:
            return Problem(
                "idempotency_key_reused",
                "This Idempotency-Key was used before with a different request. Use a new key.",
            )
        case _:
            return None


def _outcome_unknown(operation: Operation, id_: str) -> Problem:
    return Problem(
        "outcome_unknown",
        "The command was sent but not acknowledged in time. Poll the operation, or repeat the request with its key.",
        headers={"Location": answers.location(id_), "Retry-After": RETRY_AFTER_S},
        more={"operationId": id_, "commandId": operation.command_id},
    )
