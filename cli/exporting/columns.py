"""What an export has in each row: names, types and meaning, the same in every format."""

from enum import StrEnum
from typing import NamedTuple

AMOUNT_DIGITS, AMOUNT_SCALE = 20, 2
"""Amounts are in whole units, points or money; no programme has more decimals."""

MONEY_DIGITS, MONEY_SCALE = 22, 4
"""Money on gift cards is in whole units of any currency; none has more decimals."""


class Type(StrEnum):
    """How a value is typed: in Parquet string, int64, decimal128(20, 2), decimal128(22, 4) and timestamp[ms, UTC]."""

    TEXT = "text"
    INTEGER = "integer"
    AMOUNT = "amount"
    MONEY = "money"
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

CARD_CHANGES = (
    Column("card_id", Type.TEXT, "The card's id, the key of `giftcard.changes`."),
    Column("sequence", Type.INTEGER, "The change's number on its card: 1, 2, 3, …; with `card_id` it is unique."),
    Column("serial_number", Type.TEXT, "The card's serial number."),
    Column("card_type", Type.TEXT, "The code of the card's type."),
    Column("currency", Type.TEXT, "The ISO 4217 currency of the card."),
    Column("kind", Type.TEXT, "The kind of change: issue, activate, redeem, cancel, …; more may be added."),
    Column("old_status", Type.TEXT, "The card's status before this change; null for its first."),
    Column("new_status", Type.TEXT, "The card's status after this change."),
    Column("delta", Type.MONEY, "The amount added to the balance; below zero if it was taken."),
    Column("balance", Type.MONEY, "The balance after this change."),
    Column("expires_at", Type.TIME, "When the card expires, after this change; null: never."),
    Column("transaction_id", Type.TEXT, "The caller's transaction, or the command that booked it."),
    Column("cancels", Type.TEXT, "Of a cancel: the transaction that it has undone."),
    Column("order", Type.TEXT, "The order number."),
    Column("receipt", Type.TEXT, "The receipt number."),
    Column("shop", Type.TEXT, "The shop."),
    Column("till", Type.TEXT, "The till."),
    Column("operator", Type.TEXT, "The operator at the till."),
    Column("comment", Type.TEXT, "The comment of whoever caused it."),
    Column("reason", Type.TEXT, "The reason for voiding or refunding."),
    Column("occurred_at", Type.TIME, "When it happened, according to the caller or the rules."),
    Column("booked_at", Type.TIME, "When it was booked."),
)

CARDS = (
    Column("card_id", Type.TEXT, "The card's id."),
    Column("serial_number", Type.TEXT, "The card's serial number."),
    Column("card_type", Type.TEXT, "The code of the card's type."),
    Column("currency", Type.TEXT, "The ISO 4217 currency of the card."),
    Column("status", Type.TEXT, "created, active, redeemed, expired, void or refunded."),
    Column("balance", Type.MONEY, "What is on the card."),
    Column("expires_at", Type.TIME, "When the card expires; null: never."),
    Column("article_set_code", Type.TEXT, "The articles that it buys; null: all."),
    Column("switch_id", Type.TEXT, "The provider of its type."),
    Column("sequence", Type.INTEGER, "The sequence of the card's last change."),
    Column("changed_at", Type.TIME, "When the card's last change was booked."),
)
