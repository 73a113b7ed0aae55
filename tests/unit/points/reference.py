"""A small plain model of points, to hold against the real one: RULES 4.1, each of its three parts under 200 lines.

It knows one account; it tells balances and whether a command is refused. It was written from the rules; where they are
silent it reads them as docs/rules.md does. The other parts: `reference_purse` and `reference_order`.
"""

import pickle
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from schemas.accounts import SetAccountState
from schemas.orders import PlaceOrder
from schemas.points import Adjust, BookDue, PostTransaction, Reverse
from tests.unit.points.reference_order import Order
from tests.unit.points.reference_purse import Purse, Taken, refuse_if


@dataclass
class Done:
    """An operation of a command: what it credited, or with a `sign` of -1 debited; from, or to, which ends."""

    programme: str
    sign: int
    amount: int
    parts: Taken
    starts: datetime
    undone: int = 0


@dataclass
class Model:
    """One account; `done` has by command the operations that can be reversed, by their index."""

    purses: dict[str, Purse]
    state: str = "active"
    opened: bool = False
    orders: dict[str, Order] = field(default_factory=dict)
    done: dict[str, dict[int, Done]] = field(default_factory=dict)

    def pending(self, name: str) -> int:
        shares = [order.shares[name] for order in self.orders.values() if name in order.shares]
        return sum(each.awarded - each.activated - each.dropped for each in shares)

    def after(self, command: Any, now: datetime, command_id: str) -> "Model":
        """The model after a command.

        :raises RefusedError: when it is to be refused.
        """
        purses = pickle.loads(pickle.dumps(self.purses))
        model = replace(self, purses=purses, orders=dict(self.orders), done=dict(self.done))
        refuse_if(self.state == "closed" and not isinstance(command, SetAccountState | BookDue))
        for purse in model.purses.values():
            purse.advance(now)
        done: dict[int, Done] = {}
        match command:
            case PostTransaction():
                model._transaction(command, now, done)
            case Adjust():
                model._adjust(command, now, done)
            case SetAccountState():
                refuse_if(not model.opened)
                model.state = command.state.value
            case Reverse():
                model._reverse(command, now)
            case BookDue():
                pass
            case _:
                model._order(command, now)
        if done:
            model.done[command_id] = done
        return model

    def _transaction(self, command: PostTransaction, now: datetime, done: dict[int, Done]) -> None:
        refuse_if(self.state == "suspended")
        order, index = self.orders.get(command.context.receipt_nr or "", Order()), 0
        for part in command.loyalty_programs:
            name = part.loyalty_point_definition_id
            for load in part.loads:
                refuse_if(load.value < 0)
                if load.value:
                    refuse_if(name in order.shares and order.shares[name].awarded)
                    refuse_if(load.account_expires_at and load.account_expires_at <= now)
                    done[index] = self._credit(name, int(load.value), now, now, load.balance_expires_at)
                    self.purses[name].lives(now, now, load.account_expires_at)
                index += 1
        for part in command.loyalty_programs:
            for redemption in part.redemptions:
                if redemption.value:
                    refuse_if(self.state == "spending_blocked")
                    done[index] = self._debit(part.loyalty_point_definition_id, int(redemption.value), now)
                index += 1

    def _adjust(self, command: Adjust, now: datetime, done: dict[int, Done]) -> None:
        name, value = command.programme, int(command.value)
        refuse_if(value == 0 or (value < 0 and (command.active_from or command.expires_at)))
        if value < 0:
            done[0] = self._debit(name, -value, now)
        else:
            starts = max(command.active_from or now, now)
            done[0] = self._credit(name, value, now, starts, command.expires_at)

    def _credit(self, name: str, amount: int, now: datetime, starts: datetime, ends: datetime | None) -> Done:
        self.opened = True
        credit = self.purses[name].credit(amount, now, starts, ends)
        return Done(name, 1, amount, [(credit.ends, credit.amount)], starts)

    def _debit(self, name: str, amount: int, now: datetime) -> Done:
        refuse_if(amount < 0 or not self.opened)
        return Done(name, -1, amount, self.purses[name].debit(amount, now), now)

    def _reverse(self, command: Reverse, now: datetime) -> None:
        done = self.done[command.transaction_id] = deepcopy(self.done.get(command.transaction_id, {}))
        wanted = [(each.operation, each.value) for each in command.operations]
        wanted = wanted or [(index, None) for index, each in done.items() if each.amount > each.undone]
        refuse_if(not wanted or not all(index in done for index, _ in wanted))
        undos: list[tuple[int, int, int]] = []
        for index, value in wanted:
            each = done[index]
            amount = each.amount - each.undone if value is None else int(value)
            refuse_if(amount == 0 or amount > each.amount - each.undone)
            undos.append((-index, each.undone, amount))
            each.undone += amount
        for index, before, amount in sorted(undos):
            self._undo(self.purses[done[-index].programme], done[-index], before, amount, now)

    def _undo(self, purse: Purse, each: Done, before: int, amount: int, now: datetime) -> None:
        """Take back a credit, or give back what a debit took, the last first."""
        if each.sign > 0 and each.starts > now:
            for credit in purse.credits:
                if (credit.starts, credit.ends) == (each.starts, each.parts[0][0]):
                    part = min(credit.amount, amount)
                    credit.amount, amount = credit.amount - part, amount - part
        elif each.sign > 0:
            purse.take(amount, now, [ends for ends, part in each.parts if part])
        else:
            points = [ends for ends, part in reversed(each.parts) for _ in range(part)][before : before + amount]
            purse.give_back([(ends, len(list(same))) for ends, same in groupby(points)], now)

    def _order(self, command: Any, now: datetime) -> None:
        order = self.orders[command.order] = deepcopy(self.orders.get(command.order, Order()))
        placed = isinstance(command, PlaceOrder)
        refuse_if(placed and order.revision == 0 and self.state == "suspended")
        if not (order.place(command) if placed else order.tell(command)):
            return
        order.release()
        for name, purse in self.purses.items():
            if purse.earns:
                order.settle(name, purse, now)
                self.opened = self.opened or order.shares[name].awarded > 0
