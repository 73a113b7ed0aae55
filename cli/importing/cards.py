"""Rows that are gift cards: those of another system with their balances, or cards for sale (rules 4.4.7, 4.4.8)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from cli.giftcards import card_type_of
from cli.importing.cells import amount_of, fault_of, instant_of, time_of
from cli.importing.kind import Planned, Refused
from cli.importing.reading import Layout, Row
from schemas.giftcards import CardStatus, CardType, CardTypeState, CodeSource, CreateCard, ImportCard, ScratchCode
from schemas.key_sets import KeySet
from schemas.scratch_codes import code_matches, given_code
from services.giftcard.state import type_stream
from shared.decider import Document
from shared.money import currency_scale, to_minor
from shared.runtime.journal import Journal

_TYPES_MAX = 2_000
_IDENTIFIERS = ("card_id", "serial_number")
_STATUSES = (CardStatus.CREATED, CardStatus.ACTIVE, CardStatus.REDEEMED)


class _About(NamedTuple):
    """The scratch code in a row, in clear, and the scale of the card's currency."""

    code: str | None
    scale: int


class _CardRows(ABC):
    """A card is in a file once. Its code leaves this process as a hash alone, under the current key of codes."""

    service = "giftcard"
    grouped = "card type"
    reused = Refused("was imported earlier with other values (idempotency_key_reused)")
    behind = reused
    layout: Layout

    def __init__(self, store: str, keys: KeySet, batch: str) -> None:
        self._store = store
        self._keys = keys
        self._batch = batch
        self._types: dict[str, CardType | None] = {}

    def key_of(self, row: Row) -> tuple[str] | None:
        """The card's id."""
        card_id = row.fields.get("card_id")
        return (card_id,) if row.fault is None and isinstance(card_id, str) else None

    async def plan(self, rows: Sequence[Row], journal: Journal) -> list[Planned | Refused]:
        """The commands that create or take over the cards, by the types that are declared."""
        names = {self._type_name(row) for row in rows}
        await self._load_types({name for name in names if isinstance(name, str)}, journal)
        return [fault_of(row, self.layout, "balance", _IDENTIFIERS) or self._planned(row) for row in rows]

    def repeats(self, first: int) -> Refused | str:
        """A fault of the file."""
        return Refused(f"has the card_id of line {first}")

    def is_booked(self, planned: Planned, entry: Document) -> bool:
        """By everything that the row says; the hash of its code may have been made with an earlier key."""
        payload, about = planned.payload, planned.about
        event = entry["events"][0]["data"] if entry.get("events") else {}
        wanted = payload.model_dump(mode="json", by_alias=True, include={"serial_number", "card_type", "expires_at"})
        source = CodeSource(**event["code"]) if event.get("code") else None
        code_is_booked = source is None if about.code is None else self._matches(planned.subject, source, about.code)
        return (
            code_is_booked
            and all(event.get(name) == value for name, value in wanted.items())
            and event.get("newStatus") == getattr(payload, "status", CardStatus.CREATED)
            and event.get("delta") == to_minor(planned.value, about.scale)
        )

    def _matches(self, card_id: str, source: CodeSource | None, code: str) -> bool:
        return code_matches(self._keys, self._store, card_id, source, code)

    @abstractmethod
    def _type_name(self, row: Row) -> object:
        """The type of a row's card, as it is written."""

    @abstractmethod
    def _planned(self, row: Row) -> Planned | Refused:
        """The command of a row whose cells are texts."""

    def _declared(self, name: str) -> CardType | Refused:
        return self._types.get(name) or Refused(f"there is no card type {name!r}")

    def _hashed(self, row: Row) -> ScratchCode | Refused | None:
        code = row.fields.get("scratch_code")
        try:
            return None if code is None else given_code(self._keys, self._store, row.fields["card_id"], code)
        except ValueError:
            return Refused("scratch_code has only blanks and hyphens")

    async def _load_types(self, names: set[str], journal: Journal) -> None:
        """Types as they stand when the file first names them."""
        if len(self._types) > _TYPES_MAX:
            self._types.clear()
        streams = {type_stream(self._store, name): name for name in names - self._types.keys()}
        if streams:
            stored = (await journal.load([], list(streams))).streams
            for stream, name in streams.items():
                self._types[name] = card_type_of(stream, stored[stream]) if stream in stored else None


class ImportedCards(_CardRows):
    """Cards of another system, which may have been sold and used there."""

    layout = Layout(
        ("card_id", "serial_number", "card_type", "status", "balance", "expires_at", "scratch_code"),
        ("card_id", "serial_number", "card_type", "status"),
    )

    def refused_now(self, planned: Planned, now: datetime) -> Refused | None:
        """When it has expired."""
        expires_at = getattr(planned.payload, "expires_at", None)
        return Refused("expires_at is in the past") if expires_at is not None and expires_at <= now else None

    def _type_name(self, row: Row) -> object:
        return row.fields.get("card_type")

    def _planned(self, row: Row) -> Planned | Refused:
        card_type, code = self._declared(row.fields["card_type"]), self._hashed(row)
        if isinstance(card_type, Refused):
            return card_type
        status = row.fields["status"].lower()
        if status not in list(_STATUSES):
            return Refused("status is not created, active or redeemed; cards in other states cannot be used any more")
        balance, expires_at = _balance(row, card_type), time_of(row, "expires_at")
        for each in (code, balance, expires_at):
            if isinstance(each, Refused):
                return each
        if (balance > 0) != (status == CardStatus.ACTIVE):  # type: ignore[operator]
            return Refused("balance must be above zero for an active card, and zero for all others")
        if status == CardStatus.CREATED and expires_at is not None:
            return Refused("expires_at must be empty for a created card: its type gives it one when it is first loaded")
        payload = ImportCard(
            card_id=row.fields["card_id"],
            serial_number=row.fields["serial_number"],
            card_type=card_type.code,
            status=CardStatus(status),
            balance=balance,
            expires_at=instant_of(expires_at, card_type.zone, days=1),  # type: ignore[arg-type]
            code=code,
            batch=self._batch,
        )
        return _planned("giftcard.import.v1", payload, payload.balance, row, card_type)


class CreatedCards(_CardRows):
    """Cards for sale, all of one type, with the numbers that they have already."""

    layout = Layout(("card_id", "serial_number", "scratch_code"), ("card_id", "serial_number"))

    def __init__(self, store: str, keys: KeySet, batch: str, card_type: str) -> None:
        super().__init__(store, keys, batch)
        self._card_type = card_type

    def refused_now(self, planned: Planned, now: datetime) -> Refused | None:
        """When its type is retired."""
        declared = self._types[self._card_type]
        retired = declared is not None and declared.state is CardTypeState.RETIRED
        return Refused(f"the card type {self._card_type} is retired") if retired else None

    def _type_name(self, row: Row) -> object:
        return self._card_type

    def _planned(self, row: Row) -> Planned | Refused:
        card_type, code = self._declared(self._card_type), self._hashed(row)
        if isinstance(card_type, Refused):
            return card_type
        if isinstance(code, Refused):
            return code
        payload = CreateCard(
            card_id=row.fields["card_id"],
            serial_number=row.fields["serial_number"],
            card_type=card_type.code,
            code=code,
            batch=self._batch,
        )
        return _planned("giftcard.create.v1", payload, Decimal(0), row, card_type)


def _planned(type_: str, payload: ImportCard | CreateCard, value: Decimal, row: Row, card_type: CardType) -> Planned:
    about = _About(row.fields.get("scratch_code"), currency_scale(card_type.currency))
    return Planned((payload.card_id,), type_, payload.card_id, payload, card_type.code, value, about)


def _balance(row: Row, card_type: CardType) -> Decimal | Refused:
    written = amount_of("balance", row.fields.get("balance", "0"))
    if isinstance(written, Refused):
        return written
    if written.given < 0:
        return Refused("balance is below zero")
    scale = currency_scale(card_type.currency)
    if (written.decimals or 0) > scale or to_minor(written.given, scale) is None:
        return Refused(f"balance has too many decimals: {card_type.currency} has {scale}")
    return written.given
