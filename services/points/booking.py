"""What a command is about to book: its events so far, and the account as they leave it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, get_args

from schemas.base import Published
from schemas.points import AccountOpened, LotPart, Movement, Scheduled, Source
from schemas.transaction import Context
from services.points.evolve import evolve_account
from services.points.state import Account, AccountEvent, Balance, Event, Lot
from shared.decider import Command

DUE = -1
"""The `operation` of movements that were due before the command's own operations."""

NO_SOURCE = Source()

_Model = TypeVar("_Model", bound=Published)
_NAMES: dict[type[Movement], dict[str, str]] = {
    model: {name: model.model_fields[name].default for name in ("type", "kind")} for model in get_args(Movement)
}

_GIVEN: dict[type[Published], set[str]] = {
    model: set(model.model_fields) for model in (*get_args(Movement), Source, LotPart)
}


@dataclass(slots=True)
class Booking:
    """The desk at which a command books on one account; `operation` is the index of the operation at hand."""

    command: Command
    stream: str
    account: Account
    account_number: str
    source: Source = NO_SOURCE
    occurred_at: datetime | None = None
    operation: int = 0
    events: list[tuple[str, Event]] = field(default_factory=list)

    def open(self) -> None:
        """Open the account, unless it is."""
        if self.account.account_number is None:
            event = AccountOpened(
                account=self.account.account, account_number=self.account_number, booked_at=self.command.now
            )
            self._book(event)

    def move(
        self,
        model: type[Movement],
        balance: Balance,
        delta: int,
        parts: tuple[LotPart, ...],
        account_expires_at: datetime | None,
        reason: str | None = None,
    ) -> None:
        """Book an operation of the command as a movement by `delta` of the lots `parts`."""
        self._movement(
            model,
            balance,
            delta,
            parts,
            account_expires_at,
            reason,
            self.operation,
            self.source,
            self.occurred_at or self.command.now,
        )

    def fall_due(
        self,
        model: type[Movement],
        balance: Balance,
        delta: int,
        parts: tuple[LotPart, ...],
        account_expires_at: datetime | None,
        due_at: datetime,
        reason: str | None = None,
    ) -> None:
        """Book a movement that was due at `due_at`, whatever the command is."""
        self._movement(model, balance, delta, parts, account_expires_at, reason, DUE, NO_SOURCE, due_at)

    def schedule(self, balance: Balance, lot: LotPart, account_expires_at: datetime | None, reason: str) -> None:
        """Book a credit that becomes active later."""
        event = Scheduled(
            account=self.account.account,
            account_number=self.account.account_number or self.account_number,
            programme=balance.programme,
            programme_version=balance.programme_version,
            scale=balance.scale,
            transaction_id=self.command.id,
            operation=self.operation,
            source=self.source,
            reason=reason,
            occurred_at=self.occurred_at or self.command.now,
            booked_at=self.command.now,
            lots=(lot,),
            account_expires_at=account_expires_at,
            amount=lot.amount,
        )
        self._book(event)

    def _movement(
        self,
        model: type[Movement],
        balance: Balance,
        delta: int,
        parts: tuple[LotPart, ...],
        account_expires_at: datetime | None,
        reason: str | None,
        operation: int,
        source: Source,
        occurred_at: datetime,
    ) -> None:
        event = trusted(
            model,
            {
                "account": self.account.account,
                "account_number": self.account.account_number,
                "programme": balance.programme,
                "programme_version": balance.programme_version,
                "scale": balance.scale,
                "transaction_id": self.command.id,
                "operation": operation,
                "source": source,
                "reason": reason,
                "occurred_at": occurred_at,
                "booked_at": self.command.now,
                "lots": parts,
                "account_expires_at": account_expires_at,
                "sequence": self.account.sequence + 1,
                "delta": delta,
                "pending_delta": 0,
                "booked": balance.booked + delta,
                "pending": 0,
                **_NAMES[model],
            },
        )
        self._book(event)

    def _book(self, event: AccountEvent) -> None:
        self.events.append((self.stream, event))
        self.account = evolve_account(self.account, event)


def source_of(context: Context) -> Source:
    """Where a command's operations come from, in the words of its context."""
    if not context.model_fields_set:
        return NO_SOURCE
    return trusted(
        Source,
        {
            "order": None,
            "receipt": context.receipt_nr,
            "shop": context.shop_id,
            "till": context.pos_id,
            "operator": context.operator_id,
        },
    )


def part_of(lot: Lot, amount: int) -> LotPart:
    """`amount` of a lot, as an event says it."""
    return trusted(
        LotPart,
        {
            "lot": lot.id,
            "amount": amount,
            "active_from": lot.active_from,
            "expires_at": lot.expires_at,
            "restriction": lot.restriction,
            "campaign": lot.campaign,
        },
    )


def trusted(model: type[_Model], fields: dict[str, Any]) -> _Model:
    """A wire value made of fields that this package computed itself, all of them given.

    Validating what we have just computed costs more than deciding it, and pydantic's own `model_construct` as much;
    a test holds that these values equal validated ones.
    """
    made = model.__new__(model)
    put = object.__setattr__
    put(made, "__dict__", fields)
    put(made, "__pydantic_fields_set__", _GIVEN[model])
    put(made, "__pydantic_extra__", None)
    put(made, "__pydantic_private__", None)
    return made
