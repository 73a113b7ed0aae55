"""What a command is about to book: its events so far, and the account as they leave it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import get_args

from schemas.points import AccountOpened, LotPart, Movement, Scheduled, Source
from services.points.evolve import evolve_account
from services.points.parts import NO_SOURCE, trusted
from services.points.state import Account, AccountEvent, Balance, Event
from shared.decider import Command

DUE = -1
"""The `operation` of movements that were due before the command's own operations."""

_NAMES: dict[type[Movement], dict[str, str]] = {
    model: {name: model.model_fields[name].default for name in ("type", "kind")} for model in get_args(Movement)
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
        account = self.account
        if account.account_number is None:
            self._book(
                AccountOpened(account=account.account, account_number=self.account_number, booked_at=self.command.now)
            )

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
        account = self.account
        event = Scheduled(
            account=account.account,
            account_number=account.account_number or self.account_number,
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
        account = self.account
        event = trusted(
            model,
            {
                "account": account.account,
                "account_number": account.account_number,
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
                "sequence": account.sequence + 1,
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
