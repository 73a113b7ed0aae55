"""Commands that the services send on their own: an account joins another, a receipt is freed (rules 4.1.2, 4.1.10).

Whole stories of them are in `test_joining` and `test_earning_once`; these are their specs, one by one.
"""

from datetime import timedelta

from schemas.accounts import AccountForwarded
from schemas.joining import AccountJoining, JoinAccount, JoinedBalance, JoinedLot, ReplaceCard, TakeOver
from schemas.movements import Scheduled, Transferred, Unscheduled
from schemas.orders import OrderAwardRestored
from schemas.points import Pended, PointsRefusal
from schemas.receipts import FreeReceipt, ReceiptFreed, ReceiptLoaded
from shared.decider import Forwarded
from tests.unit.points.holding_world import BUY, SELLS
from tests.unit.points.order_world import COMMON, ORD, after, moved, place, settled
from tests.unit.points.test_accounts import HUNDRED, NEW, NEW_ACCOUNT, added, led
from tests.unit.points.world import (
    ACCOUNT,
    COMMAND_ID,
    DAY,
    EARLIER,
    EARLIER_ID,
    LOY,
    NUMBER,
    T0,
    adjust,
    booked,
    does,
    given,
    loaded,
    lot,
    opened,
    transaction,
)

JOIN = JoinAccount(account_number=NUMBER, to=NEW_ACCOUNT)
CARD = ReplaceCard(account_number=NUMBER, new_number=NEW)
GONE = AccountForwarded(account=ACCOUNT, account_number=NUMBER, forwards_to=NEW_ACCOUNT, booked_at=T0)
JOINED = {"operation": -1, "reason": "number_replaced"}
LATER = T0 + 5 * DAY


# ── joining accounts ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_account_gives_all_that_it_has_and_leads_to_the_other() -> None:
    world = given(*HUNDRED).when(adjust(7, activeFrom=LATER.isoformat()), T0 - timedelta(hours=1)).world
    when = world.when(JOIN)
    when.then(
        booked(Transferred, lot(1, 100), sequence=2, delta=-100, booked=0, **JOINED),
        booked(Unscheduled, lot(2, 7, active_from=LATER), amount=7, **JOINED),
        GONE,
    )
    (taking,) = when.accepted.follow_ups
    lots = (JoinedLot(amount=100), JoinedLot(amount=7, active_from=LATER))
    balance = JoinedBalance(programme="LOY", lots=lots)
    assert taking.subject == NEW_ACCOUNT
    assert TakeOver.model_validate(taking.payload) == TakeOver(account_number=NUMBER, balances=(balance,))


def test_an_account_with_an_open_transaction_joins_at_its_end() -> None:
    rich = given(SELLS, opened(), loaded(1, 60, lot(1, 60), programme="SELLS", **EARLIER))
    held = rich.when(transaction(does("SELLS", purchases=[BUY])), command_id=EARLIER_ID).world
    waiting = held.when(JOIN)
    waiting.then(AccountJoining(account=ACCOUNT, account_number=NUMBER, to=NEW_ACCOUNT, booked_at=T0))
    waiting.world.when(JOIN).then()


def test_an_account_that_leads_elsewhere_by_now_gives_nothing() -> None:
    given(*HUNDRED).when(JOIN).world.when(JOIN).then()


def test_what_an_account_has_given_is_taken_over() -> None:
    lots = (JoinedLot(amount=30), JoinedLot(amount=7, active_from=LATER))
    taking = TakeOver(account_number=NEW, balances=(JoinedBalance(programme="LOY", lots=lots),))
    when = given(*HUNDRED).when(taking)
    when.then(
        added(),
        booked(Transferred, lot(1, 30), sequence=2, delta=30, booked=130, **JOINED),
        booked(Scheduled, lot(2, 7, active_from=LATER), amount=7, **JOINED),
    )
    when.world.when(TakeOver(account_number=NEW, balances=())).then()


def test_a_customers_new_card_leads_to_the_account_at_once_when_nobody_used_it() -> None:
    when = given(*HUNDRED).when(CARD)
    when.then(led(), added())
    when.world.when(CARD).then()


def test_a_customers_new_card_that_was_used_has_its_account_join() -> None:
    used = opened().model_copy(update={"account": NEW_ACCOUNT, "account_number": NEW})
    when = given(*HUNDRED, used).when(CARD)
    when.then()
    (join,) = when.accepted.follow_ups
    assert (join.subject, JoinAccount.model_validate(join.payload)) == (
        NEW_ACCOUNT,
        JoinAccount(account_number=NEW, to=ACCOUNT),
    )


def test_a_card_that_is_another_accounts_is_refused() -> None:
    given(*HUNDRED).when(ReplaceCard(account_number=NUMBER, new_number=NUMBER)).refused(
        PointsRefusal.NUMBER_IN_USE, "/newNumber"
    )


def test_what_is_due_and_what_is_taken_over_follow_to_the_account() -> None:
    world = given(*HUNDRED).when(JOIN).world
    assert world.when(TakeOver(account_number=NEW, balances=())).outcome == Forwarded(NEW_ACCOUNT)


# ── freeing receipts ────────────────────────────────────────────────────────────────────────────────────────────────


def receipt(model: type[ReceiptLoaded | ReceiptFreed], transaction_id: str) -> ReceiptLoaded | ReceiptFreed:
    fields = {"receipt": "W-1", "account": ACCOUNT, "account_number": NUMBER, "programmes": ("ORD",)}
    return model.model_validate({**fields, "transaction_id": transaction_id, "booked_at": T0})


def free(transaction_id: str) -> FreeReceipt:
    body = {"accountNumber": NUMBER, "receipt": "W-1", "transactionId": transaction_id, "programmes": ["ORD"]}
    return FreeReceipt.model_validate(body)


def test_a_receipt_whose_load_is_gone_lets_its_order_earn() -> None:
    load = transaction(does("ORD", loads=[50]), context={"receiptNr": "W-1"})
    world = given(ORD).when(load, command_id=COMMAND_ID).world
    freed = after(place(60), start=world).when(free(COMMAND_ID))
    freed.then(
        receipt(ReceiptFreed, COMMAND_ID),
        OrderAwardRestored(**COMMON, programme="ORD", awarded=60),
        moved(Pended, 2, 0, 60, 50, 60),
        settled(0, 0, 0),
    )
    freed.world.when(free(COMMAND_ID)).then()


def test_a_receipt_without_its_order_is_only_freed() -> None:
    given(ORD, LOY, receipt(ReceiptLoaded, EARLIER_ID)).when(free(EARLIER_ID)).then(receipt(ReceiptFreed, EARLIER_ID))
