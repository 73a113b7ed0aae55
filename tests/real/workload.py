"""Random histories of loads and redemptions, what each command must come to, and whether it came to that.

The order of one account's commands is that of its partition, so every outcome, refusals included, is known before.
"""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.harness import Command, Installation, header, payload

PROGRAMME = "LOY22-BuyVouchers"


@dataclass
class Workload:
    """Commands to send, and a plain model of what they do."""

    seed: int
    accounts: int = 40
    commands: list[Command] = field(default_factory=list)
    expected: dict[str, str] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    movements: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def more(self, count: int) -> list[Command]:
        """The next commands; about a third of the redemptions ask for more than there is."""
        added = [self._next() for _ in range(count)]
        self.commands.extend(added)
        return added

    def _next(self) -> Command:
        number = f"N-{self.seed}-{self._random.randrange(self.accounts)}"
        before = self.balances[number]
        if self._random.random() < 0.5:
            amount = self._random.randint(1, 1000)
            command = Command.transaction(number, PROGRAMME, load=amount)
            outcome, delta = "accepted", amount
        else:
            amount = self._random.randint(1, max(2, int(before * 1.5)))
            command = Command.transaction(number, PROGRAMME, redeem=amount)
            enough = before >= amount
            outcome, delta = ("accepted", -amount) if enough else ("rejected", 0)
        self.expected[command.id] = outcome
        self.balances[number] = before + delta
        self.movements[command.subject] += delta != 0
        return command

    def with_repeats(self, share: float, times_max: int) -> list[Command]:
        """The commands sent so far, some of them again later, up to `times_max` times."""
        repeated = list(self.commands)
        for command in self.commands:
            if self._random.random() < share:
                for _ in range(self._random.randint(1, times_max)):
                    first = repeated.index(command)
                    repeated.insert(self._random.randint(first + 1, len(repeated)), command)
        return repeated


async def check(installation: Installation, *workloads: Workload) -> dict[str, int]:
    """Assert that every command has one effect and one outcome; returns counts, repeats among them."""
    journal = installation.collection("points", "journal")
    outcomes: dict[str, str] = {}
    expected: dict[str, str] = {}
    balances: dict[str, int] = {}
    movements: Counter[str] = Counter()
    for workload in workloads:
        expected |= workload.expected
        balances |= workload.balances
        movements += workload.movements
    codes: dict[str, str | None] = {}
    async for entry in journal.find({"type": "points.post_transaction.v1"}, {"status": 1, "code": 1}):
        outcomes[entry["_id"]], codes[entry["_id"]] = entry["status"], entry.get("code")
    missing = expected.keys() - outcomes.keys()
    assert not missing, f"{len(missing)} of {len(expected)} commands have no outcome"
    wrong = {command: outcome for command, outcome in outcomes.items() if outcome != expected.get(command)}
    kinds = Counter((outcome, codes[command], expected.get(command)) for command, outcome in wrong.items())
    assert not wrong, f"of {len(expected)} outcomes are wrong, as they are and as they should be: {kinds}"
    snapshots = installation.collection("points", "snapshots")
    seen: dict[str, int] = {}
    async for snapshot in snapshots.find({"_id": {"$regex": "^account/"}}):
        view = await _view(installation, snapshot)
        seen[view["accountNumber"]] = view["booked"]
    assert seen == {number: booked for number, booked in balances.items() if number in seen}
    assert all(balances[number] == 0 for number in balances.keys() - seen.keys())
    repeats = await check_changes(installation, movements)
    events = await check_events(installation)
    return {"commands": len(expected), "repeated changes": repeats, "repeated events": events}


async def _view(installation: Installation, snapshot: dict[str, Any]) -> dict[str, Any]:
    from services.points.decider import DECIDER

    view = DECIDER.views(DECIDER.load_state(snapshot["_id"], snapshot["state"]))
    assert view is not None
    assert view.value is not None
    return {"accountNumber": view.value["accountNumber"], "booked": view.value["balances"][0]["booked"]}


async def check_changes(installation: Installation, movements: Counter[str]) -> int:
    """Each account's sequence is 1, 2, 3, … in order of first appearance, and repeats say the same; counts repeats."""
    last: dict[str, int] = defaultdict(int)
    first: dict[tuple[str, int], bytes] = {}
    sums: dict[str, int] = defaultdict(int)
    repeats = 0
    for record in await installation.read("points.changes"):
        change = payload(record)
        account, sequence = change["account"], change["sequence"]
        if sequence <= last[account]:
            repeats += 1
            assert first[account, sequence] == record.value, "a repeat says something else"
            continue
        assert sequence == last[account] + 1, f"{account} jumps from {last[account]} to {sequence}"
        last[account] = sequence
        sums[account] += change["delta"]
        assert change["booked"] == sums[account]
        first[account, sequence] = record.value or b""
    assert dict(last) == {account: count for account, count in movements.items() if count}
    return repeats


async def check_events(installation: Installation) -> int:
    """The same event id always comes with the same content, refusals included; counts repeats."""
    seen: dict[str, tuple[str | None, bytes | None]] = {}
    repeats = 0
    for record in await installation.read("points.events"):
        event_id = header(record, "ce_id")
        assert event_id is not None
        content = (header(record, "ce_type"), record.value)
        repeats += event_id in seen
        assert seen.setdefault(event_id, content) == content
    return repeats
