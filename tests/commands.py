"""A command as a test sends it."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from schemas.envelope import Envelope
from schemas.programme import Programme
from shared.ids import account_id, new_id

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Command:
    """A command as a test sends it."""

    type: str
    subject: str
    body: dict[str, Any]
    id: str = field(default_factory=new_id)

    @property
    def value(self) -> bytes:
        """The payload."""
        return orjson.dumps(self.body)

    @property
    def topic(self) -> str:
        """The command topic of the service that the type names."""
        return f"{self.type.partition('.')[0]}.commands"

    def headers(self) -> Headers:
        """The envelope."""
        return [*Envelope(id=self.id, type=self.type, source="/tests", subject=self.subject).headers()]

    @classmethod
    def transaction(cls, number: str, programme: str, *, load: int = 0, redeem: int = 0) -> "Command":
        """A load, a redemption, or both."""
        part: dict[str, Any] = {"loyaltyPointDefinitionId": programme}
        if load:
            part["loads"] = [{"value": load}]
        if redeem:
            part["redemptions"] = [{"value": redeem}]
        body = {"accountNumber": number, "loyaltyPrograms": [part]}
        return cls("points.post_transaction.v1", account_id("default", number), body)

    @classmethod
    def declaring(cls, programme: dict[str, Any]) -> "Command":
        """A programme's declaration."""
        Programme.model_validate(programme)
        return cls("points.put_programme.v1", programme["id"], {"programme": programme})
