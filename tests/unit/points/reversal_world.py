"""What the tests of reversals over vouchers share: a transaction that does everything, what is asked, and answers."""

from typing import Any

from schemas.points import CloseReversal, Reverse
from services.points.streams import reversals_stream
from shared.ids import closing_id
from tests.unit.points.holding_world import SERIAL, closed, everything, rich
from tests.unit.points.world import ACCOUNT, COMMAND_ID, NUMBER, STORE, T0, Given, When

REVERSAL = "the reversal"
STREAM = reversals_stream(STORE, COMMAND_ID)
BOUGHT: dict[str, Any] = {"operation": 2, "serialId": "bought", "voucherId": "V"}
USED = {"operation": 3, **SERIAL, "voucherId": "W", "programme": "SELLS"}
VOIDED = {"operation": 4, "serialId": "9", "voucherId": "W"}
DONE: dict[str, Any] = {
    "issued": [{**BOUGHT, "validFrom": T0, "state": "redeemed"}],
    "redeemed": [BOUGHT, USED],
    "voided": [VOIDED],
}


def reverse(*operations: dict[str, Any], **more: Any) -> Reverse:
    fields = {"accountNumber": NUMBER, "transactionId": COMMAND_ID, "operations": operations, "reason": "wrong card"}
    return Reverse.model_validate({**fields, **more})


def asked(world: Given, *operations: dict[str, Any], **more: Any) -> When:
    return world.when(reverse(*operations, **more), command_id=REVERSAL)


def answered(world: Given, decision: str = "executed", reversal: str = REVERSAL, **more: Any) -> When:
    body = {"account": ACCOUNT, "transactionId": COMMAND_ID, "reversalId": reversal, "decision": decision, **more}
    return world.when(CloseReversal.model_validate(body), command_id=closing_id(reversal))


def executed() -> Given:
    """Everything, executed: in processing order load 10, redeem 20, buy for 50, redeem a voucher, void another."""
    return closed(rich().when(everything()), "executed", **DONE).world
