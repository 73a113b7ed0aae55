"""Joining the account that a new card's number has opened to the account that the number leads to (rules 4.1.2).

Each account's movements are booked by its own commands, in its own partition: the one account gives, a command that
follows has the other take. Amounts are integers in the programme's smallest unit.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.accounts import ReplaceNumber
from schemas.base import Instant, Published, Wire
from schemas.text import KnownKey

JOIN_ACCOUNT = "points.join_account.v1"
TAKE_OVER = "points.take_over.v1"

_Minor = Annotated[int, Field(ge=0, strict=True)]


class ReplaceCard(ReplaceNumber):
    """`points.replace_card.v1`: the same for a customer's new card; what was booked under it before joins the account.

    Sent by the customer service, which knows that the number is nobody else's.
    """


class JoinAccount(Wire):
    """`points.join_account.v1`: give all that the account has to the account `to`, once nothing on it is open."""

    account_number: KnownKey
    to: KnownKey


class JoinedLot(Wire):
    """A lot as it was."""

    amount: _Minor
    expires_at: Instant | None = None
    active_from: Instant | None = None
    restriction: str | None = None
    campaign: str | None = None


class JoinedBalance(Wire):
    """What an account had in one programme; `spent` is money, for tiers by spend."""

    programme: KnownKey
    lots: tuple[JoinedLot, ...] = ()
    pending: _Minor = 0
    debt: _Minor = 0
    spent: _Minor = 0
    account_expires_at: Instant | None = None


class TakeOver(Wire):
    """`points.take_over.v1`: book what another account has given; never refused."""

    account_number: KnownKey
    balances: tuple[JoinedBalance, ...]


class AccountJoining(Published):
    """`points.account_joining.v1`: the account gives all that it has to `to`, when what is open on it has ended."""

    type: Literal["points.account_joining.v1"] = "points.account_joining.v1"
    account: str
    account_number: str
    to: str
    booked_at: Instant


COMMANDS: dict[str, type[Wire]] = {
    "points.replace_card.v1": ReplaceCard,
    JOIN_ACCOUNT: JoinAccount,
    TAKE_OVER: TakeOver,
}
REJECTIONS = dict.fromkeys(COMMANDS, "points.account_rejected.v1")
