"""Sends commands, waits for their replies and turns them into HTTP responses (protocols P3 and P8)."""

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

ResultView = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any] | None]]
"""Makes the response of an accepted command from its result, by reading views; None when they do not show it yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRequest:
    """A command to send for a caller.

    `request_hash_parts` (route, path, query, canonical body) tell a retry from another request with the same `key`.
    Keys are scoped to the client. A command that has its id from elsewhere says it in `command_id`. Pointers of
    refusals lead into the `body`, if there is one.
    """

    caller: Caller
    service: str
    type: str
    subject: str
    value: bytes
    request_hash_parts: Sequence[str | bytes]
    key: str | None
    command_id: str | None = None
    body: SentBody | None = None


class Bus:
    """Sends commands and responds with their outcomes. Until :meth:`start` has returned, every request gets 503."""

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
        """The consumer of replies, for the monitoring of its progress."""
        return self._requester

    async def connect(self) -> None:
        """Connect to the broker.

        :raises Unavailable: it cannot be reached.
        """
        await self._requester.connect()

    async def start(self) -> None:
        """Get ready to send; FastStream's broker must have been started.

        :raises Unavailable: the end offset of the replies cannot be read.
        """
        await self._requester.start()
        self._started = True
        self._state.joined()

    async def stop(self) -> None:
        """Stop waiting for replies."""
        self._started = False
        await self._requester.stop()

    async def check(self) -> None:
        """Report a heartbeat; after a failure, become ready again when the broker answers."""
        self._state.beat()
        if self._state.troubled_by is not None and await self._broker.ping(_PING_TIMEOUT_S):
            self._state.clear()

    async def execute(self, command: CommandRequest, result_view: ResultView | None = None) -> Response:
        """Send a command, wait for its outcome, apply the snapshots in the reply, and respond with the result.

        With `result_view`, the response is what that reads from the views. If the views cannot be reached, the command
        was processed nevertheless, and the response is 202 with the path to poll.

        :raises Problem: the command was refused or not sent, or its outcome is unknown (the table of protocol P8).
        """
        if len(command.value) > self._settings.record_bytes_max:
            raise too_large(self._settings.record_bytes_max)
        client, store = command.caller.client, command.caller.store
        request = Request(
            service=command.service,
            command_id=command.command_id or _id_by_key(store, client, command.key),
            type=command.type,
            subject=command.subject,
            value=command.value,
            store=store,
            request_hash=request_hash(self._secret, *command.request_hash_parts),
            actor=command.caller.actor,
        )
        self._check_started()
        bind_contextvars(command=request.command_id)
        if command.type in CORRECTIONS:
            await self._views.attributions.remember(request.command_id, command.caller.actor)
        try:
            sent = await self._requester.send(request)
        except NotSent as error:
            self._state.trouble(str(error))
            raise unavailable("The command was not sent. Send the request again.") from error
        except OutcomeUnknown as error:
            self._state.trouble(str(error.__cause__))
            raise _outcome_unknown(error.operation, self._operations.id_of(error.operation, command.caller)) from error
        reply = await sent.reply(self._settings.reply_wait_ms)
        if reply is None:
            return self._pending(sent.operation, command.caller)
        if not await self._outcome_visible(reply, store):
            return self._pending(sent.operation, command.caller)
        replayed = {REPLAYED: "true"} if reply.replayed else {}
        if (problem := problem_of(reply)) is not None:
            if problem.pointer is not None:
                problem.pointer = None if command.body is None else command.body.pointer(problem.pointer)
            problem.headers = {**(problem.headers or {}), **replayed}
            raise problem
        if result_view is None:
            return answers.answer(result_of(reply.result), headers=replayed)
        try:
            document = await result_view(reply.result or {})
        except Unavailable:
            document = None
        if document is None:
            return self._pending(sent.operation, command.caller)
        return answers.answer(document, headers=replayed)

    async def preview(self, caller: Caller, service: str, type_: str, subject: str, value: bytes) -> dict[str, Any]:
        """The result that a command would have. Nothing is booked, so a retry needs no key.

        :raises Problem: the refusal that the command would get; or `unavailable` when no reply came in time.
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
        if (problem := problem_of(reply)) is not None:
            raise problem
        return reply.result or {}

    async def poll(self, id_: str, caller: Caller) -> Response:
        """200 with the outcome of an operation of the caller, or 202 while it is open.

        :raises Problem: `operation_unknown`; or `unavailable` when the outcome cannot be requested now.
        """
        operation = self._operations.read(id_, caller)
        self._check_started()
        try:
            sent = await self._requester.poll(operation, caller.store)
        except (NotSent, OutcomeUnknown) as error:
            self._state.trouble(str(error))
            raise unavailable("The outcome cannot be requested now. Send the request again.") from error
        reply = await sent.reply(self._settings.reply_wait_ms)
        if reply is None or not await self._outcome_visible(reply, caller.store):
            return answers.pending(id_, operation.command_id)
        document: dict[str, Any] = {
            "operationId": id_,
            "commandId": operation.command_id,
            "status": str(reply.status),
        }
        if reply.status is Status.ACCEPTED:
            document["result"] = result_of(reply.result)
        elif (problem := problem_of(reply)) is not None:
            document["problem"] = problem.document()
        return answers.answer(document)

    async def _outcome_visible(self, reply: Reply, store: str) -> bool:
        """Apply the snapshots in a reply to the views; whether the outcome may be returned to the caller.

        Read your writes: an accepted outcome is returned only when the next read shows it; until then it is pending.
        """
        visible = await self._views.apply(reply.snapshots, reply.changes, store)
        if visible and reply.left_out:
            visible = await arrived(self._views.database, reply.left_out)
        return reply.status is not Status.PENDING and (visible or reply.status is not Status.ACCEPTED)

    def _pending(self, operation: Operation, caller: Caller) -> Response:
        return answers.pending(self._operations.id_of(operation, caller), operation.command_id)

    def _check_started(self) -> None:
        if not self._started:
            raise unavailable("The edge is still waiting for Kafka. Send the request again.")


def problem_of(reply: Reply) -> Problem | None:
    """The problem of a reply; None for an accepted or pending command, and for one that never arrived."""
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


def _id_by_key(store: str, client: str, key: str | None) -> str:
    return new_id() if key is None else keyed_command_id(store, client, key)


def _outcome_unknown(operation: Operation, id_: str) -> Problem:
    return Problem(
        "outcome_unknown",
        "The command was sent but not acknowledged in time. Poll the operation, or repeat the request with its key.",
        headers={"Location": answers.location(id_), "Retry-After": RETRY_AFTER_S},
        more={"operationId": id_, "commandId": operation.command_id},
    )
