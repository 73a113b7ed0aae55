"""What a command is about to book: its events so far, and the account as they leave it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args

from schemas.accounts import AccountOpened
from schemas.movements import LotPart, Movement, Notice, Source
from services.points.evolve import evolve_account
from services.points.parts import NO_SOURCE, trusted
from services.points.state import (
    Account,
    AccountEvent,
    Balance,
    Catalogue,
    Event,
)
from shared.decider import Command

DUE = -1
"""The `operation` of movements that were due before the command's own operations."""

_NAMES: dict[type[Movement], dict[str, str]] = {
    model: {name: model.model_fields[name].default for name in ("type", "kind")} for model in get_args(Movement)
}


@dataclass(slots=True)
class Booking:
    """The desk at which a command books on one account; `operation` is the index of the operation at hand.

    `initial` is the account as the command found it, `before` with what was due, before the command's own operations;
    with `all_thresholds` those reached before count too. `transaction_id` is that of the transaction which the command
    closes, and empty when it is the command's own.
    """

    command: Command
    stream: str
    account: Account
    account_number: str
    catalogue: Catalogue
    source: Source = NO_SOURCE
    occurred_at: datetime | None = None
    transaction_id: str = ""
    operation: int = 0
    events: list[tuple[str, Event]] = field(default_factory=list)
    all_thresholds: bool = False
    initial: Account = field(init=False)
    before: Account = field(init=False)

    def __post_init__(self) -> None:
        self.initial = self.account

    def open(self) -> None:
        """Open the account, unless it is."""
        account = self.account
        if account.account_number is None:
            self.book(
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
        pending_delta: int = 0,
        debt_delta: int | None = None,
    ) -> None:
        """Book an operation of the command as a movement by `delta` of the lots `parts`, and of pending and debt."""
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
            pending_delta,
            debt_delta,
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
        debt_delta: int | None = None,
    ) -> None:
        """Book a movement that was due at `due_at`, whatever the command is."""
        self._movement(model, balance, delta, parts, account_expires_at, reason, DUE, NO_SOURCE, due_at, 0, debt_delta)

    def note(
        self,
        model: type[Notice],
        balance: Balance,
        parts: tuple[LotPart, ...],
        account_expires_at: datetime | None,
        reason: str | None = None,
        due_at: datetime | None = None,
        **more: Any,
    ) -> None:
        """Book what moves no balance: an operation of the command, or with `due_at` what was due then."""
        account = self.account
        event = model(
            account=account.account,
            account_number=account.account_number or self.account_number,
            programme=balance.programme,
            programme_version=balance.programme_version,
            scale=balance.scale,
            unit=self._unit(balance.programme),
            transaction_id=self.transaction_id or self.command.id,
            operation=self.operation if due_at is None else DUE,
            source=self.source if due_at is None else NO_SOURCE,
            reason=reason,
            occurred_at=due_at or self.occurred_at or self.command.now,
            booked_at=self.command.now,
            lots=parts,
            account_expires_at=account_expires_at,
            notice_days=balance.notice_days,
            **more,
        )
        self.book(event)

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
        pending_delta: int,
        debt_delta: int | None,
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
                "unit": self._unit(balance.programme),
                "transaction_id": self.transaction_id or self.command.id,
                "operation": operation,
                "source": source,
                "reason": reason,
                "occurred_at": occurred_at,
                "booked_at": self.command.now,
                "lots": parts,
                "account_expires_at": account_expires_at,
                "notice_days": balance.notice_days,
                "sequence": account.sequence + 1,
                "delta": delta,
                "pending_delta": pending_delta,
                "booked": balance.booked + delta,
                "pending": balance.pending + pending_delta,
                "debt_delta": debt_delta,
                **_NAMES[model],
            },
        )
        self.book(event)

    def _unit(self, programme: str) -> str | None:
        rules = self.catalogue.programmes.get(programme)
        return None if rules is None else rules.unit

    def book(self, event: AccountEvent) -> None:
        """One more event on the account."""
        self.events.append((self.stream, event))
        self.account = evolve_account(self.account, event)
