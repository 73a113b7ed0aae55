"""Reversing a transaction: all of it, some operations, or parts of them, each undone at most once (rules 4.1.13).

What it did with vouchers and gift cards is undone by their services, which may refuse it. Such a reversal is held until
then: nothing is booked, and no other reversal of the same transaction begins.
"""

from collections.abc import Iterable
from dataclasses import replace

from schemas.giftcard_saga import PaidCard
from schemas.holds import HoldEnded, HoldPlaced
from schemas.points import Reverse
from schemas.refusals import PointsRefusal
from schemas.reversals import ReversalEvent, ReversalHeld, ReversalReleased, Reversed, ReversedAmount
from schemas.voucher_saga import (
    CloseReversal,
    Decision,
    ReturnedVoucher,
    ReverseVouchers,
    TakenBackVoucher,
    VoucherDone,
)
from services.points import credits as rules_of
from services.points import parties
from services.points.booking import Booking
from services.points.closing import closed, desk_of, mark, too_many_open, too_much_held
from services.points.desk import Outcome, States, accepted, desk, opened, own_accounts
from services.points.earning_once import freeing, loaded_for
from services.points.originals import Originals, Undo, originals_of, undos_of, wanted
from services.points.reversals import Reversals, evolve_reversals
from services.points.state import Catalogue, Event, ProgrammeRules
from services.points.streams import account_stream, catalogue_stream, reversals_stream
from services.points.undo import credited_too_much, given_back, undo_all
from shared.decider import Accepted, Command, Document, Entry, Rejected, Streams, entry_key
from shared.ids import closing_id, derived_id


def reversal_streams(command: Command, payload: Reverse) -> Streams:
    """The account, what was undone before, and what the original booked; it may have been forwarded to the account."""
    store, named = command.store, payload.transaction_id
    writes = (account_stream(store, command.subject), *(reversals_stream(store, it) for it in _ids(named)))
    ids = _ids(named)
    return Streams(writes, (catalogue_stream(store),), (*ids, *map(closing_id, ids)))


def closing_reversal_streams(command: Command, payload: CloseReversal) -> Streams:
    """The account, what was undone before, and what the original booked; and the entry that says who waits."""
    store, named = command.store, payload.transaction_id
    writes = (account_stream(store, command.subject), reversals_stream(store, named))
    return Streams(writes, (catalogue_stream(store),), (named, closing_id(named), payload.reversal_id))


def reverse(command: Command, payload: Reverse, states: States) -> Outcome:
    """Decide a reversal: the operations in the opposite order of the original's."""
    booking = desk(command, payload.account_number, states, payload.context)
    if not isinstance(booking, Booking):
        return booking
    originals = _originals(booking, _ids(payload.transaction_id), states, payload.only_by)
    if isinstance(originals, Rejected):
        return opened(booking) or originals
    reversals = _reversals(command, originals.id, states)
    if reversals.held is not None:
        detail = "another reversal of the transaction is open"
        return Rejected(PointsRefusal.TRANSACTION_OPEN, detail, "/transactionId")
    undos = wanted(payload, originals, reversals)
    if isinstance(undos, Rejected):
        return undos
    if refused := credited_too_much(booking, undos):
        return refused
    if any(undo.original.is_elsewhere for undo in undos):
        return _hold(booking, reversals, undos, payload)
    undo_all(booking, undos, payload.reason)
    event = _reversed(booking, originals.id, _amounts(undos), payload.reason)
    return _booked(booking, reversals, event, originals, payload.context.comment)


def close_reversal(command: Command, payload: CloseReversal, states: States) -> Outcome:
    """Book what was held, or nothing of it, as was decided; nothing is questioned any more."""
    reversals = _reversals(command, payload.transaction_id, states)
    held = reversals.held
    if held is None or held.reversal_id != payload.reversal_id or held.account != command.subject:
        return Rejected(PointsRefusal.TRANSACTION_UNKNOWN, "no such reversal is open", "/reversalId")
    booking = desk_of(command, held, states)
    originals = _originals(booking, (held.transaction_id,), states)
    if isinstance(originals, Rejected):
        raise ValueError(f"{held.transaction_id} is held to be reversed, and is not there")
    if payload.decision is Decision.EXECUTED:
        undo_all(booking, undos_of(held.operations, originals, reversals), held.reason)
        elsewhere = (payload.restored, payload.voided, held.cards)
        event: ReversalEvent = _reversed(booking, held.transaction_id, held.operations, held.reason, *elsewhere)
    else:
        event = ReversalReleased(
            transaction_id=held.transaction_id,
            reversal_id=held.reversal_id,
            account=command.subject,
            code=payload.code or "",
            booked_at=command.now,
        )
    mark(booking, HoldEnded, held.reversal_id)
    booked = _booked(booking, reversals, event, originals)
    booked = replace(booked, follow_ups=(*booked.follow_ups, *parties.settle(held, payload.decision)))
    return closed(booked, held.reversal_id, payload)


def _hold(booking: Booking, reversals: Reversals, undos: list[Undo], payload: Reverse) -> Outcome:
    """Ask vouchers and gift cards for their part; points wait for it, however long that takes."""
    command, account = booking.command, booking.account
    if refused := too_many_open(account) or too_much_held(given_back(undos), "/operations"):
        return refused
    held = ReversalHeld(
        transaction_id=reversals.id,
        reversal_id=command.id,
        account=account.account,
        account_number=booking.account_number,
        operations=_amounts(undos),
        cards=tuple(each.original.card for each in undos if each.original.card is not None) or None,
        reason=payload.reason,
        source=booking.source,
        occurred_at=booking.occurred_at,
        booked_at=command.now,
    )
    mark(booking, HoldPlaced, command.id)
    stream = reversals_stream(command.store, reversals.id)
    booking.events.append((stream, held))
    follow_up = parties.undo(held, _vouchers(held, undos, booking.catalogue), undos, payload.context.comment)
    states = {booking.stream: booking.account, stream: evolve_reversals(reversals, held)}
    return Accepted(tuple(booking.events), {}, (follow_up,), payload.context.comment, states, held=True)


def _vouchers(held: ReversalHeld, undos: list[Undo], catalogue: Catalogue) -> ReverseVouchers:
    """The voucher service's part of it."""
    redemptions: list[ReturnedVoucher] = []
    purchases: list[TakenBackVoucher] = []
    for operation, pointer, original in ((undo.operation, undo.pointer, undo.original) for undo in undos):
        voucher = original.voucher
        if voucher is None:
            continue
        if original.booked is not None:
            purchases.append(TakenBackVoucher(operation=operation, pointer=pointer, serial_id=voucher.serial_id))
            continue
        rules = catalogue.programmes.get(voucher.programme or "")
        returned = ReturnedVoucher(operation=operation, pointer=pointer, serial_id=voucher.serial_id)
        if rules is not None:
            returned = returned.model_copy(update={"grace_days": rules_of.declared(rules).reversal_grace_days})
        redemptions.append(returned)
    return ReverseVouchers(
        reversal_id=held.reversal_id,
        transaction_id=held.transaction_id,
        account=held.account,
        account_number=held.account_number,
        redemptions=tuple(redemptions),
        purchases=tuple(purchases),
        reason=held.reason,
        source=held.source,
        occurred_at=held.occurred_at,
    )


def _reversed(
    booking: Booking,
    transaction: str,
    amounts: tuple[ReversedAmount, ...],
    reason: str,
    restored: tuple[VoucherDone, ...] = (),
    voided: tuple[VoucherDone, ...] = (),
    cards: tuple[PaidCard, ...] | None = None,
) -> Reversed:
    return Reversed(
        transaction_id=transaction,
        reversal_id=booking.transaction_id or booking.command.id,
        account=booking.account.account,
        operations=amounts,
        restored=restored,
        voided=voided,
        cards=cards,
        reason=reason,
        booked_at=booking.command.now,
    )


def _booked(
    booking: Booking, reversals: Reversals, event: ReversalEvent, originals: Originals, memo: str | None = None
) -> Accepted[Event]:
    """The event that ends it on its stream, and what the reversal answers.

    Where the last of the transaction's loads is undone, its receipt is free again.
    """
    stream = reversals_stream(booking.command.store, reversals.id)
    booking.events.append((stream, event))
    more: Document = {}
    programmes: list[ProgrammeRules] = []
    if isinstance(event, Reversed):
        named = dict.fromkeys(each.programme for each in event.operations)
        programmes = [booking.catalogue.programmes[name] for name in named]
        more = {
            name: [each.model_dump(mode="json", by_alias=True) for each in done]
            for name, done in (
                ("reversed", event.operations),
                ("restoredVouchers", event.restored),
                ("voidedVouchers", event.voided),
            )
        }
        if event.cards:
            more["giftcards"] = [each.model_dump(mode="json", by_alias=True, exclude_none=True) for each in event.cards]
    after = evolve_reversals(reversals, event)
    done = originals.loads_left(reversals.undone) - originals.loads_left(after.undone)
    booked = accepted(booking, programmes, memo, more, {stream: after})
    return replace(booked, follow_ups=(*booked.follow_ups, *freeing(originals.receipt, done)))


def _amounts(undos: Iterable[Undo]) -> tuple[ReversedAmount, ...]:
    """What is undone on the account; what other services alone are concerned with is none of it."""
    return tuple(
        ReversedAmount(operation=undo.operation, programme=undo.original.booked.programme, amount=undo.amount)
        for undo in undos
        if undo.original.booked is not None
    )


def _ids(named: str) -> tuple[str, str]:
    """A caller may know a transaction by the id that it had before it was forwarded."""
    return named, derived_id("follow-up", named, 0)


def _originals(
    booking: Booking, ids: Iterable[str], states: States, only_by: str | None = None
) -> Originals | Rejected:
    """The accepted entry that booked on this account, under one of `ids`; with `only_by`, of a command sent by that.

    What a transaction that was held has booked stands in the entry that closed it; who sent it stands in its own.
    """
    own = {account_stream(booking.command.store, account) for account in own_accounts(booking)}
    for command_id in ids:
        entry: Entry | None = states[entry_key(command_id)]
        loaded = loaded_for(entry)
        streams = {stream for stream, _ in entry.events} & own if entry is not None else set()
        if entry is None or not streams:
            continue
        if only_by not in (None, entry.actor):
            detail = "the transaction was sent by another client; only an administrator may reverse it"
            return Rejected(PointsRefusal.TRANSACTION_FOREIGN, detail, "/transactionId")
        if entry.status == "held":
            closing: Entry | None = states[entry_key(closing_id(command_id))]
            if closing is None:
                return Rejected(PointsRefusal.TRANSACTION_OPEN, "the transaction is open", "/transactionId")
            entry = entry._replace(events=closing.events)
        originals = originals_of(entry, streams)._replace(receipt=loaded)
        if originals.operations:
            return originals
        detail = "the transaction booked nothing that can be reversed"
        return Rejected(PointsRefusal.NOT_REVERSIBLE, detail, "/transactionId")
    detail = "the account has no such transaction"
    return Rejected(PointsRefusal.TRANSACTION_UNKNOWN, detail, "/transactionId")


def _reversals(command: Command, transaction: str, states: States) -> Reversals:
    stream = reversals_stream(command.store, transaction)
    reversals = states[stream]
    if not isinstance(reversals, Reversals):
        raise TypeError(f"{stream} holds no reversals")
    return reversals
