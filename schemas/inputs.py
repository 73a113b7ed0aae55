"""What other systems publish to us. The value of each record is the JSON body; who and when is in the headers."""

from schemas.base import Wire
from schemas.transaction import Transaction

FULFILMENTS: dict[str, type[Wire]] = {
    # The LoyaltyVault document's body, its tolerant keys included; `ce_subject` is the account number.
    "loyalty.transaction.v1": Transaction,
}
"""The types on `oms.fulfilments`."""
