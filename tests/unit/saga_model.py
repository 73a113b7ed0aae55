"""Points and vouchers in the words of the rules, as small as they go: transactions and reversals over both (rules 4.2).

Amounts in whole points; a balance below zero is debt.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

PRICE = 50
T0 = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
NUMBERS = [f"6299{number}" for number in range(3)]
SERIALS = [*(f"bearer-{number}" for number in range(6)), *(f"of-{number}" for number in NUMBERS)]


@dataclass
class Asked:
    """A transaction: whose, and what it does; what of it was undone, by operation."""

    number: str
    loads: list[int]
    spends: list[int]
    bought: list[bool]
    used: list[tuple[str, bool]]
    deadline: datetime = T0
    reserved: int = 0
    decision: str | None = None
    closed: bool = False
    serials: list[str] = field(default_factory=list)
    undone: dict[int, int] = field(default_factory=dict)
    reversing: str | None = None

    @property
    def takes(self) -> int:
        return sum(self.spends) + PRICE * len(self.bought)

    def body(self) -> dict[str, Any]:
        part = {
            "loyaltyPointDefinitionId": "P",
            "loads": [{"value": each} for each in self.loads],
            "redemptions": [{"value": each} for each in self.spends],
            "purchases": [{"voucherId": "V", "use": use} for use in self.bought],
        }
        used = [{"serialId": serial, "void": void} for serial, void in self.used]
        return {"accountNumber": self.number, "loyaltyPrograms": [part], "voucherRedemptions": used}

    def kinds(self) -> list[tuple[str, int]]:
        """Each operation: what it is, and what it adds to the balance."""
        kinds = [("load", each) for each in self.loads]
        kinds += [("spend", -each) for each in self.spends]
        kinds += [("buy", -PRICE) for _ in self.bought]
        return kinds + [("void" if void else "use", 0) for _, void in self.used]

    def serial(self, operation: int) -> str:
        """The voucher that an operation bought or used."""
        at = operation - len(self.loads) - len(self.spends)
        return self.serials[at] if at < len(self.bought) else self.used[at - len(self.bought)][0]


@dataclass
class Undoing:
    """A reversal: of which transaction, and how much of which operations; how vouchers decided."""

    transaction: str
    amounts: dict[int, int]
    vouchers: list[int]
    decision: str | None = None
    closed: bool = False


@dataclass
class Model:
    """Balances, vouchers by serial, with their owners and who redeemed them; transactions and reversals by id."""

    points: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NUMBERS, 0))
    vouchers: dict[str, str] = field(default_factory=lambda: dict.fromkeys(SERIALS, "issued"))
    redeemed_by: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=lambda: {f"of-{number}": number for number in NUMBERS})
    asked: dict[str, Asked] = field(default_factory=dict)
    undoing: dict[str, Undoing] = field(default_factory=dict)

    def spendable(self, number: str) -> int:
        open_ones = [it for it in self.asked.values() if it.number == number and not it.closed]
        return self.points[number] - sum(each.reserved for each in open_ones)

    def post(self, id_: str, asked: Asked, now: datetime) -> bool:
        """Whether points hold it."""
        free = self.spendable(asked.number)
        if asked.takes and asked.takes > free + sum(asked.loads):
            return False
        asked.deadline, asked.reserved = now + timedelta(seconds=30), min(max(free, 0), asked.takes)
        self.asked[id_] = asked
        return True

    def decide(self, id_: str, now: datetime, cancel: bool, serials: list[str]) -> None:
        """The voucher service's first decision is final; `serials` are what it issued."""
        asked = self.asked[id_]
        if asked.decision is None:
            late = now > asked.deadline
            asked.decision = "cancelled" if cancel else "refused" if late else self._execute(id_, asked, serials)

    def _execute(self, id_: str, asked: Asked, serials: list[str]) -> str:
        after, by = dict(self.vouchers), dict(self.redeemed_by)
        for serial, void in asked.used:
            if after.get(serial) != "issued" or self.owners.get(serial, asked.number) != asked.number:
                return "refused"
            after[serial] = "void" if void else "redeemed"
            if not void:
                by[serial] = id_
        for serial, use in zip(serials, asked.bought, strict=True):
            after[serial] = "redeemed" if use else "issued"
            self.owners[serial] = asked.number
            if use:
                by[serial] = id_
        self.vouchers, self.redeemed_by, asked.serials = after, by, serials
        return "executed"

    def close(self, id_: str) -> None:
        """What was decided takes effect on the points."""
        asked = self.asked[id_]
        if not asked.closed and asked.decision == "executed":
            self.points[asked.number] += sum(asked.loads) - asked.takes
        asked.closed = True

    def reverse(self, id_: str, transaction: str, named: dict[int, int | None]) -> bool:
        """Whether points undo it, at once or when the vouchers are dealt with; no names are all that is left."""
        asked = self.asked[transaction]
        if asked.decision != "executed" or not asked.closed or asked.reversing is not None:
            return False
        amounts: dict[int, int] = {}
        vouchers: list[int] = []
        for operation, (kind, delta) in enumerate(asked.kinds()):
            if named and operation not in named:
                continue
            left = abs(delta) - asked.undone.get(operation, 0)
            gone = kind == "void" or (left == 0 and delta != 0) or (kind == "use" and operation in asked.undone)
            if gone and not named:
                continue
            value = named.get(operation)
            wanted = left if value is None else value
            whole = wanted == left if kind == "buy" else value is None if kind == "use" else wanted <= left
            if gone or not whole:
                return False
            amounts[operation] = wanted
            vouchers += [operation] * (kind in ("buy", "use"))
        if not amounts or any(operation >= len(asked.kinds()) for operation in named):
            return False
        self.undoing[id_] = Undoing(transaction, amounts, vouchers)
        if vouchers:
            asked.reversing = id_
        else:
            self._undo(self.undoing[id_])
        return True

    def decide_reversal(self, id_: str) -> None:
        """Redemptions first, then purchases: all of them, or none."""
        undoing = self.undoing[id_]
        if undoing.decision is not None:
            return
        asked, after, by = self.asked[undoing.transaction], dict(self.vouchers), dict(self.redeemed_by)
        undoing.decision = "refused"
        kinds = asked.kinds()
        for operation in sorted(undoing.vouchers, key=lambda at: kinds[at][0] == "buy"):
            serial, kind = asked.serial(operation), kinds[operation][0]
            redeemed = after[serial] == "redeemed"
            own = redeemed and by[serial] == undoing.transaction
            if (redeemed or kind == "use") and not own:
                return
            by.pop(serial, None)
            after[serial] = "void" if kind == "buy" else "issued"
        self.vouchers, self.redeemed_by, undoing.decision = after, by, "executed"

    def close_reversal(self, id_: str) -> None:
        """What was decided takes effect on the points."""
        undoing = self.undoing[id_]
        if undoing.closed:
            return
        self.asked[undoing.transaction].reversing = None
        undoing.closed = True
        if undoing.decision == "executed":
            self._undo(undoing)

    def _undo(self, undoing: Undoing) -> None:
        asked = self.asked[undoing.transaction]
        for operation, amount in undoing.amounts.items():
            asked.undone[operation] = asked.undone.get(operation, 0) + amount
            self.points[asked.number] += amount if asked.kinds()[operation][1] < 0 else -amount
