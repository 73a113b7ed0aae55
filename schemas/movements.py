"""Bookings on accounts as events of the points service: credits to come, and every movement of a balance.

Amounts are integers in the programme's smallest unit (`scale` digits after the point). Times are UTC instants. The
journal stores events in exactly this shape, members that are null left out.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Instant, Published

Unit = Annotated[str, Field(examples=["points", "EUR"])]
"""What a programme's amounts count: `points`, or an ISO 4217 currency."""


class Source(Published):
    """Where a movement comes from, in the words of whoever caused it."""

    order: str | None = None
    receipt: str | None = None
    shop: str | None = None
    till: str | None = None
    operator: str | None = None


class LotPart(Published):
    """An amount put into or taken from one lot; `lot` is unique within the account's programme."""

    lot: int
    amount: int
    active_from: Instant | None = None
    expires_at: Instant | None = None
    restriction: str | None = None
    campaign: str | None = None


class Booked(Published):
    """What every booking says. `transaction_id` is the command's id, `operation` its index in processing order.

    Operations of value zero count too. What was due before the command's own operations has operation -1 and an
    empty source, and occurred when it was due. The order of processing: loads, redemptions, purchases, then vouchers
    (rules 4.2.1). `notice_days` is how long before an expiry the programme wants it announced. What was booked before
    the `unit` was recorded has none.
    """

    account: str
    account_number: str
    programme: str
    programme_version: int
    scale: int
    unit: Unit | None = None
    transaction_id: str
    operation: int
    source: Source = Source()
    reason: str | None = None
    occurred_at: Instant
    booked_at: Instant
    lots: tuple[LotPart, ...]
    account_expires_at: Instant | None = None
    notice_days: int | None = None


class Scheduled(Booked):
    """`points.scheduled.v1`: a credit that becomes active later. No movement; it enters by an activation."""

    type: Literal["points.scheduled.v1"] = "points.scheduled.v1"
    amount: int


class Unscheduled(Booked):
    """`points.unscheduled.v1`: a credit to come was reversed, wholly or in part, before its time. No movement."""

    type: Literal["points.unscheduled.v1"] = "points.unscheduled.v1"
    amount: int


class ExpiringSoon(Booked):
    """`points.expiring_soon.v1`: these lots expire at `expires_at`, unless they are spent before. No movement."""

    type: Literal["points.expiring_soon.v1"] = "points.expiring_soon.v1"
    amount: int
    expires_at: Instant


class SpendCounted(Booked):
    """`points.spend_counted.v1`: what an order counts for tiers by spend. No movement, and no lots.

    `amount` is in the smallest unit of `currency`: fulfilled less returned, since the order was counted last.
    """

    type: Literal["points.spend_counted.v1"] = "points.spend_counted.v1"
    amount: int
    currency: str


class Held(Booked):
    """`points.held.v1`: these parts of lots are set aside until their transaction is closed. No movement."""

    type: Literal["points.held.v1"] = "points.held.v1"
    amount: int


class Released(Booked):
    """`points.released.v1`: what was held is back, to be spent when the transaction was executed. No movement.

    What was owed meanwhile is paid first, by `debt_delta`, and `lots` say where the rest of `amount` goes.
    """

    type: Literal["points.released.v1"] = "points.released.v1"
    amount: int
    debt_delta: int | None = None


class Moved(Booked):
    """A booking that moves the balance: `sequence` runs over the whole account, the sums are those after it.

    `booked` is the sum of all `delta` in the programme, `pending` of all `pending_delta`. `lots` were put in when
    `delta` is positive, else taken from. `debt_delta` is what the movement adds to the debt (below zero: pays):
    `delta` = the sum of the lots' amounts, with its sign, - `debt_delta` (rules 4.1.6).
    """

    sequence: int
    delta: int
    pending_delta: int = 0
    booked: int
    pending: int = 0
    debt_delta: int | None = None


class Loaded(Moved):
    """`points.loaded.v1`: a credit, active at once."""

    type: Literal["points.loaded.v1"] = "points.loaded.v1"
    kind: Literal["load"] = "load"


class Redeemed(Moved):
    """`points.redeemed.v1`: points spent; `lots` says from where, in spending order."""

    type: Literal["points.redeemed.v1"] = "points.redeemed.v1"
    kind: Literal["redeem"] = "redeem"


class Purchased(Moved):
    """`points.purchased.v1`: the price of a voucher; `lots` says from where, in spending order."""

    type: Literal["points.purchased.v1"] = "points.purchased.v1"
    kind: Literal["purchase"] = "purchase"


class ThresholdReached(Moved):
    """`points.threshold_reached.v1`: a programme's threshold was reached, and its points became a voucher."""

    type: Literal["points.threshold_reached.v1"] = "points.threshold_reached.v1"
    kind: Literal["threshold"] = "threshold"


class Adjusted(Moved):
    """`points.adjusted.v1`: a correction by hand, up or down."""

    type: Literal["points.adjusted.v1"] = "points.adjusted.v1"
    kind: Literal["adjust"] = "adjust"


class Transferred(Moved):
    """`points.transferred.v1`: all that an account has came from, or went to, another that is the same customer's.

    `pending_delta` moves with it.
    """

    type: Literal["points.transferred.v1"] = "points.transferred.v1"
    kind: Literal["transfer"] = "transfer"


class Pended(Moved):
    """`points.pended.v1`: an order was placed, or amended: its points wait for its fulfilment (rules 4.1.8).

    `pending_delta` alone moves; it is below zero when an amendment promises less.
    """

    type: Literal["points.pended.v1"] = "points.pended.v1"
    kind: Literal["pend"] = "pend"


class Activated(Moved):
    """`points.activated.v1`: the time of a future-dated credit has come, or an order was fulfilled.

    An order's activation takes `delta` from what was pending; a future-dated credit was not pending.
    """

    type: Literal["points.activated.v1"] = "points.activated.v1"
    kind: Literal["activate"] = "activate"


class Deactivated(Moved):
    """`points.deactivated.v1`: an amended order has less of its points fulfilled: they are pending again."""

    type: Literal["points.deactivated.v1"] = "points.deactivated.v1"
    kind: Literal["deactivate"] = "deactivate"


class Dropped(Moved):
    """`points.dropped.v1`: pending points of what was cancelled; above zero when an amendment takes that back."""

    type: Literal["points.dropped.v1"] = "points.dropped.v1"
    kind: Literal["drop"] = "drop"


class Expired(Moved):
    """`points.expired.v1`: what was left of a lot (`reason` lot), or of the programme's account (`account`)."""

    type: Literal["points.expired.v1"] = "points.expired.v1"
    kind: Literal["expire"] = "expire"


class Revoked(Moved):
    """`points.revoked.v1`: a credit was taken back: from its own lot, from others, and the rest as debt."""

    type: Literal["points.revoked.v1"] = "points.revoked.v1"
    kind: Literal["revoke"] = "revoke"


class GivenBack(Moved):
    """`points.given_back.v1`: a debit was taken back; the points return to the lots that they came from."""

    type: Literal["points.given_back.v1"] = "points.given_back.v1"
    kind: Literal["give_back"] = "give_back"


Movement = (
    Loaded
    | Redeemed
    | Purchased
    | ThresholdReached
    | Adjusted
    | Transferred
    | Pended
    | Activated
    | Deactivated
    | Dropped
    | Expired
    | Revoked
    | GivenBack
)
Notice = Scheduled | Unscheduled | ExpiringSoon | SpendCounted | Held | Released
"""Bookings that move no balance."""
