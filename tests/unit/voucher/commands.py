"""Commands of the voucher service, with what the specs have in common filled in."""

from datetime import datetime
from typing import Any

from schemas.vouchers import (
    CancelVouchers,
    ExecuteVouchers,
    IssueThresholdVouchers,
    IssueVoucher,
    ReverseVouchers,
    VoucherDefinition,
)
from shared.decider import Document
from tests.unit.voucher.world import ACCOUNT, DAY, NUMBER, OTHER_NUMBER, REVERSAL, T0, TRANSACTION


def bought(serial: str, code: str = "OWN", operation: int = 0, **more: Any) -> Document:
    return {
        "operation": operation,
        "pointer": f"/bought/{operation}",
        "programme": "LOY",
        "voucherId": code,
        "serialId": serial,
        "cost": 500,
        "unit": "EUR",
        "scale": 0,
        **more,
    }


def used(serial: str, programme: str | None = "LOY", operation: int = 0, **more: Any) -> Document:
    return {
        "operation": operation,
        "pointer": f"/used/{operation}",
        "programme": programme,
        "serialId": serial,
        **more,
    }


def executing(
    *operations: Document,
    transaction: str = TRANSACTION,
    account: str = ACCOUNT,
    deadline: datetime = T0 + DAY,
    aliases: tuple[str, ...] = (),
) -> ExecuteVouchers:
    """A transaction of what :func:`bought` and :func:`used` give."""
    return ExecuteVouchers.model_validate(
        {
            "transactionId": transaction,
            "account": account,
            "accountNumber": NUMBER,
            "aliases": aliases,
            "deadline": deadline,
            "purchases": [each for each in operations if "cost" in each],
            "redemptions": [each for each in operations if "cost" not in each],
            "source": {"shop": "Webshop"},
        }
    )


def cancelling(transaction: str = TRANSACTION, account: str = ACCOUNT) -> CancelVouchers:
    return CancelVouchers(transaction_id=transaction, account=account)


def reversing(
    redeemed: tuple[str, ...] = (),
    purchased: tuple[str, ...] = (),
    reversal: str = REVERSAL,
    transaction: str = TRANSACTION,
    grace_days: int = 30,
) -> ReverseVouchers:
    """A reversal of redemptions and purchases, by their serials."""
    return ReverseVouchers.model_validate(
        {
            "reversalId": reversal,
            "transactionId": transaction,
            "account": ACCOUNT,
            "accountNumber": NUMBER,
            "redemptions": [
                {"operation": at, "pointer": f"/redeemed/{at}", "serialId": serial, "graceDays": grace_days}
                for at, serial in enumerate(redeemed)
            ],
            "purchases": [
                {"operation": at, "pointer": f"/purchased/{at}", "serialId": serial}
                for at, serial in enumerate(purchased)
            ],
            "reason": "sent back",
        }
    )


def issuing(serial: str, code: str = "OWN", account: str | None = ACCOUNT, **more: Any) -> IssueVoucher:
    """By hand, to the account, or with None to bearer."""
    number = None if account is None else NUMBER if account == ACCOUNT else OTHER_NUMBER
    fields = {"voucherId": code, "serialId": serial, "account": account, "accountNumber": number, "reason": "hand"}
    return IssueVoucher.model_validate({**fields, **more})


def threshold(*vouchers: tuple[str, str], definitions: tuple[VoucherDefinition, ...] = ()) -> IssueThresholdVouchers:
    """What a threshold of LOY has deducted for: serials and codes."""
    return IssueThresholdVouchers.model_validate(
        {
            "transactionId": TRANSACTION,
            "account": ACCOUNT,
            "accountNumber": NUMBER,
            "vouchers": [
                {
                    "operation": at,
                    "programme": "LOY",
                    "voucherId": code,
                    "serialId": serial,
                    "cost": 2500,
                    "scale": 0,
                    "unit": "points",
                }
                for at, (serial, code) in enumerate(vouchers)
            ],
            "definitions": definitions,
        }
    )
