"""Transactions over points, vouchers and gift cards: held here, decided by those, and closed here (rules 4.2.2).

What such a transaction takes is set aside, fragment by fragment, as if its own loads were there; the loads themselves
stay invisible. When the others have executed their part, all is booked without further checks; otherwise what was set
aside comes back. Nothing else ever ends a hold.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from schemas.giftcard_saga import HeldCard
from schemas.holds import (
    CancelHeld,
    CancelRequested,
    HeldCredit,
    HeldDebit,
    HoldEnded,
    HoldPlaced,
    TransactionClosed,
    TransactionHeld,
)
from schemas.movements import Held, Loaded, LotPart, Purchased, Redeemed, Released
from schemas.refusals import PointsRefusal
from schemas.voucher_saga import (
    BoughtVoucher,
    CloseTransaction,
    Decision,
    ExecuteVouchers,
    IssuedVoucher,
    UsedVoucher,
    VoucherDone,
)
from services.points import credits as rules_of
from services.points import parties
from services.points.booking import Booking
from services.points.closing import TIMED_OUT, closed, desk_of, mark, too_many_open, too_much_held
from services.points.desk import Outcome, States, accepted, account_streams
from services.points.earning_once import freeing, loaded_for
from services.points.held import Hold, evolve_hold
from services.points.parts import part_of
from services.points.state import (
    LOTS_MAX,
    Account,
    Event,
    Lot,
    ProgrammeRules,
)
from services.points.streams import transaction_stream
from services.points.undo import conditions_of, taken_from
from shared.calendar import local_date
from shared.decider import Accepted, Command, Document, Rejected, Streams, entry_key
from shared.ids import account_id

WAIT = timedelta(seconds=30)
"""How long vouchers and gift cards have; then the transaction is cancelled, unless it was executed in time."""

_AGAIN = timedelta(hours=1)


def hold(
    booking: Booking,
    due: int,
    programmes: Sequence[ProgrammeRules],
    loads: Sequence[HeldCredit],
    bought: Sequence[BoughtVoucher],
    used: Sequence[UsedVoucher],
    cards: Sequence[HeldCard],
    comment: str | None,
    found: Hold,
) -> Outcome:
    """Hold a transaction that `booking` has booked as if it were points alone; its first `due` events were due before.

    What it has booked since is what the hold is made of, and is forgotten.
    """
    command, account = booking.command, booking.before
    if found.decision is not None:
        return TIMED_OUT
    credited: Counter[str] = Counter()
    for credit in loads:
        credited[credit.programme] += credit.amount
    if refused := too_many_open(account) or too_much_held(credited, "/loyaltyPrograms"):
        return refused
    debits = _debits(account, [event for _, event in booking.events[due:]])
    held = TransactionHeld(
        transaction_id=command.id,
        account=account.account,
        account_number=booking.account_number,
        programmes=tuple(dict.fromkeys(rules.id for rules in programmes)),
        credits=tuple(loads),
        debits=debits,
        cards=parties.paid(cards),
        card_decides=None if bought or used else True,
        source=booking.source,
        deadline=command.now + WAIT,
        occurred_at=booking.occurred_at,
        booked_at=command.now,
    )
    booking.account, booking.events = account, booking.events[:due]
    mark(booking, HoldPlaced, command.id)
    for debit in debits:
        if debit.lots:
            booking.operation = debit.operation
            balance = booking.account.balances[debit.programme]
            amount = sum(part.amount for part in debit.lots)
            booking.note(Held, balance, debit.lots, balance.account_expires_at, amount=amount)
    stream = transaction_stream(command.store, command.id)
    booking.events.append((stream, held))
    vouchers = ExecuteVouchers(
        transaction_id=command.id,
        account=account.account,
        account_number=booking.account_number,
        aliases=tuple(account_id(command.store, number) for number in account.numbers) if used else (),
        deadline=held.deadline,
        purchases=tuple(bought),
        redemptions=tuple(used),
        source=booking.source,
        occurred_at=booking.occurred_at,
    )
    states = {booking.stream: booking.account, stream: evolve_hold(Hold(command.id), held)}
    follow_up = parties.execute(held, vouchers if bought or used else None, cards, comment)
    return Accepted(tuple(booking.events), {}, (follow_up,), comment, states, held=True)


def _debits(account: Account, events: Sequence[Event]) -> tuple[HeldDebit, ...]:
    """The debits among `events`: of the lots that they took from, the parts that are there without them."""
    left = {(name, lot.id): lot.amount for name, balance in account.balances.items() for lot in balance.lots}
    found = []
    for event in events:
        if not isinstance(event, Redeemed | Purchased):
            continue
        parts = []
        for part in event.lots:
            place = (event.programme, part.lot)
            there = min(part.amount, left.get(place, 0))
            if there:
                left[place] -= there
                parts.append(part if there == part.amount else part.model_copy(update={"amount": there}))
        found.append(
            HeldDebit(
                operation=event.operation,
                kind=event.kind,
                programme=event.programme,
                amount=-event.delta,
                lots=tuple(parts),
            )
        )
    return tuple(found)


def closing_streams(command: Command, payload: CloseTransaction) -> Streams:
    """The account and the transaction, and the entry that says who waits."""
    streams = account_streams(command)
    stream = transaction_stream(command.store, payload.transaction_id)
    return Streams((*streams.writes, stream), streams.reads, (payload.transaction_id,))


def close_transaction(command: Command, payload: CloseTransaction, states: States) -> Outcome:
    """Capture or release what was held, as was decided; nothing is questioned any more.

    Of a transaction that is not known yet, it is remembered that nothing will come of it.
    """
    stream = transaction_stream(command.store, payload.transaction_id)
    found: Hold = states[stream]
    held, executed = found.held, payload.decision is Decision.EXECUTED
    if held is None and found.decision is None and not executed:
        event = _closed(command, payload)
        return Accepted(((stream, event),), {}, states={stream: evolve_hold(found, event)})
    if held is None or found.decision is not None or held.account != command.subject:
        return Rejected(PointsRefusal.TRANSACTION_UNKNOWN, "no such transaction is open", "/transactionId")
    booking = desk_of(command, held, states)
    if executed:
        for credit in held.credits:
            _load(booking, credit)
    for debit in held.debits:
        booking.operation = debit.operation
        if debit.lots:
            _release(booking, debit)
        if executed:
            _spend(booking, debit)
    mark(booking, HoldEnded, held.transaction_id)
    event = _closed(command, payload, held)
    booking.events.append((stream, event))
    after = {stream: evolve_hold(found, event)}
    done: Document = {
        f"{name}Vouchers": [each.model_dump(mode="json", by_alias=True) for each in done]
        for name, done in (("issued", payload.issued), ("redeemed", payload.redeemed), ("voided", payload.voided))
    }
    if event.cards:
        done["giftcards"] = [each.model_dump(mode="json", by_alias=True, exclude_none=True) for each in event.cards]
    programmes = [booking.catalogue.programmes[name] for name in held.programmes]
    verdict = accepted(booking, programmes, None, done, after)
    verdict = replace(verdict, follow_ups=(*verdict.follow_ups, *parties.settle(held, payload.decision)))
    if not executed:
        loaded = loaded_for(states[entry_key(payload.transaction_id)])
        verdict = replace(verdict, follow_ups=(*verdict.follow_ups, *freeing(loaded)))
    return closed(verdict, held.transaction_id, payload)


def _closed(command: Command, payload: CloseTransaction, held: TransactionHeld | None = None) -> TransactionClosed:
    return TransactionClosed(
        transaction_id=payload.transaction_id,
        account=command.subject,
        decision=payload.decision.value,
        code=payload.code,
        issued=tuple(map(_in_short, payload.issued)),
        redeemed=payload.redeemed,
        voided=payload.voided,
        cards=held.cards if held is not None and payload.decision is Decision.EXECUTED else None,
        booked_at=command.now,
    )


def _in_short(done: IssuedVoucher) -> VoucherDone:
    return VoucherDone(
        operation=done.operation,
        serial_id=done.serial_id,
        voucher_id=done.voucher_id,
        programme=done.programme,
        benefit=done.benefit,
    )


def cancel_held(command: Command, payload: CancelHeld, states: States) -> Outcome:
    """Ask whoever decides it to cancel what is late; the answer closes the transaction, whichever it is."""
    stream = transaction_stream(command.store, payload.transaction_id)
    found: Hold = states[stream]
    if found.held is None or found.due_at is None or found.due_at > command.now:
        return Accepted((), {})
    event = CancelRequested(
        transaction_id=found.id,
        account=found.held.account,
        again_at=command.now + _AGAIN,
        booked_at=command.now,
    )
    return Accepted(((stream, event),), {}, (parties.cancel(found.held),))


def _load(booking: Booking, credit: HeldCredit) -> None:
    """Book a load as it was asked for, in the balance as it is now; what its account has no lot for joins another."""
    rules, now = booking.catalogue.programmes[credit.programme], booking.command.now
    programme, balance = rules_of.declared(rules), rules_of.balance_of(booking, rules)
    booking.open()
    asked = credit.account_expires_at
    if asked is not None and asked <= now:
        asked = None
    closing = rules_of.account_expiry(programme, balance, now, local_date(now, programme.zone), asked)
    room = LOTS_MAX - rules_of.lots_of(booking.account) + len(balance.lots)
    lot = rules_of.owed_lot(balance.lots, Lot(balance.next_lot, 0, credit.expires_at), room)
    parts, debt_delta = rules_of.put_in(balance, lot, credit.amount)
    booking.operation = credit.operation
    booking.move(Loaded, balance, credit.amount, parts, closing, None, 0, debt_delta)


def _release(booking: Booking, debit: HeldDebit) -> None:
    """Return what was set aside to its lots; what is owed by now is paid first."""
    balance = booking.account.balances[debit.programme]
    amount, owed, parts = 0, balance.debt, list[LotPart]()
    for part in debit.lots:
        paid = min(owed, part.amount)
        owed -= paid
        amount += part.amount
        if part.amount > paid:
            parts.append(part.model_copy(update={"amount": part.amount - paid}))
    debt_delta = owed - balance.debt or None
    booking.note(Released, balance, tuple(parts), balance.account_expires_at, amount=amount, debt_delta=debt_delta)


def _spend(booking: Booking, debit: HeldDebit) -> None:
    """Book a debit: from the lots that were set aside, then as spending would, and what is missing by now as debt."""
    rules, now = booking.catalogue.programmes[debit.programme], booking.command.now
    programme, balance = rules_of.declared(rules), rules_of.balance_of(booking, rules)
    lots, missing = taken_from(balance, debit.amount, map(conditions_of, debit.lots))
    parts = tuple(part_of(lot, amount) for lot, amount in lots)
    closing = rules_of.account_expiry(programme, balance, now, local_date(now, programme.zone), None)
    model = Purchased if debit.kind == "purchase" else Redeemed
    booking.move(model, balance, -debit.amount, parts, closing, None, 0, missing or None)
