"""The part of the reference model that is about one programme of an account: single credits, debt, expiry (4.1.4 to 6).

Nothing is merged or counted; whole units, the zone UTC, rules in days and months.
"""

import calendar
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction

FOREVER = datetime.max.replace(tzinfo=UTC)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
Taken = list[tuple[datetime, int]]
"""What was taken from credits, by their ends, in the order of taking."""


class RefusedError(Exception):
    """The model would not do it."""


def refuse_if(wrong: object) -> None:
    """:raises RefusedError: when something is `wrong`."""
    if wrong:
        raise RefusedError


@dataclass
class Credit:
    amount: int
    starts: datetime
    ends: datetime


@dataclass
class Purse:
    """A programme: `days` until credits expire, `months` until the account does; `earns`: points per euros."""

    days: int | None
    months: int | None
    earns: tuple[tuple[int, Fraction], ...] = ()
    grace: int = 30
    credits: list[Credit] = field(default_factory=list)
    debt: int = 0
    closes: datetime | None = None
    seen: datetime = LONG_AGO

    def active(self, at: datetime) -> list[Credit]:
        return sorted((each for each in self.credits if each.starts <= at and each.amount), key=lambda each: each.ends)

    def booked(self, at: datetime) -> int:
        return sum(each.amount for each in self.active(at)) - self.debt

    def advance(self, now: datetime) -> None:
        """Let everything happen, one instant after the other."""
        instants = {self.closes or now} | {at for each in self.credits for at in (each.starts, each.ends)}
        for at in sorted(instant for instant in instants if self.seen < instant <= now):
            self.credits = [each for each in self.credits if each.ends > at and each.amount]
            for each in self.credits:
                if each.starts == at:
                    self.pay(each)
                    self.closes = None if self.closes and self.closes < at else self.closes
            if at == self.closes and self.active(at):
                self.credits = [each for each in self.credits if each.starts > at]
                self.closes = None
        self.seen = now

    def pay(self, credit: Credit) -> None:
        paid = min(self.debt, credit.amount)
        self.debt, credit.amount = self.debt - paid, credit.amount - paid

    def ends(self, starts: datetime) -> datetime:
        return FOREVER if self.days is None else _midnight(starts + timedelta(days=self.days + 1))

    def credit(self, amount: int, now: datetime, starts: datetime, ends: datetime | None) -> Credit:
        credit = Credit(amount, starts, ends or self.ends(starts))
        refuse_if(credit.ends <= starts)
        if starts <= now:
            self.pay(credit)
        self.credits.append(credit)
        self.lives(now, starts)
        return credit

    def take(self, amount: int, now: datetime, own: list[datetime]) -> Taken:
        """From credits that end like its `own`, then in spending order, the rest as debt."""
        taken: Taken = []
        for each in sorted(self.active(now), key=lambda it: own.index(it.ends) if it.ends in own else len(own)):
            part = min(each.amount, amount)
            each.amount, amount = each.amount - part, amount - part
            taken += [(each.ends, part)] if part else []
        self.debt += amount
        return taken

    def debit(self, amount: int, now: datetime) -> Taken:
        refuse_if(amount > self.booked(now))
        self.lives(now, now)
        return self.take(amount, now, [])

    def give_back(self, taken: Taken, now: datetime) -> None:
        for ends, amount in taken:
            late = _midnight(now + timedelta(days=self.grace + 1))
            self.credits.append(Credit(amount, now, ends if ends > now else late))
            self.pay(self.credits[-1])
        self.closes = self.closes if self.closes and self.closes > now else None

    def lives(self, now: datetime, at: datetime, asked: datetime | None = None) -> None:
        """Move the account's expiry, only later."""
        candidates = [each for each in (asked, self.closes) if each and each > now]
        if self.months is not None:
            month = at.month - 1 + self.months
            year, month = at.year + month // 12, month % 12 + 1
            last = min(at.day, calendar.monthrange(year, month)[1])
            candidates.append(_midnight(at.replace(year=year, month=month, day=last) + timedelta(days=1)))
        self.closes = max(candidates, default=None)


def _midnight(at: datetime) -> datetime:
    return datetime.combine(at.date(), time(), UTC)
