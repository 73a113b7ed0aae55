"""A receipt earns once: where orders earn, by a load or by the order of that number, whichever came first (4.1.10).

Loads that are released or wholly reversed free the receipt by a command that follows, since neither closing nor
reversing a transaction can name the order before it has read what was booked.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from schemas.points import PostTransaction
from schemas.receipts import FREE_RECEIPT, FreeReceipt, ReceiptFreed, ReceiptLoaded
from services.points.booking import Booking
from services.points.desk import Outcome, States, is_own
from services.points.orders.identity import named_shop, order_stream_of
from services.points.receipts import Receipt, evolve_receipt
from services.points.state import ProgrammeRules
from services.points.streams import receipt_stream
from shared.decider import Accepted, Command, Document, Entry, FollowUp, Rejected
from shared.ids import account_id


def receipt_streams(command: Command, account_number: str, receipt: str, shop: str | None) -> tuple[str, ...]:
    """What was loaded for a receipt: of the command's account, and of the number under which it came.

    For the number alone and for the shop's, since what was loaded for the number alone counts in every shop.
    """
    accounts = dict.fromkeys((command.subject, account_id(command.store, account_number)))
    return tuple(
        receipt_stream(command.store, account, receipt, each)
        for account in accounts
        for each in dict.fromkeys((None, shop or None))
    )


def loaded_programmes(
    command: Command, account_number: str, receipt: str, shop: str | None, states: States
) -> set[str]:
    """The programmes in which the account's order of this number earns nothing."""
    streams = receipt_streams(command, account_number, receipt, shop)
    return {programme for stream in streams for programme in states[stream].loads}


def earned_programmes(booking: Booking, payload: PostTransaction, states: States) -> set[str]:
    """The programmes in which the account's order of the transaction's receipt has been promised points."""
    receipt = payload.context.receipt_nr
    if not receipt or not any(part.loads for part in payload.loyalty_programs):
        return set()
    stream = order_stream_of(booking, receipt, payload.context.shop_id, states)
    order = None if isinstance(stream, Rejected) else states[stream]
    if order is None or not is_own(booking, order.account):
        return set()
    return {award.programme for award in order.awards.values() if award.awarded}


def receipt_loaded(
    booking: Booking, payload: PostTransaction, programmes: Iterable[ProgrammeRules]
) -> ReceiptLoaded | None:
    """What is to be remembered of a transaction that loads for its receipt where orders earn; None of others."""
    receipt, command, account = payload.context.receipt_nr, booking.command, booking.account
    loading = _loading(payload, programmes)
    if not receipt or not loading:
        return None
    return ReceiptLoaded(
        receipt=receipt,
        account=account.account,
        account_number=account.account_number or booking.account_number,
        transaction_id=command.id,
        programmes=tuple(dict.fromkeys(loading)),
        booked_at=command.now,
        shop=payload.context.shop_id if booking.catalogue.order_numbers == "shop" else None,
    )


def shop_missing(booking: Booking, payload: PostTransaction, programmes: Iterable[ProgrammeRules]) -> Rejected | None:
    """`shop_required` for a load where orders earn, whose receipt may be the order of more than one shop."""
    receipt, shop = payload.context.receipt_nr, payload.context.shop_id
    if not receipt or not _loading(payload, programmes):
        return None
    return named_shop(booking, shop, "/context/shopId")


def _loading(payload: PostTransaction, programmes: Iterable[ProgrammeRules]) -> list[str]:
    """The programmes that earn from orders in which a transaction loads."""
    return [
        rules.id
        for rules, part in zip(programmes, payload.loyalty_programs, strict=True)
        if rules.programme is not None and rules.programme.earn_from == "orders" and any(it.value for it in part.loads)
    ]


def remembering(command: Command, outcome: Outcome, loaded: ReceiptLoaded | None, states: States) -> Outcome:
    """The outcome of a transaction, with what is to be remembered of it when it is accepted, or held."""
    if loaded is None or not isinstance(outcome, Accepted):
        return outcome
    stream = receipt_stream(command.store, loaded.account, loaded.receipt, loaded.shop)
    after = {**(outcome.states or {}), stream: evolve_receipt(states[stream], loaded)}
    return replace(outcome, events=(*outcome.events, (stream, loaded)), states=after)


def loaded_for(entry: Entry | None) -> ReceiptLoaded | None:
    """The receipt that a transaction loads for where orders earn, as its journal entry says."""
    events = () if entry is None else entry.events
    return next((event for _, event in events if isinstance(event, ReceiptLoaded)), None)


def freeing(loaded: ReceiptLoaded | None, programmes: Collection[str] | None = None) -> tuple[FollowUp, ...]:
    """The command that frees a receipt: in these programmes, or in all that the transaction loads for."""
    if loaded is None:
        return ()
    names = [name for name in loaded.programmes if programmes is None or name in programmes]
    payload: Document = {
        "accountNumber": loaded.account_number,
        "receipt": loaded.receipt,
        "transactionId": loaded.transaction_id,
        "programmes": names,
    }
    if loaded.shop is not None:
        payload["shop"] = loaded.shop
    return (FollowUp("points.commands", FREE_RECEIPT, loaded.account, payload),) if names else ()


def freed(command: Command, payload: FreeReceipt, receipt: Receipt) -> ReceiptFreed | None:
    """What is booked on the receipt; None when nothing is loaded for it in these programmes."""
    programmes = tuple(name for name in payload.programmes if name in receipt.loads)
    if not programmes:
        return None
    return ReceiptFreed(
        receipt=payload.receipt,
        account=account_id(command.store, payload.account_number),
        account_number=payload.account_number,
        transaction_id=payload.transaction_id,
        programmes=programmes,
        booked_at=command.now,
        shop=payload.shop,
    )
