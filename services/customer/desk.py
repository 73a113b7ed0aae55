"""What all commands on a customer begin and end with: whether there is one, what it may take, what it answers."""

from collections.abc import Mapping
from typing import Any

from schemas.customers import Claimed, ClaimKind, CustomerRefusal, CustomerState
from services.customer.state import Customer, Event, claim_stream, customer_stream
from shared.decider import Accepted, Command, FollowUp, Rejected
from shared.ids import account_id

States = Mapping[str, Any]
"""What `decide` may look at, by stream."""

Outcome = Accepted[Event] | Rejected


def customer_of(command: Command, states: States) -> Customer:
    """The command's customer as it stands, be it that there is none yet."""
    stream = customer_stream(command.store, command.subject)
    customer = states[stream]
    if not isinstance(customer, Customer):
        raise TypeError(f"{stream} holds no customer")
    return customer


def known(customer: Customer) -> Rejected | None:
    """`customer_unknown` or `customer_anonymised`, unless there is such a customer to do something with."""
    if customer.state is None:
        return Rejected(CustomerRefusal.CUSTOMER_UNKNOWN, "there is no customer with this id")
    if customer.anonymised_at is not None:
        return Rejected(CustomerRefusal.CUSTOMER_ANONYMISED, "the customer was anonymised, which cannot be undone")
    return None


def present(customer: Customer) -> Rejected | None:
    """The same, and `customer_deleted`: what is deleted must be restored before anything is changed."""
    if refused := known(customer):
        return refused
    if customer.state is CustomerState.DELETED:
        return Rejected(CustomerRefusal.CUSTOMER_DELETED, "the customer is deleted")
    return None


def own(command: Command, event: Event) -> tuple[str, Event]:
    """An event of the command's customer."""
    return customer_stream(command.store, command.subject), event


def claimed(command: Command, kind: ClaimKind, key: str) -> tuple[str, Event]:
    """The claim becomes the customer's."""
    told = Claimed(customer=command.subject, claim=kind, booked_at=command.now)
    return claim_stream(command.store, kind, key), Event(told)


def known_number(command: Command, number: str) -> FollowUp:
    """What points are told of a card: inputs from topics may open an account under its number (rules 4.1.2)."""
    account = account_id(command.store, number)
    return FollowUp("points.commands", "points.know_number.v1", account, {"accountNumber": number})


def close_account(command: Command, number: str) -> FollowUp:
    """What points are told of a card whose customer was forgotten: its account takes nothing any more (rules 4.5.6)."""
    body = {"accountNumber": number, "reason": "customer_anonymised"}
    return FollowUp("points.commands", "points.close_account.v1", account_id(command.store, number), body)


def accepted(command: Command, *events: tuple[str, Event], **more: Any) -> Accepted[Event]:
    """What was booked, answered with the customer's id: the snapshot that goes along has the rest."""
    return Accepted(events, {"customer": command.subject, **more})
