"""Inputs for an account number that nobody knows wait, instead of opening an account of that name (rules 4.1.2).

A number is known when it has an account, or one that was closed for good, fits a pattern that the store declares, is a
customer's card, or an operator says so. What waits is kept in the journal, and goes on under ids derived from its own,
so that it has one effect.
"""

from collections.abc import Mapping
from typing import Any

from schemas.orders import CancelOrder, FulfilOrder, PlaceOrder, ReturnOrder
from schemas.points import PostTransaction
from schemas.refusals import PointsRefusal
from schemas.waiting_inputs import (
    INPUTS_WAITING_MAX,
    RELEASE_INPUTS,
    AccountUnknown,
    InputsReleased,
    KnowNumber,
    NumberKnown,
    ReleaseInputs,
    number_fits,
)
from services.points.evolve import evolve_account
from services.points.state import Account, AccountEvent, Event
from services.points.streams import account_stream, catalogue_stream
from shared.decider import Accepted, Command, Entry, FollowUp, Rejected, Streams, entry_key
from shared.hashing import to_json
from shared.ids import derived_id

Input = PostTransaction | PlaceOrder | FulfilOrder | CancelOrder | ReturnOrder


def wait(command: Command, payload: Input, states: Mapping[str, Any]) -> Accepted[Event] | Rejected | None:
    """Let an input wait when its number is not known, or when others wait before it; None when it need not.

    :returns: `too_many_inputs_wait` beyond the bound; the input can be sent again, under another id, later.
    """
    account, known = _account(command, states), is_known(command, payload.account_number, states)
    if known and not account.waiting:
        return None
    if len(account.waiting) >= INPUTS_WAITING_MAX:
        detail = f"{INPUTS_WAITING_MAX} inputs wait for this account number to be known already"
        return Rejected(PointsRefusal.TOO_MANY_INPUTS_WAIT, detail, "/accountNumber")
    said = payload.model_dump(by_alias=True, exclude_unset=True, exclude={"from_input"})
    event = AccountUnknown(
        account=account.account,
        account_number=payload.account_number,
        command_id=command.id,
        command=command.type,
        input=to_json(said).decode(),
        booked_at=command.now,
    )
    return _accepted(command, account, event, known)


def know_number(command: Command, payload: KnowNumber, states: Mapping[str, Any]) -> Accepted[Event]:
    """Remember that inputs may open an account under this number, and release those that wait."""
    account = _account(command, states)
    if account.known:
        return _accepted(command, account, None, known=True)
    event = NumberKnown(account=account.account, account_number=payload.account_number, booked_at=command.now)
    return _accepted(command, account, event, known=True)


def release_streams(command: Command, payload: ReleaseInputs) -> Streams:
    """The account, and the journal entries that have what was sent."""
    return Streams((account_stream(command.store, command.subject),), entries=payload.commands)


def release_inputs(command: Command, payload: ReleaseInputs, states: Mapping[str, Any]) -> Accepted[Event]:
    """Send those of the named commands that still wait, in the order in which they came."""
    account = _account(command, states)
    released = tuple(each for each in payload.commands if each in account.waiting)
    if not released:
        return _accepted(command, account, None, known=False)
    waited = [_waited(states[entry_key(each)]) for each in released]
    follow_ups = tuple(
        FollowUp(
            "points.commands",
            each.command,
            command.subject,
            {},
            derived_id("known", each.command_id),
            text=each.input,
        )
        for each in waited
    )
    event = InputsReleased(
        account=account.account, account_number=payload.account_number, commands=released, booked_at=command.now
    )
    booked = _accepted(command, account, event, known=False)
    return Accepted(booked.events, booked.result, follow_ups, states=booked.states)


def releasing(account: Account) -> tuple[FollowUp, ...]:
    """The command that releases what waits for an account that is open; none when nothing waits."""
    if not account.waiting or account.account_number is None:
        return ()
    return (release(account, account.account_number),)


def release(account: Account, number: str) -> FollowUp:
    """The command that releases what waits for an account."""
    payload = {"accountNumber": number, "commands": list(account.waiting)}
    return FollowUp("points.commands", RELEASE_INPUTS, account.account, payload)


def _accepted(command: Command, account: Account, event: AccountEvent | None, known: bool) -> Accepted[Event]:
    """What was booked on the account; when its number is known, what waits is to be released."""
    stream = account_stream(command.store, command.subject)
    after = account if event is None else evolve_account(account, event)
    number = command.payload.account_number
    follow_ups = (release(after, number),) if known and after.waiting else ()
    result = {"accountNumber": number, "waiting": len(after.waiting)}
    if event is None:
        return Accepted((), result, follow_ups)
    return Accepted(((stream, event),), result, follow_ups, states={stream: after})


def is_known(command: Command, number: str, states: Mapping[str, Any]) -> bool:
    """Whether the number of the command's account is known."""
    account = _account(command, states)
    if account.known or account.account_number is not None or account.is_closed:
        return True
    return number_fits(states[catalogue_stream(command.store)].account_numbers, number)


def _account(command: Command, states: Mapping[str, Any]) -> Account:
    account = states[account_stream(command.store, command.subject)]
    if not isinstance(account, Account):
        raise TypeError(f"{command.subject} is no account")
    return account


def _waited(entry: Entry) -> AccountUnknown:
    """What the entry of an input that waits says that it was."""
    return next(event for _, event in entry.events if isinstance(event, AccountUnknown))
