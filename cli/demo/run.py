"""What the steps of one run of the demo share: its account, its calls, what is published, and what was seen so far."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from cli.commands.console import out, table
from cli.commands.tail import Arrived, Tail
from cli.commands.web import Answer, call
from shared.clock import monotonic_s, now_ms
from shared.ids import new_id
from shared.settings import Settings

TIMEOUT_S = 15.0
"""How long a step waits for what it expects."""


class Unexpected(Exception):
    """A step was not as expected; the demo ends there."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the demo: what happened, how long after it was sent, and whether it is as expected."""

    what: str
    seen: str
    took_ms: float
    good: bool


def new_number() -> str:
    """An account number that no run used before: 19 digits."""
    return f"6299{now_ms():015d}"


class Run:
    """One run, on the account of a number of its own; `tokens` are those of the demo's clients, by name."""

    def __init__(self, settings: Settings, number: str, http: str, tokens: Mapping[str, str], records: Tail) -> None:
        self.settings = settings
        self.number = number
        self._http = http
        self._tokens = tokens
        self._records = records
        self._steps: list[Step] = []
        self._sent_s = monotonic_s()

    def sending(self) -> None:
        """From now on steps count their time."""
        self._sent_s = monotonic_s()

    async def call(self, client: str, method: str, path: str, body: Any = None, key: str | None = None) -> Answer:
        """Call the edge as one of the demo's clients; each call that writes has a key of its own, or this one.

        :raises OSError: nobody answers.
        """
        headers = {"Authorization": f"Bearer {self._tokens[client]}"}
        if body is not None:
            headers["Idempotency-Key"] = key or new_id()
        return await call(method, f"{self._http}{path}", body, headers)

    async def caused(self, topic: str, command_id: str, count: int) -> list[Arrived]:
        """The records on a topic that name the command as their cause, `count` of them or what came in time."""
        name = self.settings.topic(topic)

        def wanted(one: Arrived) -> bool:
            return one.record.topic == name and one.header("ce_causationid") == command_id

        return await self._records.wait(count, wanted, TIMEOUT_S)

    async def of_transaction(self, topic: str, transaction: str, count: int) -> list[Arrived]:
        """The records on a topic that were booked for a transaction, `count` of them or what came in time."""
        name = self.settings.topic(topic)

        def wanted(one: Arrived) -> bool:
            return (
                one.record.topic == name and json.loads(one.record.value or b"{}").get("transactionId") == transaction
            )

        return await self._records.wait(count, wanted, TIMEOUT_S)

    async def of_subject(self, topic: str, subject: str, count: int) -> list[Arrived]:
        """The records on a topic that are about one aggregate, `count` of them or what came in time."""
        name = self.settings.topic(topic)

        def wanted(one: Arrived) -> bool:
            return one.record.topic == name and one.header("ce_subject") == subject

        return await self._records.wait(count, wanted, TIMEOUT_S)

    def note(self, what: str, seen: str, good: bool, at_s: float | None = None) -> None:
        """One more step, done at `at_s` on the monotonic clock, or now.

        :raises Unexpected: it is not as expected.
        """
        took_s = (monotonic_s() if at_s is None else at_s) - self._sent_s
        self._steps.append(Step(what, seen, took_s * 1000, good))
        if not good:
            raise Unexpected

    def note_arrived(self, topic: str, arrived: list[Arrived], seen: list[str], wanted: list[str]) -> None:
        """What was published on a topic, told as `seen`.

        :raises Unexpected: it is something else than `wanted`, or in another order.
        """
        at_s = arrived[-1].at_s if arrived else monotonic_s()
        self.note(f"published on {topic}", ", ".join(seen) or "nothing", seen == wanted, at_s)

    def show(self) -> None:
        """Print the steps so far."""
        shown = table("step", "result", "after ms", "", title=f"The demo, on account {self.number}")
        for step in self._steps:
            verdict = Text("ok", style="green") if step.good else Text("WRONG", style="bold red")
            shown.add_row(step.what, step.seen, f"{step.took_ms:,.0f}", verdict)
        out().print(shown)
