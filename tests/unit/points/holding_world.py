"""What the tests of held transactions share: a programme that sells vouchers, a rich account, closings."""

from datetime import datetime
from typing import Any

from schemas.holds import (
    HoldEnded,
    HoldPlaced,
    TransactionClosed,
)
from schemas.points import CloseTransaction, PostTransaction
from services.points.streams import transaction_stream
from shared.ids import closing_id
from tests.unit.points.world import (
    ACCOUNT,
    COMMAND_ID,
    DAY,
    EARLIER,
    NUMBER,
    STORE,
    T0,
    Given,
    When,
    applied,
    does,
    given,
    loaded,
    lot,
    opened,
    programme,
    transaction,
)

SELLS = applied(programme("SELLS", purchases=[{"voucherId": "V", "price": 50}, {"voucherId": "W", "price": 5}]))
SOON, LATER = T0 + DAY, T0 + 9 * DAY
IN_SELLS: dict[str, Any] = {"programme": "SELLS"}
BUY = {"voucherId": "V"}
SERIAL = {"serialId": "6666270046419031265"}
TRANSACTION = transaction_stream(STORE, COMMAND_ID)


def rich() -> Given:
    """60 that expire soon and 40 that expire later."""
    soon, later = lot(1, 60, SOON), lot(2, 40, LATER)
    return given(
        SELLS, opened(), loaded(1, 60, soon, **IN_SELLS | EARLIER), loaded(2, 100, later, **IN_SELLS | EARLIER)
    )


def closing(decision: str, transaction_id: str = COMMAND_ID, **more: Any) -> CloseTransaction:
    return CloseTransaction.model_validate(
        {"transactionId": transaction_id, "account": ACCOUNT, "decision": decision, **more}
    )


def closed(held: When, decision: str, now: datetime = T0, **more: Any) -> When:
    return held.world.when(closing(decision, **more), now, command_id=closing_id(COMMAND_ID))


def placed(model: type[HoldPlaced | HoldEnded]) -> HoldPlaced | HoldEnded:
    return model(account=ACCOUNT, account_number=NUMBER, transaction_id=COMMAND_ID, booked_at=T0)


def ended(decision: str, code: str | None = None, **more: Any) -> TransactionClosed:
    said = {"transactionId": COMMAND_ID, "account": ACCOUNT, "decision": decision, "code": code, "bookedAt": T0}
    return TransactionClosed.model_validate({**said, **more})


def everything() -> PostTransaction:
    """In processing order: load 10, redeem 20, buy for 50, redeem one voucher of the programme and void one of none."""
    part = does("SELLS", loads=[10], redemptions=[20], purchases=[{**BUY, "use": True}], voucherRedemptions=[SERIAL])
    return transaction(part, voucherRedemptions=[{"serialId": "9", "void": True}], context={"shopId": "Webshop"})
