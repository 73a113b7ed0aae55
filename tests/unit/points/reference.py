"""A small plain model of rules 4.1 for one account, read as docs/rules.md reads it: whole units, UTC, days, months."""

import pickle
from calendar import monthrange
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from types import SimpleNamespace as Done
from typing import Any

from schemas.accounts import SetAccountState
from schemas.orders import CancelOrder, FulfilOrder, PlaceOrder, ReturnOrder
from schemas.points import Adjust, BookDue, PostTransaction, Reverse

RefusedError = AssertionError  # What the model would not do fails one of its assertions.
EUROS = "euros"  # Stands for money among the lines of an order.
NEVER = datetime.max.replace(tzinfo=UTC)
exact: Any = Fraction  # Counters count fractions too.


def day_after(at: datetime, days: int | None) -> datetime:
    return NEVER if days is None else datetime.combine(at.date() + timedelta(days=days + 1), time(), UTC)


@dataclass
class Purse:  # A programme: `days` until credits expire, `months` until the account does; `earns`: points per euros.
    days: int | None
    months: int | None
    earns: tuple[tuple[int, Fraction], ...] = ()
    grace: int = 30
    active: Counter[datetime] = field(default_factory=Counter)  # Amounts, by when they end.
    credits: list[Done] = field(default_factory=list)  # Those to come.
    awards: dict[str, tuple[int, list[datetime], int, int]] = field(default_factory=dict)  # As `settle` has them.
    loaded: Counter[str] = field(default_factory=Counter)  # By receipt; such an order earns nothing.
    debt: int = 0
    closes: datetime | None = None
    used: bool = False

    def booked(self, at: datetime) -> int:
        return sum(amount for ends, amount in self.active.items() if ends > at) - self.debt

    def advance(self, now: datetime) -> None:  # What is due happens, one instant after the other.
        instants = {self.closes or now, *self.active} | {at for it in self.credits for at in (it.starts, *it.points)}
        for at in sorted(instant for instant in instants if instant <= now):
            self.active, closing = Counter({ends: self.active[ends] for ends in self.active if ends > at}), self.closes
            for each in [each for each in self.credits if each.starts == at and each.amount]:
                self.credit(each.amount, each.points[0], at)
            if closing == at:
                self.active, self.closes = Counter(), None if self.active.total() else at
        self.credits = [each for each in self.credits if each.starts > now]

    def credit(self, amount: int, ends: datetime, now: datetime) -> int:  # Debts are paid first; gives what is left.
        paid = min(self.debt, amount)
        self.debt -= paid
        self.active[ends if ends > now else day_after(now, self.grace)] += amount - paid
        self.closes = self.closes if self.closes and self.closes > now else None
        return amount - paid

    def take(self, amount: int, own: list[datetime]) -> list[datetime]:  # Own lots first; the rest is debt.
        lots = [*dict.fromkeys(own), *sorted(self.active.keys() - own)]
        taken = [ends for ends in lots for _ in range(self.active[ends])][:amount]
        self.active.subtract(taken)
        self.debt += amount - len(taken)
        return taken

    def use(self, now: datetime, at: datetime, asked: datetime | None = None) -> None:  # It closes later, not earlier.
        year, month = divmod(at.year * 12 + at.month - 1 + (self.months or 0), 12)
        day = at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))
        dates = (asked, self.closes, None if self.months is None else day_after(day, 0))
        self.used, self.closes = True, max((each for each in dates if each and each > now), default=None)

    def settle(self, order: str, sums: list[Any], now: datetime) -> None:  # Book the difference to what was booked.
        eligible, fulfilled, cancelled, returned = sums
        awarded = 0 if self.loaded[order] else sum(points * int(eligible // per) for points, per in self.earns)
        activated, dropped, revoked = (int(awarded * part / (eligible or 1)) for part in sums[1:])
        if fulfilled + cancelled == eligible:
            activated = awarded - dropped if fulfilled else 0
            dropped = awarded - activated
            revoked = activated if returned == fulfilled else revoked
        awarded_before, own, dropped_before, revoked_before = self.awards.get(order, (0, [], 0, 0))
        self.take(max(len(own) - activated, 0), own[::-1])
        new = [day_after(now, self.days)] * (activated - len(own))
        for ends in own[-1:] * (revoked_before - revoked) + new:
            self.credit(1, ends, now)
        self.take(max(revoked - revoked_before, 0), own + new)
        if new or (awarded, dropped) != (awarded_before, dropped_before):
            self.use(now, now)
        self.awards[order] = (awarded, (own + new)[:activated], dropped, revoked)


def hear(told: dict[Any, Any]) -> list[Any]:  # E, F, C and R of an order in euros, from all that was told of it.
    revision, ordered, prices, waiting, wholly = 0, Counter[str](), Counter[str](), list[Any](), set[type]()
    sums = {FulfilOrder: Counter[str](), CancelOrder: Counter[str](), ReturnOrder: Counter[str]()}

    def valued(parts: Counter[str]) -> Counter[str]:
        return Counter({**parts, EUROS: sum(prices[line] * part for line, part in parts.items())})

    def euros() -> tuple[Any, Any, Any]:  # F, C and R, with "all that is left" where it was told.
        fulfilled, cancelled, returned = (valued(each)[EUROS] for each in sums.values())
        fulfilled = ordered[EUROS] - cancelled if FulfilOrder in wholly else fulfilled
        cancelled = ordered[EUROS] - fulfilled if CancelOrder in wholly else cancelled
        return fulfilled, cancelled, fulfilled if ReturnOrder in wholly else returned

    for each in told.values():
        if isinstance(each, PlaceOrder):
            worth = {it.line: exact(it.net_amount + it.tax - it.discount) * it.earns for it in each.lines}
            paid = sum(exact(it.amount) for it in each.payments if it.kind in ("points", "voucher", "gift_card"))
            gross, lines = sum(worth.values()), {it.line: exact(it.quantity) for it in each.lines}
            revision, ordered = each.revision, Counter({**lines, EUROS: max(gross - paid, exact(0))})
            prices = Counter({it: worth[it] / lines[it] * ordered[EUROS] / (gross or 1) for it in lines} | {EUROS: 1})
            fulfilled, cancelled, returned = map(valued, sums.values())
            assert fulfilled + cancelled <= ordered  # F + C ≤ E, of each line and in euros.
            assert returned <= Counter({**lines, EUROS: euros()[0]})  # R ≤ F; of a line R ≤ E.
        else:
            waiting.append(each)
        ready = [it for it in waiting if (it.revision or 1) <= revision]
        for fact in sorted(ready, key=lambda it: type(it) is ReturnOrder):  # Returns come last.
            fulfilled, cancelled, returned = map(valued, sums.values())
            still_open, parts = (
                ordered - fulfilled - cancelled,
                {it.line: exact(it.quantity) for it in fact.lines or ()},
            )
            there = Counter({**(ordered if EUROS in sums[FulfilOrder] else fulfilled), EUROS: euros()[0]})
            room, more = there - returned, ordered[EUROS] - cancelled[EUROS] - there[EUROS]  # More may be fulfilled.
            if type(fact) is not ReturnOrder:
                came_back = type(fact) is CancelOrder and FulfilOrder in wholly
                room = still_open & Counter({**ordered, EUROS: room[EUROS]}) if came_back else still_open
            about = valued(Counter(parts or {EUROS: exact(fact.amount or 0)}))
            fits = about <= room and (type(fact) is not ReturnOrder or about.total() > 0 or room[EUROS] or not more)
            yet = (there | Counter({it: ordered[it] - cancelled[it] for it in ordered if not prices[it]})) - returned
            waits = type(fact) is ReturnOrder and about.keys() <= ordered.keys() and (more or about <= yet)
            assert fits or waits or fact is not each  # A return waits as long as more may be fulfilled.
            sums[type(fact)].update(parts or about if fits else {})
            wholly |= {type(fact)} if fits and not parts and fact.amount is None else set()
            waiting = [it for it in waiting if it is not fact or (waits and not fits)]  # Else it is forgotten.
    return [ordered[EUROS], *euros()]


@dataclass
class Model:  # One account; what was told of its orders, by revision or fact, and what commands did, by operation.
    purses: dict[str, Purse]
    state: str = "active"
    told: dict[str, dict[Any, Any]] = field(default_factory=dict)
    done: dict[str, dict[int, Done]] = field(default_factory=dict)

    def pending(self, name: str) -> int:
        return sum(award[0] - len(award[1]) - award[2] for award in self.purses[name].awards.values())

    def after(self, command: Any, now: datetime, command_id: str) -> "Model":
        assert self.state != "closed" or isinstance(command, SetAccountState | BookDue)
        purses, all_done = pickle.loads(pickle.dumps((self.purses, self.done)))
        model = replace(self, purses=purses, told=dict(self.told), done=all_done)
        for purse in purses.values():
            purse.advance(now)
        if isinstance(command, PostTransaction | Adjust):
            model._book(command, now, all_done.setdefault(command_id, {}))
        elif isinstance(command, SetAccountState):
            assert any(purse.used for purse in purses.values())
            model.state = command.state.value
        elif isinstance(command, Reverse):
            done = all_done.get(command.transaction_id, {})
            wanted: Any = command.operations or [Done(operation=it, value=None) for it in done if done[it].amount]
            assert wanted
            for undo in sorted(wanted, key=lambda undo: -undo.operation):  # The last operation first.
                each = done.get(undo.operation, Done(amount=0))
                amount = each.amount if undo.value is None else int(undo.value)
                assert 0 < amount <= each.amount
                purses[each.programme].take(amount if each.credit and each.starts <= now else 0, each.points)
                for ends in [] if each.credit else each.points[: each.amount][::-1][:amount]:
                    purses[each.programme].credit(1, ends, now)
                each.amount -= amount
                purses[each.programme].loaded[each.receipt] -= amount * each.credit
            for order in self.told.keys() & {each.receipt for each in done.values()}:
                model._settle(order, now)
        elif not isinstance(command, BookDue):
            told, is_order = self.told.get(command.order, {}), isinstance(command, PlaceOrder)
            revision = max((it.revision for it in told.values() if isinstance(it, PlaceOrder)), default=0)
            name = command.revision if is_order else command.fact
            assert told.get(name, command) == command
            assert not is_order or revision or self.state != "suspended"
            if not is_order or command.revision > revision:
                model.told[command.order] = {**told, name: command}
                model._settle(command.order, now)
        return model

    def _settle(self, order: str, now: datetime) -> None:
        for purse in self.purses.values():
            purse.settle(order, hear(self.told[order]), now)

    def _book(self, command: Any, now: datetime, done: dict[int, Done]) -> None:
        if isinstance(command, Adjust):
            assert command.value > 0 or (command.value < 0 and not command.active_from and not command.expires_at)
            starts = max(command.active_from or now, now)
            moves = [(command.programme, int(command.value), starts, command.expires_at, None)]
        else:
            assert self.state != "suspended"
            parts = [(it.loyalty_point_definition_id, it.loads, it.redemptions) for it in command.loyalty_programs]
            loads = [(name, load) for name, loads, _ in parts for load in loads]
            moves = [(name, int(it.value), now, it.balance_expires_at, it.account_expires_at) for name, it in loads]
            moves += [(name, -int(it.value), now, None, None) for name, _, debits in parts for it in debits]
        for index, (name, amount, starts, ends, asked) in enumerate(moves):
            purse, points = self.purses[name], [ends or day_after(starts, self.purses[name].days)]
            if amount > 0:
                assert starts < min(points[0], asked or NEVER)
                assert not purse.awards.get(command.context.receipt_nr, (0,))[0]
            elif amount < 0:
                assert isinstance(command, Adjust) or self.state != "spending_blocked"
                assert -amount <= purse.booked(now)
                points = purse.take(-amount, [])
            if amount:
                done[index] = Done(programme=name, credit=amount > 0, amount=abs(amount), starts=starts, points=points)
                done[index].receipt = command.context.receipt_nr
                purse.loaded[command.context.receipt_nr] += max(amount, 0)
                purse.use(now, starts, asked)
            if starts > now:
                purse.credits.append(done[index])
            elif amount > 0 and purse.credit(amount, points[0], now) == 0:
                done[index].points = []  # All of it paid a debt: it is in no lot.
