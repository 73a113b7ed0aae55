"""The demo's gift card: issued, loaded again, redeemed in part, and a redemption taken back, at a till over HTTP."""

import json
from typing import Any

from cli.commands.tail import Arrived
from cli.demo.run import Run
from shared.ids import new_id

FAMILY = "/api/v1.0/Switch/giftcard"
CARD_TYPE = "GIFT"

_CHANGES = [
    "1 issue +5000 = 5000",
    "2 activate +2500 = 7500",
    "3 redeem -3000 = 4500",
    "4 redeem -1000 = 3500",
    "5 cancel +1000 = 4500",
]
_CONDENSED = ["redeem -30 = 45", "activate +25 = 75", "issue +50 = 50"]
"""The newest first; the redemption that was cancelled, and its cancel, are left out."""


class GiftCard:
    """A card that this run issues; each call has a transaction id of its own."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._id = ""
        self._currency = ""

    async def play(self) -> None:
        """Do the steps one after another.

        :raises Unexpected: the answer to one is not as expected.
        """
        await self._issue()
        await self._mutate("Activate", "loaded with 25 more", 75, amount=25)
        await self._mutate("Redeem", "redeemed in part, 30", 45, amount=30)
        redeemed = await self._mutate("Redeem", "redeemed by mistake, 10", 35, amount=10)
        await self._mutate("Redeem/Cancel", "that redemption cancelled", 45, named=redeemed)
        await self._published()
        await self._history()

    async def _issue(self) -> None:
        body = {"cardType": CARD_TYPE, "currency": "EUR", "amount": 50, "transactionId": new_id()}
        document = await self._call("Issue", body)
        self._id, self._currency = str(document.get("cardId")), str(document.get("currency"))
        good = document.get("balance") == 50 and bool(document.get("scratchCode"))
        told = f"card {self._id}, {self._balance(document)}" if good else json.dumps(_public(document))
        self._run.note("HTTP gift card of 50 euros issued", told, good)

    async def _mutate(self, operation: str, what: str, balance: int, named: str | None = None, **more: Any) -> str:
        """Call an operation that leaves this balance; its transaction id, or that of the transaction it names."""
        transaction = named or new_id()
        document = await self._call(operation, {"cardId": self._id, "transactionId": transaction, **more})
        good = (document.get("balance"), document.get("status")) == (balance, "Active")
        told = self._balance(document) if good else json.dumps(_public(document))
        self._run.note(f"HTTP gift card {what}", told, good)
        return transaction

    async def _published(self) -> None:
        arrived = await self._run.of_subject("giftcard.changes", self._id, len(_CHANGES))
        self._run.note_arrived("giftcard.changes", arrived, [_change(one) for one in arrived], _CHANGES)

    async def _history(self) -> None:
        document = await self._call("GetBalance", {"cardId": self._id, "history": "condensed"})
        lines = [_line(entry) for entry in document.get("history") or ()]
        told = ", ".join(lines) or json.dumps(document)
        self._run.note("HTTP gift card, condensed history", told, lines == _CONDENSED)

    async def _call(self, operation: str, body: dict[str, Any]) -> Any:
        self._run.sending()
        answer = await self._run.call("till", "POST", f"{FAMILY}/{operation}", body, key=body.get("transactionId"))
        return answer.body or {"status": answer.status}

    def _balance(self, document: Any) -> str:
        return f"{document['balance']:g} {self._currency}"


def _public(document: Any) -> Any:
    """A document without its scratch code, which no table shows."""
    return {name: value for name, value in document.items() if name != "scratchCode"}


def _change(arrived: Arrived) -> str:
    change = json.loads(arrived.record.value or b"{}")
    return f"{change['sequence']} {change['kind']} {change['delta']:+d} = {change['balance']}"


def _line(entry: Any) -> str:
    return f"{entry['kind']} {entry['balanceMutation']:+g} = {entry['balance']:g}"
