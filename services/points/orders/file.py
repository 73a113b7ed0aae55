"""What a command is about to write of an order: its events so far, and the order as they leave it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from schemas.orders import OrderAwardRefused, OrderAwardRestored, OrderEvent, OrderFactApplied, OrderFactRefused
from schemas.refusals import PointsRefusal
from services.points.booking import Booking
from services.points.desk import is_own, own_accounts
from services.points.orders.entitlement import Waits, judge
from services.points.orders.evolve import evolve_order
from services.points.orders.state import Order
from shared.decider import Rejected


@dataclass(slots=True)
class OrderFile:
    """The order's side of a command; its events go among the booking's, in order."""

    booking: Booking
    stream: str
    order: Order

    def common(self) -> dict[str, Any]:
        """What all events of an order say."""
        account = self.booking.account
        return {
            "order": self.order.id,
            "account": account.account,
            "account_number": account.account_number or self.booking.account_number,
            "booked_at": self.booking.command.now,
            "shop": self.order.shop,
        }

    def add(self, event: OrderEvent) -> None:
        """One more event on the order."""
        self.booking.events.append((self.stream, event))
        self.order = evolve_order(self.order, event)

    def report_withheld(self, before: Order) -> None:
        """Report each award that is withheld, and was not `before`."""
        for award in self.order.awards.values():
            known = before.awards.get(award.programme)
            if award.withheld and not (known and known.withheld):
                self.add(
                    OrderAwardRefused(
                        **self.common(),
                        programme=award.programme,
                        withheld=award.withheld,
                        code=PointsRefusal.RECEIPT_ALREADY_LOADED.value,
                        detail=f"points were loaded for the receipt {self.order.id} in {award.programme} before",
                    )
                )

    def restore(self, loaded: Collection[str]) -> None:
        """Promise what was withheld, but in the programmes where something is still `loaded` for the receipt."""
        for award in self.order.awards.values() if is_own(self.booking, self.order.account) else ():
            if award.withheld and award.programme not in loaded:
                self.add(OrderAwardRestored(**self.common(), programme=award.programme, awarded=award.withheld))

    def release(self) -> None:
        """Let waiting facts have their effect: in the order of their arrival, returns after all others.

        A fulfilment may make room for a return, and nothing makes room for anything else, so that each is looked at
        once. What contradicts what is known by now is refused by an event, since its own command was accepted.
        """
        aliases = own_accounts(self.booking)
        for fact in sorted(self.order.waiting.values(), key=lambda fact: fact.what == "returned"):
            verdict = judge(self.order, fact, aliases)
            if isinstance(verdict, Rejected):
                code, detail = verdict.code.value, verdict.detail
                self.add(OrderFactRefused(**self.common(), fact=fact.id, code=code, detail=detail))
            elif not isinstance(verdict, Waits):
                self.add(OrderFactApplied(**self.common(), fact=fact.id))
