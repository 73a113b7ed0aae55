"""The part of the reference model that is about one order: its facts, and what they come to (RULES 4.1.8, 4.1.9)."""

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

from schemas.orders import CancelOrder, FulfilOrder, PlaceOrder, ReturnOrder
from tests.unit.points.reference_purse import Purse, refuse_if

WHAT: dict[type, str] = {FulfilOrder: "fulfilled", CancelOrder: "cancelled", ReturnOrder: "returned"}


@dataclass
class Fact:
    what: str
    body: str
    amount: Fraction | None
    lines: dict[str, Fraction] | None
    revision: int
    rest: Fraction = Fraction(0)
    effect: bool = False
    refused: bool = False


@dataclass
class Share:
    """What an order came to in a programme; `credited` by the end of what was activated."""

    awarded: int = 0
    activated: int = 0
    dropped: int = 0
    revoked: int = 0
    credited: dict[datetime, int] = field(default_factory=dict)


@dataclass
class Order:
    revision: int = 0
    eligible: int = 0
    lines: dict[str, tuple[Fraction, int]] = field(default_factory=dict)
    bodies: dict[int, str] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    shares: dict[str, Share] = field(default_factory=dict)

    def total(self, what: str) -> Fraction:
        return sum((self.money(each) for each in self.facts.values() if each.effect and each.what == what), Fraction(0))

    def money(self, fact: Fact) -> Fraction:
        if fact.amount is not None or fact.lines is None:
            return fact.rest if fact.amount is None else fact.amount
        gross = sum(eligible for _, eligible in self.lines.values()) or 1
        whole = [(self.lines[name], part) for name, part in fact.lines.items() if name in self.lines]
        return sum((it[1] * part / it[0] for it, part in whole), Fraction(0)) * self.eligible / gross

    def quantity(self, what: str, line: str) -> Fraction:
        facts = [each for each in self.facts.values() if each.effect and each.what == what]
        return sum(((each.lines or {}).get(line, Fraction(0)) for each in facts), Fraction(0))

    def open(self) -> bool:
        return self.total("fulfilled") + self.total("cancelled") < self.eligible

    def holds(self) -> bool:
        """F + C ≤ E and R ≤ F, in money and of each line; by lines only where all fulfilments say them."""
        done = [each for each in self.facts.values() if each.effect]
        known = all(each.lines for each in done if each.what == "fulfilled")
        for name in {name for each in done for name in each.lines or ()}:
            ordered = self.lines[name][0] if name in self.lines else 0
            there = self.quantity("fulfilled", name) if known else ordered
            if self.quantity("fulfilled", name) + self.quantity("cancelled", name) > ordered:
                return False
            if self.quantity("returned", name) > there:
                return False
        gone = self.total("fulfilled") + self.total("cancelled")
        return gone <= self.eligible and self.total("returned") <= self.total("fulfilled")

    def judge(self, fact: Fact) -> None:
        """Let a fact have its effect, if it can; else it waits, or is refused."""
        if self.revision == 0 or fact.revision > self.revision:
            return
        waits = fact.what == "returned" and self.open()
        if fact.amount is None and fact.lines is None:
            fulfilled = self.total("fulfilled")
            left = self.eligible - fulfilled - self.total("cancelled")
            fact.rest = fulfilled - self.total("returned") if fact.what == "returned" else left
            fact.effect = fact.rest > 0 or not waits
            return
        known = all(name in self.lines for name in fact.lines or ())
        fact.effect = known
        fact.effect = known and self.holds()
        fact.refused = not fact.effect and not (known and (waits or (fact.what == "returned" and self.may_come(fact))))

    def may_come(self, fact: Fact) -> bool:
        """Whether the lines that a return is short of earn nothing, and may be fulfilled so far yet."""
        for name, part in (fact.lines or {}).items():
            ordered, eligible = self.lines[name]
            back = self.quantity("returned", name) + part
            if back > self.quantity("fulfilled", name) and (
                eligible * self.eligible or back > ordered - self.quantity("cancelled", name)
            ):
                return False
        return self.money(fact) <= self.total("fulfilled") - self.total("returned")

    def place(self, told: PlaceOrder) -> bool:
        """Take an order, or an amendment; whether this is news."""
        body = told.model_dump_json()
        refuse_if(self.bodies.get(told.revision, body) != body)
        if told.revision <= self.revision:
            return False
        self.revision, self.bodies[told.revision] = told.revision, body
        self.lines = {
            each.line: (Fraction(each.quantity), int((each.net_amount + each.tax - each.discount) * 100) * each.earns)
            for each in told.lines
        }
        paid = sum(each.amount for each in told.payments if each.kind in ("points", "voucher", "gift_card"))
        self.eligible = max(0, sum(eligible for _, eligible in self.lines.values()) - int(paid * 100))
        refuse_if(not self.holds())
        return True

    def tell(self, told: Any) -> bool:
        """Take a fact, which has its effect now or waits; whether this is news."""
        amount = None if told.amount is None else Fraction(told.amount * 100)
        lines = None if told.lines is None else {each.line: Fraction(each.quantity) for each in told.lines}
        body = f"{WHAT[type(told)]} {amount} {lines} {told.revision}"
        known = self.facts.get(told.fact)
        if known is not None:
            refuse_if(known.body != body)
            return False
        self.facts[told.fact] = fact = Fact(WHAT[type(told)], body, amount, lines, told.revision or 0)
        self.judge(fact)
        refuse_if(fact.refused)
        return True

    def release(self) -> None:
        """Let what waited have its effect, in the order of arrival, as long as that makes room."""
        moved = True
        while moved:
            moved = False
            for fact in self.facts.values():
                if not fact.effect and not fact.refused:
                    self.judge(fact)
                    moved = moved or fact.effect or fact.refused

    def entitled(self, awarded: int) -> tuple[int, int, int]:
        """Activated, dropped and revoked: the formula of 4.1.8."""
        if self.eligible == 0:
            return 0, 0, 0
        done = {what: self.total(what) for what in WHAT.values()}
        activated, dropped, revoked = (int(awarded * done[what] / self.eligible) for what in WHAT.values())
        if not self.open():
            activated = awarded - dropped if done["fulfilled"] else 0
            dropped = awarded - activated
            revoked = activated if done["returned"] == done["fulfilled"] else revoked
        return activated, dropped, revoked

    def settle(self, name: str, purse: Purse, now: datetime) -> None:
        """Book the differences: what is taken out of lots for an amendment first, what was returned last."""
        share, euros = self.shares.setdefault(name, Share()), Fraction(self.eligible, 100)
        awarded = sum(points * (euros // per) for points, per in purse.earns) if self.revision else 0
        activated, dropped, revoked = self.entitled(awarded)
        own = list(share.credited)
        if activated < share.activated:
            purse.take(share.activated - activated, now, own[::-1])
            left = share.activated - activated
            for ends in own[::-1]:
                part = min(share.credited[ends], left)
                share.credited[ends], left = share.credited[ends] - part, left - part
        if revoked < share.revoked:
            purse.give_back([(own[-1], share.revoked - revoked)], now)
        if activated > share.activated:
            ends = purse.ends(now)
            purse.credit(activated - share.activated, now, now, ends)
            share.credited[ends] = share.credited.get(ends, 0) + activated - share.activated
            own = [*own, ends] if ends not in own else own
        if revoked > share.revoked:
            purse.take(revoked - share.revoked, now, own)
        if (awarded, dropped) != (share.awarded, share.dropped):
            purse.lives(now, now)
        share.awarded, share.activated, share.dropped, share.revoked = awarded, activated, dropped, revoked
        share.credited = {ends: amount for ends, amount in share.credited.items() if amount}
