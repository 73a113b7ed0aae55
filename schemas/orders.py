"""Orders: what the web shop and the order management system tell, and what the points service makes of it (4.1.8).

Money is written in whole units with decimals by callers, and kept as integers in the currency's smallest unit.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StrictBool, model_validator

from schemas.base import Amount, AtMost, Instant, Integer, Published, Wire
from schemas.text import Key, Reference, Text
from schemas.transaction import ProgrammeParts, VoucherRedemptions, check_operations

LINES_MAX = 500

Money = Annotated[Amount, Field(ge=0)]
Quantity = Annotated[Amount, Field(gt=0)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Revision = Annotated[Integer, Field(ge=1, le=1_000_000)]


class OrderLine(Wire):
    """One line of an order. It earns on net amount + tax - discount, for its whole quantity, unless it does not."""

    line: Reference
    quantity: Quantity
    net_amount: Money
    tax: Money = Decimal(0)
    discount: Money = Decimal(0)
    earns: StrictBool = True


class Payment(Wire):
    """What was paid, by kind. What `points`, `voucher` and `gift_card` paid earns nothing; other kinds do."""

    kind: Key
    amount: Money


class _Order(Wire):
    """What is said of an order, whoever says it."""

    order: Reference
    currency: Currency
    placed_at: Instant
    shop: Text | None = None
    lines: Annotated[tuple[OrderLine, ...], AtMost(LINES_MAX)]
    payments: Annotated[tuple[Payment, ...], AtMost(50)] = ()

    @model_validator(mode="after")
    def _unique(self) -> "_Order":
        lines = [line.line for line in self.lines]
        if len(set(lines)) < len(lines):
            raise ValueError("two lines have the same name")
        if any(line.discount > line.net_amount + line.tax for line in self.lines):
            raise ValueError("a discount is larger than what it is given on")
        return self


class OrderPlacement(_Order):
    """`order.placed.v1` on `webshop.orders`: a new order, with the points and vouchers to be used on it, if any.

    `loyaltyPrograms` and `voucherRedemptions` are those of Post Transaction, done beside the order.
    """

    account_number: Key
    revision: Revision = 1
    loyalty_programs: ProgrammeParts = ()
    voucher_redemptions: VoucherRedemptions = ()

    @model_validator(mode="after")
    def _few(self) -> "OrderPlacement":
        check_operations(self.loyalty_programs, self.voucher_redemptions)
        return self


class OrderAmendment(_Order):
    """`order.amended.v1` on `webshop.orders`: the whole order as it is now, under its next revision."""

    account_number: Key
    revision: Annotated[Integer, Field(ge=2, le=1_000_000)]


class FactLine(Wire):
    """How much of an order's line a fact is about."""

    line: Reference
    quantity: Quantity


class _Fact(Wire):
    """Something that happened to an order: to `amount` of what earns in it, to `lines`, or to all that is left.

    `fact` is the sender's own id of it, unique in the order: the same fact again changes nothing. `revision` may name
    the revision that the fact is about; it then waits for that revision.
    """

    account_number: Key
    order: Reference
    fact: Reference
    amount: Annotated[Amount, Field(gt=0)] | None = None
    lines: Annotated[tuple[FactLine, ...], Field(min_length=1), AtMost(LINES_MAX)] | None = None
    revision: Revision | None = None
    occurred_at: Instant | None = None
    shop: Text | None = None

    @model_validator(mode="after")
    def _one_of(self) -> "_Fact":
        if self.amount is not None and self.lines is not None:
            raise ValueError("give an amount, lines, or neither")
        if self.lines is not None and len({line.line for line in self.lines}) < len(self.lines):
            raise ValueError("two lines have the same name")
        return self


class OrderFulfilment(_Fact):
    """`order.fulfilled.v1` on `oms.fulfilments`: part of an order was delivered; its points become spendable."""


class OrderCancellation(_Fact):
    """`order.cancelled.v1` on `oms.fulfilments`: part of an order will not be delivered; its points are dropped."""


class OrderReturn(_Fact):
    """`order.returned.v1` on `oms.fulfilments`: part of what was delivered came back; its points are revoked."""


class PlaceOrder(_Order):
    """`points.place_order.v1`: an order, or a later revision of it; its points are pending."""

    account_number: Key
    revision: Revision = 1
    from_input: StrictBool = False


class _FactCommand(_Fact):
    from_input: StrictBool = False


class FulfilOrder(_FactCommand):
    """`points.fulfil_order.v1`: part of an order was delivered."""


class CancelOrder(_FactCommand):
    """`points.cancel_order.v1`: part of an order will not be delivered."""


class ReturnOrder(_FactCommand):
    """`points.return_order.v1`: part of what was delivered came back."""


class ReportOrder(Wire):
    """`points.report_order.v1`: facts have waited too long for their order; sent by the sweep."""

    order: Reference
    shop: Text | None = None


class LineEligible(Published):
    """A line as the order's points count it: its quantity, and what it earns on, in the currency's smallest unit."""

    line: str
    quantity: str
    eligible: int


class Award(Published):
    """What an order promises in one programme, in the programme's smallest unit.

    `withheld` is what it would promise if nothing had been loaded for its receipt; `awarded` is zero then.
    """

    programme: str
    programme_version: int
    scale: int
    awarded: int
    withheld: int | None = None


class _OrderEvent(Published):
    order: str
    account: str
    account_number: str
    booked_at: Instant
    shop: str | None = None


class OrderPlaced(_OrderEvent):
    """`points.order_placed.v1`: an order, or with a revision above the known one its amendment.

    `eligible` is what earns, in the currency's smallest unit; `digest` tells a repeat from another body.
    """

    type: Literal["points.order_placed.v1"] = "points.order_placed.v1"
    revision: int
    digest: str
    currency: str
    eligible: int
    lines: tuple[LineEligible, ...]
    awards: tuple[Award, ...]
    placed_at: Instant


class OrderAwardRefused(_OrderEvent):
    """`points.order_award_refused.v1`: the order earns nothing in a programme; the code is one of the refusals."""

    type: Literal["points.order_award_refused.v1"] = "points.order_award_refused.v1"
    programme: str
    withheld: int
    code: str
    detail: str


class OrderAwardRestored(_OrderEvent):
    """`points.order_award_restored.v1`: what was withheld is promised now: the receipt's loads were taken back."""

    type: Literal["points.order_award_restored.v1"] = "points.order_award_restored.v1"
    programme: str
    awarded: int


class FactQuantity(Published):
    """How much of a line a fact is about."""

    line: str
    quantity: str


class OrderFactRecorded(_OrderEvent):
    """`points.order_fact_recorded.v1`: a fact about an order; one that is `waiting` has no effect yet.

    `amount` is as the sender wrote it, since the order's currency may not be known yet. Neither amount nor lines
    means all that is left, which is counted anew with everything that is known later.
    """

    type: Literal["points.order_fact_recorded.v1"] = "points.order_fact_recorded.v1"
    fact: str
    what: Literal["fulfilled", "cancelled", "returned"]
    waiting: bool
    amount: str | None = None
    lines: tuple[FactQuantity, ...] | None = None
    revision: int | None = None
    occurred_at: Instant


class OrderFactApplied(_OrderEvent):
    """`points.order_fact_applied.v1`: a fact that waited has its effect now."""

    type: Literal["points.order_fact_applied.v1"] = "points.order_fact_applied.v1"
    fact: str


class OrderFactRefused(_OrderEvent):
    """`points.order_fact_refused.v1`: a fact that waited can have no effect; the code is one of the refusals."""

    type: Literal["points.order_fact_refused.v1"] = "points.order_fact_refused.v1"
    fact: str
    code: str
    detail: str


class Credited(Published):
    """What an activation put into the lot that expires at this instant; below zero, what was taken out again."""

    expires_at: Instant | None = None
    amount: int


class Entitlement(Published):
    """What an order comes to in one programme after its facts, in the programme's smallest unit."""

    programme: str
    activated: int
    dropped: int
    revoked: int
    credited: tuple[Credited, ...] = ()


class OrderSettled(_OrderEvent):
    """`points.order_settled.v1`: the order's points follow its facts; `spend` is fulfilled less returned."""

    type: Literal["points.order_settled.v1"] = "points.order_settled.v1"
    entitlements: tuple[Entitlement, ...]
    spend: int


class OrderUnknown(_OrderEvent):
    """`points.order_unknown.v1`: these facts have waited for seven days, for their order or for what goes before."""

    type: Literal["points.order_unknown.v1"] = "points.order_unknown.v1"
    known: bool
    facts: tuple[str, ...]
    since: Instant


FactEvent = OrderFactRecorded | OrderFactApplied | OrderFactRefused
OrderEvent = OrderPlaced | OrderAwardRefused | OrderAwardRestored | FactEvent | OrderSettled | OrderUnknown
