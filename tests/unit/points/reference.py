"""A small plain model of points, to hold against the real one: single credits in a list, nothing merged or counted.

It knows whole units only, the zone UTC, and rules in days; it tells balances and whether a command is refused.
"""

import calendar
import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from schemas.points import Adjust, PostTransaction

FOREVER = datetime.max.replace(tzinfo=UTC)


class RefusedError(Exception):
    """The model would not do it."""


@dataclass
class Credit:
    amount: int
    starts: datetime
    ends: datetime


@dataclass
class Purse:
    """One programme of the account: `days` until credits expire, `months` until the account does."""

    days: int | None
    months: int | None
    credits: list[Credit] = field(default_factory=list)
    closes: datetime | None = None

    def active(self, at: datetime) -> list[Credit]:
        return sorted((each for each in self.credits if each.starts <= at and each.amount), key=lambda each: each.ends)

    def balance(self, at: datetime) -> int:
        return sum(each.amount for each in self.active(at))

    def advance(self, now: datetime) -> None:
        """Let everything happen, one instant after the other."""
        instants = {each.starts for each in self.credits} | {each.ends for each in self.credits}
        if self.closes is not None:
            instants.add(self.closes)
        for at in sorted(instant for instant in instants if instant <= now):
            self.credits = [each for each in self.credits if each.ends > at or each.starts > at]
            if self.closes is not None and at >= self.closes and self.active(at):
                if at == self.closes:
                    self.credits = [each for each in self.credits if each.starts > at]
                self.closes = None

    def credit(self, amount: int, now: datetime, starts: datetime, ends: datetime | None) -> None:
        if ends is None:
            ends = FOREVER if self.days is None else _midnight(starts + timedelta(days=self.days + 1))
        if ends <= max(now, starts):
            raise RefusedError
        self.credits.append(Credit(amount, starts, ends))
        self.lives(now, starts)

    def debit(self, amount: int, now: datetime) -> None:
        if amount > self.balance(now):
            raise RefusedError
        for each in self.active(now):
            part = min(each.amount, amount)
            each.amount -= part
            amount -= part
        self.lives(now, now)

    def lives(self, now: datetime, at: datetime, asked: datetime | None = None) -> None:
        """Move the account's expiry, only later."""
        candidates = [asked] if asked else []
        if self.closes is not None and self.closes > now:
            candidates.append(self.closes)
        if self.months is not None:
            month = at.month - 1 + self.months
            year, month = at.year + month // 12, month % 12 + 1
            last = min(at.day, calendar.monthrange(year, month)[1])
            candidates.append(_midnight(at.replace(year=year, month=month, day=last) + timedelta(days=1)))
        self.closes = max(candidates, default=None)


@dataclass
class Model:
    purses: dict[str, Purse]
    opened: bool = False

    def after(self, command: PostTransaction | Adjust, now: datetime) -> "Model":
        """The model after a command.

        :raises RefusedError: when it is to be refused.
        """
        model = copy.deepcopy(self)
        for purse in model.purses.values():
            purse.advance(now)
        if isinstance(command, Adjust):
            model._adjust(command, now)
        else:
            model._transaction(command, now)
        return model

    def _transaction(self, command: PostTransaction, now: datetime) -> None:
        for part in command.loyalty_programs:
            purse = self.purses[part.loyalty_point_definition_id]
            for load in part.loads:
                if load.value < 0 or (load.value and load.account_expires_at and load.account_expires_at <= now):
                    raise RefusedError
                if load.value:
                    purse.credit(int(load.value), now, now, load.balance_expires_at)
                    purse.lives(now, now, load.account_expires_at)
                    self.opened = True
        for part in command.loyalty_programs:
            for redemption in part.redemptions:
                if redemption.value:
                    self._debit(part.loyalty_point_definition_id, int(redemption.value), now)

    def _adjust(self, command: Adjust, now: datetime) -> None:
        value = int(command.value)
        if value == 0 or (value < 0 and (command.active_from or command.expires_at)):
            raise RefusedError
        if value < 0:
            self._debit(command.programme, -value, now)
            return
        starts = max(command.active_from or now, now)
        self.purses[command.programme].credit(value, now, starts, command.expires_at)
        self.opened = True

    def _debit(self, programme: str, amount: int, now: datetime) -> None:
        if amount < 0 or not self.opened:
            raise RefusedError
        self.purses[programme].debit(amount, now)


def _midnight(at: datetime) -> datetime:
    return datetime.combine(at.date(), time(), UTC)
