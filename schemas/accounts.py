"""Accounts on the wire: their opening, their states and numbers, and their snapshots (rules 4.1.2, 4.1.3).

Amounts are integers in the programme's smallest unit (`scale` digits after the point); times are UTC instants.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StrictBool

from schemas.base import Instant, Published, Wire
from schemas.text import Key, Reason
from schemas.tiers import TierStanding


class AccountState(StrEnum):
    """What an account may do: everything, everything but spend, only what was promised before, or nothing."""

    ACTIVE = "active"
    SPENDING_BLOCKED = "spending_blocked"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class AccountStanding(Wire):
    """What the account may do from now on, and why."""

    state: AccountState
    reason: Reason


class SetAccountState(AccountStanding):
    """`points.set_account_state.v1`: block, suspend, close or free an account; the same state again is a no-op."""

    account_number: Key


class CloseAccount(Wire):
    """`points.close_account.v1`: close an account for good, opened or not, once nothing on it is open.

    Sent by the customer service for every card of a customer who was anonymised.
    """

    account_number: Key
    reason: Reason


class Replacement(Wire):
    """The number that shall lead to the account."""

    new_number: Key


class ReplaceNumber(Replacement):
    """`points.replace_number.v1`: what arrives under `new_number` goes on to this account from now on."""

    account_number: Key


class BookDue(Wire):
    """`points.book_due.v1`: book what is due on the account, and nothing else; sent by the sweep.

    With `thresholds`, what is left of those that a command has reached more often than it may book at once.
    """

    thresholds: StrictBool = False


class AccountOpened(Published):
    """`points.account_opened.v1`: the number's first credit opened an account without an owner."""

    type: Literal["points.account_opened.v1"] = "points.account_opened.v1"
    account: str
    account_number: str
    booked_at: Instant


class AccountStateChanged(Published):
    """`points.account_state_changed.v1`: the account may do something else from now on; `final` means for good."""

    type: Literal["points.account_state_changed.v1"] = "points.account_state_changed.v1"
    account: str
    account_number: str
    from_: Annotated[str, Field(alias="from")]
    to: str
    reason: str
    final: bool | None = None
    booked_at: Instant


class AccountClosing(Published):
    """`points.account_closing.v1`: the account takes nothing new; it is closed when what is open on it has ended."""

    type: Literal["points.account_closing.v1"] = "points.account_closing.v1"
    account: str
    account_number: str
    reason: str
    booked_at: Instant


class NumberAdded(Published):
    """`points.number_added.v1`: the account has one more number, under which commands are forwarded to it."""

    type: Literal["points.number_added.v1"] = "points.number_added.v1"
    account: str
    account_number: str
    number: str
    booked_at: Instant


class AccountForwarded(Published):
    """`points.account_forwarded.v1`: this number's own account never opens: it leads to another."""

    type: Literal["points.account_forwarded.v1"] = "points.account_forwarded.v1"
    account: str
    account_number: str
    forwards_to: str
    booked_at: Instant


AccountLife = AccountOpened | AccountStateChanged | AccountClosing | NumberAdded | AccountForwarded


class DatedAmount(Published):
    """An amount that something happens to at an instant; no instant means never."""

    at: Instant | None
    amount: int


class BalanceView(Published):
    """One programme of an account. `balance` is what may be spent; the counters run over its whole life.

    `pending` waits for orders to be fulfilled; `debt` was revoked beyond what was there; `held` is set aside for
    transactions that are open. The identities of rules 4.1.7: balance = what is active - debt = booked - held; booked =
    earned + adjusted up + given back - redeemed - expired - adjusted down - revoked.
    """

    programme: str
    scale: int
    balance: int
    booked: int
    pending: int
    debt: int
    held: int
    earned: int
    redeemed: int
    expired: int
    adjusted_up: int
    adjusted_down: int
    revoked: int
    given_back: int
    expiring: tuple[DatedAmount, ...]
    scheduled: tuple[DatedAmount, ...]
    account_expires_at: Instant | None


class AccountView(Published):
    """`points.account.v1` on `points.snapshots`: an account with all its programmes.

    `numbers` are those that lead here besides the account's own. An account that only leads to another has its id
    in `forwards_to`, and nothing else.
    """

    account: str
    account_number: str
    state: AccountState
    numbers: tuple[str, ...]
    forwards_to: str | None
    sequence: int
    balances: tuple[BalanceView, ...]
    tiers: tuple[TierStanding, ...]
    booked_at: Instant
