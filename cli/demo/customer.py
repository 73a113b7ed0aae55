"""The demo's customer: created over HTTP, owner of the two vouchers that the web shop's example redeems."""

import asyncio
import json
from typing import Any

from cli.demo.files import PROGRAMME, contents
from cli.demo.run import TIMEOUT_S, Run
from shared.clock import monotonic_s

FAMILY = "/api/v1.0/Switch/Crm/Customer"
WEB_SHOP_CALL = "webshop_transaction.json"
"""The document's example, byte for byte: an order's last call, which redeems two vouchers."""

SERIALS = {"6666160395443995410": "VOUCHER-25", "6666270046419031265": "WELCOME"}
"""The example's serials, in its order, each with the definition that fits where it stands there."""

OFFERS = {"VOUCHER-5": 500, "VOUCHER-10": 950}
"""What the programmes sell, and for how many points."""

_LOOK_INTERVAL_S = 0.02


class Customer:
    """A customer whose only card is the run's number; e-mail and card are those of no other run.

    `redeemed` has the serials that the web shop's example redeemed, once it was played.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._id = ""
        self._serials: dict[str, str] = {}
        self.redeemed: set[str] = set()

    @property
    def path(self) -> str:
        """Where Get Customer shows the customer."""
        return f"{FAMILY}/{self._id}"

    async def create(self) -> None:
        """Create the customer as the web shop does.

        :raises Unexpected: as each step here, when the answer is not as expected.
        :raises Failure: a file of the demo is not there.
        """
        body = json.loads(contents("customer.json"))
        body["cardNumber"] = self._run.number
        body["customerInfo"]["emailAddress"] = f"anna.{self._run.number}@example.com"
        self._run.sending()
        answer = await self._run.call("webshop", "POST", f"{FAMILY}/Create", body)
        document: Any = answer.body or {}
        self._id = str(document.get("customerId"))
        good = answer.status == 200 and document.get("cardNumber") == self._run.number
        told = f"{self._id}, card {self._run.number}" if good else json.dumps(document)
        self._run.note("HTTP customer created", f"{answer.status} {told}", good)

    async def issue(self) -> None:
        """Issue the example's two vouchers.

        A serial is issued once (rules 4.3.2), so that the first run on some data has the document's own; where one is
        there already, another is drawn, and said to be.

        :raises Unexpected: see :meth:`create`.
        """
        for serial, code in SERIALS.items():
            body = {"voucherId": code, "accountNumber": self._run.number, "reason": "demo"}
            self._run.sending()
            answer = await self._run.call("admin", "POST", "/v1/vouchers", {**body, "serialId": serial})
            why = ""
            if answer.status == 409 and answer.body["code"] == "serial_in_use":
                why = f", a random serial: the document's {serial} was issued before"
                answer = await self._run.call("admin", "POST", "/v1/vouchers", body)
            document: Any = answer.body or {}
            self._serials[serial] = str(document.get("serialId"))
            good = answer.status == 200 and document.get("voucherId") == code
            told = f"{self._serials[serial]}{why}" if good else json.dumps(document)
            self._run.note(f"HTTP voucher {code} issued", f"{answer.status} {told}", good)

    async def before(self) -> Any:
        """The customer before anything was earned or redeemed, as Get answers it.

        :raises Unexpected: see :meth:`create`.
        """
        vouchers = {self._serials[serial]: code for serial, code in SERIALS.items()}
        return await self._read("HTTP customer before", {PROGRAMME: 0, "LOY22-Orders": 0}, vouchers)

    async def after(self, points: dict[str, int]) -> Any:
        """The customer after everything: these balances by programme, and no voucher left.

        :raises Unexpected: see :meth:`create`.
        """
        return await self._read("HTTP customer after", points, {})

    async def shop(self) -> None:
        """The web shop's example: the document's bytes, in which at most the serials are others.

        :raises Unexpected: see :meth:`create`.
        :raises Failure: a file of the demo is not there.
        """
        value = example = contents(WEB_SHOP_CALL)
        for serial, issued in self._serials.items():
            value = value.replace(serial.encode(), issued.encode())
        said = "byte for byte" if value == example else "with random serials"
        path = f"/api/v1.0/LoyaltyVault/Account/{self._run.number}/Transaction"
        self._run.sending()
        answer = await self._run.call("webshop", "POST", path, value)
        document: Any = answer.body or {}
        redeemed = [(each["serialId"], each["voucherId"]) for each in document.get("redeemedVouchers", ())]
        told = ", ".join(f"{code} {serial}" for serial, code in redeemed)
        wanted = [(self._serials[serial], code) for serial, code in SERIALS.items()]
        self.redeemed = {serial for serial, _ in redeemed}
        good = answer.status == 200 and redeemed == wanted
        seen = f"{answer.status} redeemed {told}" if redeemed else f"{answer.status} {json.dumps(document)}"
        self._run.note(f"HTTP web shop's example, {said}", seen, good)
        await self._redeemed(str(document.get("transactionId")))
        self._run.sending()
        again = await self._run.call("webshop", "POST", path, value)
        code = (again.body or {}).get("code")
        good = (again.status, code) == (409, "voucher_redeemed")
        self._run.note("HTTP the same call again", f"{again.status} {code}", good)

    async def _redeemed(self, transaction: str) -> None:
        """What the voucher service tells of it: of each voucher, and of the transaction, which have no mutual order."""
        wanted = [f"voucher.redeemed.v1 {serial}" for serial in self._serials.values()]
        wanted.append(f"voucher.transaction_executed.v1 {transaction}")
        arrived = await self._run.of_transaction("voucher.events", transaction, len(wanted))
        seen = [f"{one.header('ce_type')} {one.header('ce_subject')}" for one in arrived]
        self._run.note_arrived("voucher.events", arrived, sorted(seen), sorted(wanted))

    async def _read(self, what: str, points: dict[str, int], vouchers: dict[str, str]) -> Any:
        """Get the customer until it is as wanted: declarations reach the edge by their topic, a moment later."""
        self._run.sending()
        deadline_s = monotonic_s() + TIMEOUT_S
        while True:
            answer = await self._run.call("webshop", "GET", self.path)
            document: Any = answer.body or {}
            balances = document.get("balances", ())
            found = {each["loyaltyProgramId"]: each["pointsBalance"] for each in balances}
            owned = {each["id"]: each["code"] for each in document.get("vouchers", ())}
            offers = {offer["code"]: offer["threshold"] for each in balances for offer in each["purchases"]}
            # What was declared besides the demo is shown, too.
            good = answer.status == 200 and points.items() <= found.items() and OFFERS.items() <= offers.items()
            good = good and owned == vouchers
            if good or monotonic_s() >= deadline_s:
                break
            await asyncio.sleep(_LOOK_INTERVAL_S)
        told = f"{json.dumps(found)}, vouchers {', '.join(owned) or 'none'}, on offer {', '.join(offers) or 'nothing'}"
        self._run.note(what, f"{answer.status} {told}", good)
        return document
