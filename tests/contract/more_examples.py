"""One instance of every wire type of orders, tiers, reversals and account states; the first is the fullest."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from schemas import accounts, joining, movements, order_numbers, orders, points, receipts, tiers, waiting_inputs
from schemas.accounts import AccountState
from schemas.transaction import Context, ProgrammePart, Redemption, VoucherRedemption
from schemas.voucher_saga import VoucherDone

ACCOUNT = "0b9c7a52-3f0e-5d1c-9a70-1d6b0c1e7a11"
OTHER = "7d0c7a52-3f0e-5d1c-9a70-1d6b0c1e7a12"
NUMBER = "6299000000000000017"
COMMAND = "019ab2c4-7c1e-7d3a-8f00-3b5d1e9a7c42"
NOW = datetime(2026, 11, 22, 10, 0, 1, 123_000, UTC)
LATER = datetime(2027, 11, 22, 23, 0, tzinfo=UTC)

_ORDER: dict[str, Any] = {
    "order": "W-1",
    "currency": "EUR",
    "placed_at": NOW,
    "shop": "Webshop",
    "lines": (
        orders.OrderLine(
            line="1", quantity=Decimal("2.5"), net_amount=Decimal("82.64"), tax=Decimal("17.36"), discount=Decimal(5)
        ),
        orders.OrderLine(line="2", quantity=Decimal(1), net_amount=Decimal("4.95"), earns=False),
    ),
    "payments": (orders.Payment(kind="gift_card", amount=Decimal("10.5")),),
    "account_number": NUMBER,
}
_FACT: dict[str, Any] = {
    "account_number": NUMBER,
    "order": "W-1",
    "fact": "F-1",
    "lines": (orders.FactLine(line="1", quantity=Decimal("0.5")),),
    "revision": 2,
    "occurred_at": NOW,
    "shop": "Warehouse 3",
}
_BY_AMOUNT: dict[str, Any] = {"account_number": NUMBER, "order": "W-1", "fact": "F-2", "amount": Decimal("12.5")}
_REST: dict[str, Any] = {"account_number": NUMBER, "order": "W-1", "fact": "F-3"}
_OF_ORDER: dict[str, Any] = {"order": "W-1", "account": ACCOUNT, "account_number": NUMBER, "booked_at": NOW}
_OF_ACCOUNT: dict[str, Any] = {"account": ACCOUNT, "account_number": NUMBER, "booked_at": NOW}
_OF_RECEIPT: dict[str, Any] = {**_OF_ACCOUNT, "receipt": "W-1", "transaction_id": COMMAND, "programmes": ("LOY",)}
_PART = ProgrammePart(loyalty_point_definition_id="LOY", redemptions=(Redemption(value=Decimal(5)),))

TIER_SET = tiers.TierSet(
    id="STATUS",
    descriptions={"en": "Status"},
    programme="LOY22-BuyVouchers",
    basis="spend",
    currency="EUR",
    period=tiers.TierPeriod(rolling_months=12),
    grace_days=30,
    zone="Europe/Amsterdam",
    levels=(tiers.TierLevel(code="basic", at=Decimal(0)), tiers.TierLevel(code="gold", at=Decimal("250.5"))),
    primary=True,
)
STANDING = tiers.TierStanding(
    tier_set="STATUS",
    code="gold",
    since=NOW,
    pinned=False,
    measure=25_050,
    scale=2,
    period_ends_at=LATER,
    down_at=LATER,
    down_to="basic",
)


def _facts(*models: type[Any]) -> tuple[Any, ...]:
    return tuple(model(**fact) for model in models for fact in (_FACT, _BY_AMOUNT, _REST))


def _refused(refused: Any, *commands: str) -> dict[str, tuple[Any, ...]]:
    return {name: (refused.model_copy(update={"code": "account_closed"}),) for name in commands}


INPUTS: dict[str, tuple[Any, ...]] = {
    "order.placed.v1": (
        orders.OrderPlacement(
            **_ORDER,
            revision=1,
            loyalty_programs=(_PART,),
            voucher_redemptions=(VoucherRedemption(serial_id="6299000000000000025"),),
        ),
    ),
    "order.amended.v1": (orders.OrderAmendment(**_ORDER, revision=2),),
    "order.fulfilled.v1": _facts(orders.OrderFulfilment),
    "order.cancelled.v1": _facts(orders.OrderCancellation),
    "order.returned.v1": _facts(orders.OrderReturn),
    "points.place_order.v1": (orders.PlaceOrder(**_ORDER, revision=3),),
    "points.fulfil_order.v1": _facts(orders.FulfilOrder),
    "points.cancel_order.v1": _facts(orders.CancelOrder),
    "points.return_order.v1": _facts(orders.ReturnOrder),
    "points.report_order.v1": (orders.ReportOrder(order="W-1"), orders.ReportOrder(order="W-1", shop="Shop 7")),
    "points.close_account.v1": (accounts.CloseAccount(account_number=NUMBER, reason="customer_anonymised"),),
    "points.replace_card.v1": (joining.ReplaceCard(account_number=NUMBER, new_number="6299000000000000025"),),
    joining.JOIN_ACCOUNT: (joining.JoinAccount(account_number=NUMBER, to=OTHER),),
    joining.TAKE_OVER: (
        joining.TakeOver(
            account_number=NUMBER,
            balances=(
                joining.JoinedBalance(
                    programme="LOY",
                    lots=(
                        joining.JoinedLot(amount=5, expires_at=LATER, active_from=NOW, restriction="r", campaign="c"),
                        joining.JoinedLot(amount=7),
                    ),
                    pending=1,
                    debt=2,
                    spent=3,
                    account_expires_at=LATER,
                ),
                joining.JoinedBalance(programme="DATED"),
            ),
        ),
    ),
    receipts.FREE_RECEIPT: (
        receipts.FreeReceipt(account_number=NUMBER, receipt="W-1", transaction_id=COMMAND, programmes=("LOY",)),
        receipts.FreeReceipt(
            account_number=NUMBER, receipt="W-1", transaction_id=COMMAND, programmes=("LOY",), shop="Shop 7"
        ),
    ),
    "points.book_due.v1": (points.BookDue(),),
    "points.reverse.v1": (
        points.Reverse(
            account_number=NUMBER,
            transaction_id=COMMAND,
            operations=(points.ReversedOperation(operation=0, value=Decimal("2.5")),),
            reason="wrong card",
            context=Context(shop_id="Shop 7"),
        ),
        points.Reverse(account_number=NUMBER, transaction_id=COMMAND, reason="wrong card"),
    ),
    "points.set_account_state.v1": (
        points.SetAccountState(account_number=NUMBER, state=AccountState.SUSPENDED, reason="stolen"),
    ),
    "points.replace_number.v1": (points.ReplaceNumber(account_number=NUMBER, new_number="6299000000000000025"),),
    "points.pin_tier.v1": (
        tiers.PinTier(account_number=NUMBER, tier_set="STATUS", code="gold", reason="staff"),
        tiers.PinTier(account_number=NUMBER, tier_set="STATUS", reason="left"),
    ),
    "points.put_tier_set.v1": (tiers.PutTierSet(tier_set=TIER_SET),),
    "points.put_account_numbers.v1": (waiting_inputs.PutAccountNumbers(patterns=("[0-9]{19}", "T-.*")),),
    "points.put_order_numbers.v1": (order_numbers.PutOrderNumbers(unique_per="shop"),),
    "points.know_number.v1": (waiting_inputs.KnowNumber(account_number=OTHER),),
    "points.release_inputs.v1": (waiting_inputs.ReleaseInputs(account_number=OTHER, commands=(OTHER,)),),
}


_PER_SHOP = order_numbers.OrderNumbersApplied(unique_per="shop", version=1, booked_at=NOW)


def events(booking: dict[str, Any], movement: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """The events, from the fields that every booking and every movement has."""
    return {
        "points.unscheduled.v1": (movements.Unscheduled(**booking, amount=1000),),
        "points.expiring_soon.v1": (movements.ExpiringSoon(**booking, amount=1000, expires_at=LATER),),
        "points.spend_counted.v1": (movements.SpendCounted(**booking, amount=-250, currency="EUR"),),
        "points.pended.v1": (movements.Pended(**movement),),
        "points.deactivated.v1": (movements.Deactivated(**movement),),
        "points.dropped.v1": (movements.Dropped(**movement),),
        "points.transferred.v1": (movements.Transferred(**movement),),
        "points.revoked.v1": (movements.Revoked(**{**movement, "debt_delta": 5}),),
        "points.given_back.v1": (movements.GivenBack(**movement),),
        "points.account_state_changed.v1": (
            points.AccountStateChanged(
                **_OF_ACCOUNT, from_="active", to="closed", reason="customer_anonymised", final=True
            ),
            points.AccountStateChanged(**_OF_ACCOUNT, from_="active", to="suspended", reason="stolen"),
        ),
        "points.account_joining.v1": (joining.AccountJoining(**_OF_ACCOUNT, to=OTHER),),
        "points.account_closing.v1": (accounts.AccountClosing(**_OF_ACCOUNT, reason="customer_anonymised"),),
        "points.number_added.v1": (points.NumberAdded(**_OF_ACCOUNT, number="6299000000000000025"),),
        "points.account_forwarded.v1": (points.AccountForwarded(**_OF_ACCOUNT, forwards_to=OTHER),),
        "points.account_numbers_applied.v1": (
            waiting_inputs.AccountNumbersApplied(patterns=("[0-9]{19}",), version=1, booked_at=NOW),
        ),
        "points.order_numbers_applied.v1": (_PER_SHOP,),
        "points.account_unknown.v1": (
            waiting_inputs.AccountUnknown(
                **_OF_ACCOUNT, command_id=OTHER, command="points.fulfil_order.v1", input='{"order":"12345"}'
            ),
        ),
        "points.number_known.v1": (waiting_inputs.NumberKnown(**_OF_ACCOUNT),),
        "points.inputs_released.v1": (waiting_inputs.InputsReleased(**_OF_ACCOUNT, commands=(OTHER,)),),
        "points.tier_set_applied.v1": (points.TierSetApplied(tier_set=TIER_SET, version=2, booked_at=NOW),),
        "points.tier_period_started.v1": (
            tiers.TierPeriodStarted(
                **_OF_ACCOUNT,
                tier_set="STATUS",
                version=2,
                programme="LOY22-BuyVouchers",
                basis="spend",
                scale=2,
                anchor=NOW,
                bases=(0, 10, 25_050),
                floor="basic",
                ends_at=LATER,
                down_at=LATER,
                down_to="basic",
            ),
        ),
        "points.tier_changed.v1": (
            tiers.TierChanged(
                **_OF_ACCOUNT, tier_set="STATUS", from_="basic", to="gold", reason="earned", occurred_at=NOW
            ),
        ),
        "points.reversed.v1": (
            points.Reversed(
                transaction_id=COMMAND,
                reversal_id="0199d2a5-7c00-7000-8000-0000000000aa",
                restored=(VoucherDone(operation=3, serial_id="6299000000000000041", voucher_id="TEA"),),
                voided=(VoucherDone(operation=2, serial_id="6299000000000000033", voucher_id="COFFEE"),),
                account=ACCOUNT,
                operations=(points.ReversedAmount(operation=0, programme="LOY", amount=5),),
                reason="wrong card",
                booked_at=NOW,
            ),
        ),
        **_of_orders(),
    }


def _of_orders() -> dict[str, tuple[Any, ...]]:
    return {
        "points.order_placed.v1": (
            orders.OrderPlaced(
                **_OF_ORDER,
                revision=2,
                digest="0" * 64,
                currency="EUR",
                eligible=9_500,
                lines=(orders.LineEligible(line="1", quantity="2.5", eligible=9_500),),
                awards=(orders.Award(programme="LOY", programme_version=1, scale=0, awarded=0, withheld=95),),
                shop="Webshop",
                placed_at=NOW,
            ),
        ),
        "points.order_award_refused.v1": (
            orders.OrderAwardRefused(
                **_OF_ORDER, programme="LOY", withheld=95, code="receipt_already_loaded", detail="loaded for before"
            ),
        ),
        "points.order_award_restored.v1": (orders.OrderAwardRestored(**_OF_ORDER, programme="LOY", awarded=95),),
        "points.receipt_loaded.v1": (receipts.ReceiptLoaded(**_OF_RECEIPT),),
        "points.receipt_freed.v1": (receipts.ReceiptFreed(**_OF_RECEIPT),),
        "points.order_fact_recorded.v1": (
            orders.OrderFactRecorded(
                **_OF_ORDER,
                fact="F-1",
                what="returned",
                waiting=True,
                amount="12.5",
                lines=(orders.FactQuantity(line="1", quantity="0.5"),),
                revision=2,
                shop="Webshop",
                occurred_at=NOW,
            ),
        ),
        "points.order_fact_applied.v1": (orders.OrderFactApplied(**_OF_ORDER, fact="F-1"),),
        "points.order_fact_refused.v1": (
            orders.OrderFactRefused(**_OF_ORDER, fact="F-1", code="order_exceeded", detail="too much"),
        ),
        "points.order_settled.v1": (
            orders.OrderSettled(
                **_OF_ORDER,
                entitlements=(
                    orders.Entitlement(
                        programme="LOY",
                        activated=47,
                        dropped=0,
                        revoked=3,
                        credited=(orders.Credited(expires_at=LATER, amount=47),),
                    ),
                ),
                spend=4_500,
            ),
        ),
        "points.order_unknown.v1": (orders.OrderUnknown(**_OF_ORDER, known=False, facts=("F-1",), since=NOW),),
    }


def refusals(refused: Any) -> dict[str, tuple[Any, ...]]:
    """The refusal events of the commands above."""
    return _refused(
        refused,
        "points.reversal_rejected.v1",
        "points.order_rejected.v1",
        "points.order_fact_rejected.v1",
        "points.account_rejected.v1",
        "points.tier_rejected.v1",
    )


CATALOGUE = points.CatalogueView(tier_sets=(TIER_SET,), order_programmes=("LOY",))
