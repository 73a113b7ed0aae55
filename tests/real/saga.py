"""Random transactions over points and vouchers, and what must hold when both services have answered (rules 4.2.2)."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cli.commands.verify import verify_service, verify_transactions
from services.points.decider import DECIDER as POINTS
from services.points.reversals import Reversals
from services.voucher.decider import DECIDER as VOUCHER
from shared.ids import account_id
from tests.harness import Command, Installation, eventually

PROGRAMME = "SELLS"
PRICE = 50
RULES: dict[str, Any] = {
    "id": PROGRAMME,
    "descriptions": {"en": "Buys vouchers"},
    "purchases": [{"voucherId": "V", "price": PRICE}],
}
DEFINITION = {"code": "V", "titles": {"en": "A voucher"}, "defaultLanguage": "en", "bearer": True}
BEARER = 40
START = 500


def number_of(account: int) -> str:
    return f"6299{account:06d}"


def id_of(account: int) -> str:
    return account_id("default", number_of(account))


@dataclass
class Sagas:
    """What was sent: the transactions with vouchers, by id, each with what it comes to when it is executed.

    And reversals, each with its transaction.
    """

    random: Random
    accounts: int
    sent: dict[str, tuple[int, int]] = field(default_factory=dict)
    reversals: dict[str, str] = field(default_factory=dict)

    def reversal(self) -> Command:
        """All of a transaction that was sent, or one operation of it, which it may not have."""
        transaction = self.random.choice([*self.sent])
        account = self.sent[transaction][0]
        named = self.random.choice([[], [], [{"operation": self.random.randrange(4)}]])
        body = {"transactionId": transaction, "operations": named, "reason": "a test"}
        command = Command("points.reverse.v1", id_of(account), {"accountNumber": number_of(account), **body})
        self.reversals[command.id] = transaction
        return command

    def transaction(self) -> Command:
        """Loads, redemptions, purchases and vouchers of one account; some of it more than it has, or used before."""
        random, account = self.random, self.random.randrange(self.accounts)
        loads = [random.randrange(1, 40) for _ in range(random.randrange(2))]
        spends = [random.randrange(1, 40) for _ in range(random.randrange(2))]
        bought = random.choice([0, 0, 1, 1, 2])
        used = [f"bearer-{random.randrange(BEARER)}" for _ in range(random.choice([0, 1, 1, 2]))]
        if not bought and not used:
            bought = 1
        part: dict[str, Any] = {"loyaltyPointDefinitionId": PROGRAMME}
        part["loads"] = [{"value": each} for each in loads]
        part["redemptions"] = [{"value": each} for each in spends]
        part["purchases"] = [{"voucherId": "V", "use": random.random() < 0.5} for _ in range(bought)]
        body = {
            "accountNumber": number_of(account),
            "loyaltyPrograms": [part],
            "voucherRedemptions": [{"serialId": each} for each in used],
        }
        command = Command("points.post_transaction.v1", id_of(account), body)
        self.sent[command.id] = (account, sum(loads) - sum(spends) - PRICE * bought)
        return command


async def prepare(installation: Installation, accounts: int) -> None:
    """Have programme and definition declared, points loaded and vouchers issued to bearer."""
    declared = Command.declaring(RULES)
    definition = Command("voucher.put_definition.v1", "V", {"definition": DEFINITION})
    async with installation.points(), installation.worker("voucher"):
        await installation.commands([declared, definition])
        await installation.settled([declared.id])
        await installation.settled([definition.id], service="voucher")
        loads = [Command.transaction(number_of(each), PROGRAMME, load=START) for each in range(accounts)]
        body = {"voucherId": "V", "reason": "a test"}
        serials = [f"bearer-{number}" for number in range(BEARER)]
        issued = [Command("voucher.issue.v1", serial, {**body, "serialId": serial}) for serial in serials]
        await installation.commands([*loads, *issued])
        await installation.settled([each.id for each in loads])
        await installation.settled([each.id for each in issued], service="voucher")


async def open_ones(installation: Installation) -> int:
    """Transactions and reversals that are held and not closed."""
    transactions = {"_id": {"$regex": "^transaction/"}, "state.decision": None}
    reversals = {"_id": {"$regex": "^reversals/"}, "state.held": {"$exists": True}}
    return int(await installation.collection("points", "snapshots").count_documents({"$or": [transactions, reversals]}))


async def all_closed(installation: Installation, timeout_s: float = 60) -> None:
    """Wait until both services have dealt with everything."""

    async def left() -> int:
        lag = await installation.lag("points", "points.commands") + await installation.lag(
            "voucher", "voucher.commands"
        )
        return lag + await open_ones(installation)

    await eventually(left, 0, timeout_s)


async def states(installation: Installation, service: str, kind: str, decider: Any) -> dict[str, Any]:
    """The states of all streams of a kind, by what comes last in their names; vouchers by their serials as issued."""
    found = installation.collection(service, "snapshots").find({"_id": {"$regex": f"^{kind}/"}})
    loaded = {each["_id"].split("/", 2)[2]: decider.load_state(each["_id"], each["state"]) async for each in found}
    return {getattr(state, "serial_id", name): state for name, state in loaded.items()}


async def check(installation: Installation, sagas: Sagas) -> Counter[str]:
    """Every transaction is booked whole or not at all, as voucher decided; how many ended how."""
    holds = await states(installation, "points", "transaction", POINTS)
    pivots = await states(installation, "voucher", "transaction", VOUCHER)
    vouchers = await states(installation, "voucher", "voucher", VOUCHER)
    accounts = await states(installation, "points", "account", POINTS)
    undone = await states(installation, "points", "reversals", POINTS)
    outcomes = check_reversals(sagas, undone, pivots)
    wanted = dict.fromkeys(range(sagas.accounts), START)
    used: Counter[str] = Counter()
    for id_, (account, moves) in sagas.sent.items():
        hold, pivot = holds.get(id_), pivots.get(id_)
        if hold is None:
            assert pivot is None, "voucher decided what points never held"
            outcomes["refused by points"] += 1
            continue
        assert pivot is not None, "points closed what voucher did not decide"
        decided = pivot.decision.type.removeprefix("voucher.transaction_").removesuffix(".v1")
        assert hold.decision == decided, f"{id_}: {hold.decision}, and voucher decided {decided}"
        outcomes[decided] += 1
        if decided == "executed":
            reversals = undone.get(id_, Reversals(id_))
            wanted[account] += moves + given_back(hold, reversals)
            assert len(pivot.decision.issued) == len([it for it in hold.held.debits if it.kind == "purchase"])
            for issued in pivot.decision.issued:
                assert vouchers[issued.serial_id].issued.transaction_id == id_
            for redeemed in pivot.decision.redeemed:
                if redeemed.operation not in reversals.vouchers:
                    used[redeemed.serial_id] += 1
                    assert vouchers[redeemed.serial_id].redeemed_in == id_
    assert set(holds) == set(pivots) - set(sagas.reversals), "each decision is on a transaction that points held"
    assert all(count == 1 for count in used.values()), "a voucher was redeemed twice"
    assert {name for name, it in vouchers.items() if it.redeemed_in} == set(used)
    for number in range(sagas.accounts):
        account_ = accounts[id_of(number)]
        balance = account_.balances[PROGRAMME]
        assert (balance.booked, balance.held, account_.holds) == (wanted[number], 0, ())
    for service in ("points", "voucher"):
        report = await verify_service(service, installation.settings)
        assert report.ok, report.findings[:3]
    report = await verify_transactions(installation.settings)
    assert report.ok, report.findings[:3]
    return outcomes


def check_reversals(sagas: Sagas, undone: dict[str, Any], pivots: dict[str, Any]) -> Counter[str]:
    """What voucher has undone is what points have booked as undone; how many reversals over both ended how."""
    outcomes: Counter[str] = Counter()
    done = set()
    for id_ in sagas.reversals.keys() & pivots.keys():
        decision = pivots[id_].decision
        outcomes[decision.type.removeprefix("voucher.").removesuffix(".v1")] += 1
        if decision.type == "voucher.reversal_executed.v1":
            assert decision.transaction_id == sagas.reversals[id_]
            done |= {(decision.transaction_id, it.operation, id_) for it in (*decision.restored, *decision.voided)}
    assert done == {(id_, operation, by) for id_, it in undone.items() for operation, by in it.vouchers.items()}
    assert all(each.held is None for each in undone.values())
    return outcomes


def given_back(hold: Any, reversals: Reversals) -> int:
    """What the account has got back, or lost again, of a transaction; a purchase with its voucher or not at all."""
    moves = 0
    for credit in hold.held.credits:
        assert reversals.undone.get(credit.operation, 0) in (0, credit.amount)
        moves -= reversals.undone.get(credit.operation, 0)
    for debit in hold.held.debits:
        back = reversals.undone.get(debit.operation, 0)
        assert back in (0, debit.amount)
        assert debit.kind != "purchase" or (back > 0) == (debit.operation in reversals.vouchers)
        moves += back
    return moves


def new_sagas(seed: int, accounts: int = 12) -> Sagas:
    return Sagas(Random(seed), accounts)
