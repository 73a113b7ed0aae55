"""What an export has in each row: names, types and meaning, the same in every format."""

from enum import StrEnum
from typing import NamedTuple

AMOUNT_DIGITS = 20
AMOUNT_SCALE = 2
"""Amounts are in whole units, points or money; no programme has more decimals."""


class Type(StrEnum):
    """How a value is typed: in Parquet string, int64, decimal128(20, 2) and timestamp[ms, UTC]."""

    TEXT = "text"
    INTEGER = "integer"
    AMOUNT = "amount"
    TIME = "time"


class Column(NamedTuple):
    """One column; what is missing is null, and in CSV empty."""

    name: str
    type: Type
    description: str


CHANGES = (
    Column("account", Type.TEXT, "The account's id, the key of `points.changes`."),
    Column("sequence", Type.INTEGER, "The change's number in its account: 1, 2, 3, …; with `account` it is unique."),
    Column("account_number", Type.TEXT, "The number with which the account was opened."),
    Column("programme", Type.TEXT, "The programme's id."),
    Column("programme_version", Type.INTEGER, "The version of the programme's rules that was used."),
    Column("unit", Type.TEXT, "The unit of the amounts: `points`, or an ISO 4217 currency."),
    Column("kind", Type.TEXT, "The kind of change: load, redeem, expire, …; more may be added."),
    Column("delta", Type.AMOUNT, "The amount added to the booked balance."),
    Column("pending_delta", Type.AMOUNT, "The amount added to the pending balance."),
    Column("booked", Type.AMOUNT, "The booked balance of the programme after this change."),
    Column("pending", Type.AMOUNT, "The pending balance of the programme after this change."),
    Column("transaction_id", Type.TEXT, "The transaction, correction or reversal that it belongs to."),
    Column(
        "operation", Type.INTEGER, "Its index in the transaction; -1 for what became due by itself, such as an expiry."
    ),
    Column("order", Type.TEXT, "The order number; unique together with `shop` if each shop numbers its own orders."),
    Column("receipt", Type.TEXT, "The receipt number."),
    Column("shop", Type.TEXT, "The shop."),
    Column("till", Type.TEXT, "The till."),
    Column("operator", Type.TEXT, "The operator at the till."),
    Column("reason", Type.TEXT, "The reason of a correction or reversal."),
    Column("occurred_at", Type.TIME, "When it happened, according to the caller or the rules."),
    Column("booked_at", Type.TIME, "When it was booked."),
)

BALANCES = (
    Column("account", Type.TEXT, "The account's id."),
    Column("account_number", Type.TEXT, "The number with which the account was opened."),
    Column("state", Type.TEXT, "active, spending_blocked, suspended or closed."),
    Column("programme", Type.TEXT, "The programme's id; with `account` it is unique."),
    Column("unit", Type.TEXT, "The unit of the amounts: `points`, or an ISO 4217 currency."),
    Column("balance", Type.AMOUNT, "The spendable balance: booked, without held amounts."),
    Column("booked", Type.AMOUNT, "The sum of all changes."),
    Column("pending", Type.AMOUNT, "The amount that becomes spendable when its orders are delivered."),
    Column("debt", Type.AMOUNT, "The amount that was taken back after it had been spent."),
    Column("held", Type.AMOUNT, "The amount held by open transactions."),
    Column("earned", Type.AMOUNT, "The total that ever became active."),
    Column("redeemed", Type.AMOUNT, "The total that was ever spent."),
    Column("expired", Type.AMOUNT, "The total that ever expired."),
    Column("expires_next_at", Type.TIME, "When the first points expire."),
    Column("expires_next", Type.AMOUNT, "How many points expire then."),
    Column("sequence", Type.INTEGER, "The sequence of the account's last change."),
    Column("booked_at", Type.TIME, "When the last change of the account was booked."),
)
