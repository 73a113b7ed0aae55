"""Random commands on one account: each history is drawn from a `random.Random`, seeded or hypothesis's own.

What is drawn knows what was said before, not what came of it, so that much of it is refused, repeated, or too early.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from schemas.accounts import AccountState, SetAccountState
from schemas.orders import CancelOrder, FulfilOrder, PlaceOrder, ReturnOrder
from schemas.points import Adjust, BookDue, PostTransaction, Reverse
from tests.unit.points.world import DAY, NUMBER, adjust, does, transaction

HOUR = timedelta(hours=1)
LOADED = ("DAYS", "EVER")
ORDERED = ("ORDERS", "CENTS")
FACTS = (FulfilOrder, FulfilOrder, FulfilOrder, CancelOrder, ReturnOrder, ReturnOrder)

_GAPS = [timedelta(0)] * 6 + [HOUR] * 12 + [DAY] * 6 + [2 * DAY, 2 * DAY, 5 * DAY, 20 * DAY, 40 * DAY]
_ENDS = [None] * 8 + [HOUR, DAY, DAY, 2 * DAY, 5 * DAY, 35 * DAY] * 2 + [-HOUR]
_STARTS = [None, HOUR, DAY, 3 * DAY, 3 * DAY, 5 * DAY, 35 * DAY, -HOUR]
_KINDS = ["transact"] * 14 + ["adjust"] * 7 + ["place"] * 4 + ["amend"] * 3 + ["fact"] * 12 + ["again"] * 2
_KINDS += ["reverse"] * 6 + ["state", "due"]

Command = PostTransaction | Adjust | PlaceOrder | FulfilOrder | CancelOrder | ReturnOrder | Reverse | SetAccountState
Told = PlaceOrder | FulfilOrder | CancelOrder | ReturnOrder


class Story:
    """What happens next, after what was said so far."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.count = 0
        self.posted: list[str] = []
        self.named = ""
        self.told: list[Told] = []
        self.orders: dict[str, list[PlaceOrder]] = {}
        self.state = AccountState.ACTIVE

    def next(self, now: datetime) -> tuple[datetime, str, Command | BookDue]:
        """The next command's time and id, and the command."""
        pick = self.random.choice
        now += pick(_GAPS)
        self.count += 1
        kind = pick(_KINDS)
        if self.state is not AccountState.ACTIVE and pick([True, False, False]):
            kind = "state"
        command: Command | BookDue = getattr(self, f"_{kind}")(now)
        command_id = f"c{self.count}"
        if isinstance(command, PostTransaction | Adjust):
            self.posted.append(command_id)
        elif isinstance(command, Told):
            self.told.append(command)
            if isinstance(command, PlaceOrder):
                self.orders.setdefault(command.order, []).append(command)
        return now, command_id, command

    def _transact(self, now: datetime) -> PostTransaction:
        pick = self.random.choice
        parts = []
        for _ in range(pick([1, 1, 1, 2, 0])):
            loads: list[Any] = [
                {
                    "value": pick([1, 2, 5, 9, 9, 20, 20, 30, 30, 0]),
                    "balanceExpiresAt": _at(now, pick(_ENDS)),
                    "accountExpiresAt": _at(now, pick([None] * 20 + [DAY, 20 * DAY, 35 * DAY, -HOUR])),
                }
                for _ in range(pick([0, 1, 1, 2]))
            ]
            redemptions: list[Any] = [pick([1, 2, 2, 3, 5, 8, 15, 25, 0]) for _ in range(pick([0, 1, 1, 1, 2]))]
            parts.append(does(pick([*LOADED * 2, *ORDERED]), loads=loads, redemptions=redemptions))
        receipt = pick([None, None, None, self._order_name()])
        return transaction(*parts, context={} if receipt is None else {"receiptNr": receipt})

    def _adjust(self, now: datetime) -> Adjust:
        pick = self.random.choice
        value = pick([3, 7, 30] * 4 + [-1, -2, -6, 0])
        up = value > 0 or pick([False, False, True])
        start, end = (_at(now, pick(_STARTS)), _at(now, pick(_ENDS))) if up else (None, None)
        return adjust(value, pick([*LOADED * 2, *ORDERED]), activeFrom=start, expiresAt=end)

    def _place(self, now: datetime) -> PlaceOrder:
        return self._order(f"W-{len(self.orders)}", self.random.choice([1, 1, 1, 1, 2]), now)

    def _amend(self, now: datetime) -> PlaceOrder:
        name = self._order_name()
        known = self.orders.get(name)
        if not known:
            return self._place(now)
        revision = known[-1].revision + self.random.choice([1, 1, 1, 1, 2, 0, -1])
        return self._order(name, max(revision, 1), now, known[-1])

    def _order(self, name: str, revision: int, now: datetime, before: PlaceOrder | None = None) -> PlaceOrder:
        """An order of one to three lines at odd prices; amended, most of its lines stay as they were."""
        pick = self.random.choice
        lines: list[dict[str, Any]] = []
        for index in range(pick([1, 2, 3] if before is None else [len(before.lines), len(before.lines), 1, 3])):
            if before is not None and index < len(before.lines) and pick([True, True, False]):
                line = before.lines[index].model_dump(by_alias=True)
                lines.append({**line, "quantity": pick([line["quantity"], line["quantity"], Decimal(1), Decimal(5)])})
                continue
            net = Decimal(self.random.randrange(100, 3000)) / 100
            discount = pick([Decimal(0), Decimal("0.37"), net / 2 if net * 50 % 1 == 0 else net])
            line = {"line": str(index), "quantity": pick([1, 2, 3, Decimal("1.5")]), "netAmount": net}
            lines.append(
                {**line, "tax": pick([0, Decimal("1.13")]), "discount": discount, "earns": pick([True] * 5 + [False])}
            )
        payments = pick([[], [], [{"kind": "points", "amount": Decimal("2.5")}, {"kind": "ideal", "amount": 9}]])
        return PlaceOrder.model_validate(
            {
                "order": name,
                "accountNumber": NUMBER,
                "revision": revision,
                "currency": "EUR",
                "placedAt": now.isoformat(),
            }
            | {"lines": lines, "payments": payments}
        )

    def _fact(self, _: datetime) -> Told:
        """Something that happened to one of the latest orders, or to one that is not known yet."""
        pick = self.random.choice
        name = self._order_name()
        body: dict[str, Any] = {"order": name, "accountNumber": NUMBER, "fact": f"f{self.count}"}
        lines = self.orders[name][-1].lines if name in self.orders else ()
        how = pick(["rest", "amount", "amount", "lines", "lines"])
        if how == "amount" or (how == "lines" and not lines):
            worth = sum((line.net_amount + line.tax - line.discount for line in lines if line.earns), Decimal(0))
            part = (max(worth, Decimal(3)) / pick([1, 2, 3, 3, 7])).quantize(Decimal("0.01"))
            body["amount"] = max(part, Decimal("0.01"))
        elif how == "lines":
            some = [line for line in lines if pick([True, False])] or list(lines[:1])
            quantities = [pick([line.quantity, Decimal(1), Decimal("0.5")]) for line in some]
            named = [{"line": line.line, "quantity": part} for line, part in zip(some, quantities, strict=True)]
            body["lines"] = pick([named] * 9 + [[{"line": "9", "quantity": 1}]])
        body["revision"] = pick([None, None, None, None, 1, 2, 3])
        return pick(FACTS).model_validate(body)

    def _again(self, now: datetime) -> Told:
        """What was told of an order before, or something else under its name."""
        pick = self.random.choice
        if not self.told:
            return self._place(now)
        told = pick(self.told[-12:])
        if isinstance(told, PlaceOrder) or pick([True, True, False]):
            return told
        return told.model_copy(update={"amount": Decimal("0.01"), "lines": None})

    def _reverse(self, now: datetime) -> Command:
        pick = self.random.choice
        if not self.posted:
            return self._transact(now)
        operations = [
            {"operation": pick([0, 0, 0, 0, 1, 1, 2]), "value": pick([None, 1, 1, 2, 3, 12])}
            for _ in range(pick([0, 1, 1, 1, 2, 3]))
        ]
        again = [self.named] if self.named else []
        self.named = pick([*self.posted[-4:] * 4, *again * 8, f"c{self.count - 1}"])
        body = {"accountNumber": NUMBER, "transactionId": self.named, "operations": operations, "reason": "by mistake"}
        return Reverse.model_validate(body)

    def _state(self, _: datetime) -> SetAccountState:
        self.state = self.random.choice([AccountState.ACTIVE, AccountState.ACTIVE, *AccountState])
        return SetAccountState.model_validate({"accountNumber": NUMBER, "state": self.state, "reason": "by hand"})

    def _due(self, _: datetime) -> BookDue:
        return BookDue()

    def _order_name(self) -> str:
        """One of the latest orders, or the next."""
        return f"W-{max(0, len(self.orders) - self.random.choice([1, 1, 1, 2, 2, 3, 0]))}"


def _at(now: datetime, offset: timedelta | None) -> str | None:
    return None if offset is None else (now + offset).isoformat()
