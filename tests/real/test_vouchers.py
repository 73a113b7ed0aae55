"""Vouchers on real servers: one decision for each transaction, whoever is killed; one use; one expiry."""

import asyncio
import signal
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson
import pytest

from cli.commands.verify import verify_service, verify_topics
from schemas.vouchers import CloseTransaction, VoucherChanged
from services.voucher.decider import DECIDER
from services.voucher.state import Voucher
from shared.ids import account_id, closing_id, new_id
from tests.harness import Command, Installation, eventually, header
from tests.real.test_cli import fealty
from tests.unit.voucher.chains import assert_chain

pytestmark = pytest.mark.real

POINTS = ["before_transaction", "in_transaction", "after_transaction", "after_publishing", "before_commit"]
SMALL_BATCHES = {"FEALTY_BATCH_RECORDS_MAX": "40"}
QUICK = {"FEALTY_SWEEP_INTERVAL_S": "1", "FEALTY_SWEEP_PAGE_MAX": "10"}
SHORT_SESSIONS = {"FEALTY_SESSION_TIMEOUT_MS": "2000", "FEALTY_HEARTBEAT_INTERVAL_MS": "400"}
DEFINITION = {"code": "V", "titles": {"en": "A voucher"}, "defaultLanguage": "en", "bearer": True}
FAR = "2099-01-01T00:00:00Z"


def account(number: int) -> str:
    return account_id("default", f"6299{number:06d}")


def issuing(serial: str, owner: int | None = None, expires_at: datetime | None = None) -> Command:
    """A voucher for an account, or to bearer."""
    body: dict[str, Any] = {"voucherId": "V", "serialId": serial, "reason": "a test"}
    if owner is not None:
        body |= {"account": account(owner), "accountNumber": f"6299{owner:06d}"}
    if expires_at is not None:
        body["expiresAt"] = expires_at.isoformat()
    return Command("voucher.issue.v1", body.get("account", serial), body)


def executing(transaction: str, who: int, redeemed: list[str], bought: list[str] | None = None) -> Command:
    """A transaction that buys the serials `bought` and redeems those of `redeemed`."""
    body = {
        "transactionId": transaction,
        "account": account(who),
        "accountNumber": f"6299{who:06d}",
        "deadline": FAR,
        "purchases": [
            {"operation": at, "pointer": f"/{at}", "programme": "P", "voucherId": "V", "serialId": serial}
            | {"cost": 5, "scale": 0}
            for at, serial in enumerate(bought or [])
        ],
        "redemptions": [
            {"operation": at, "pointer": f"/{at}", "serialId": serial} for at, serial in enumerate(redeemed)
        ],
    }
    return Command("voucher.execute.v1", account(who), body)


def cancelling(transaction: str, who: int) -> Command:
    return Command("voucher.cancel.v1", account(who), {"transactionId": transaction, "account": account(who)})


async def issue(installation: Installation, *commands: Command) -> None:
    """Have the definition declared and the vouchers issued by a first worker."""
    declaring = Command("voucher.put_definition.v1", "V", {"definition": DEFINITION})
    async with installation.worker("voucher"):
        for each in ([declaring], list(commands)):
            await installation.commands(each)
            await installation.settled([command.id for command in each], service="voucher")
    entries = installation.collection("voucher", "journal")
    assert await entries.count_documents({"status": "accepted"}) == 1 + len(commands)


async def drained(installation: Installation) -> None:
    await installation.drained(group="voucher", topic="voucher.commands")


async def answers(installation: Installation) -> dict[str, CloseTransaction]:
    """What was told of each transaction: always the same, byte for byte but for the snapshots of the first time."""
    told: dict[str, CloseTransaction] = {}
    seen: dict[tuple[str | None, str | None], bytes | None] = {}
    for record in await installation.read("points.commands"):
        assert header(record, "ce_type") == "points.close_transaction.v1"
        answer = CloseTransaction.model_validate_json(record.value or b"")
        assert header(record, "ce_id") == closing_id(answer.transaction_id)
        assert header(record, "ce_subject") == answer.account
        bare = answer.model_copy(update={"snapshots": ()})
        assert told.setdefault(answer.transaction_id, bare) == bare, "another answer than the first"
        cause = (header(record, "ce_id"), header(record, "ce_causationid"))
        assert seen.setdefault(cause, record.value) == record.value, "published again, and otherwise"
    return told


async def decisions(installation: Installation) -> dict[str, str]:
    """The decision that the journal has for each transaction: exactly one."""
    found: dict[str, str] = {}
    async for entry in installation.collection("voucher", "journal").find({"status": "accepted"}):
        for event in entry["events"]:
            if event["stream"].startswith("transaction/"):
                name = event["stream"].split("/")[2]
                assert name not in found, f"{name} was decided twice"
                found[name] = event["data"]["type"].removeprefix("voucher.transaction_").removesuffix(".v1")
    return found


async def states(installation: Installation) -> dict[str, Any]:
    """Every voucher as its snapshot has it, by its serial as it was issued."""
    found = installation.collection("voucher", "snapshots").find({"_id": {"$regex": "^voucher/"}})
    loaded = [DECIDER.load_state(each["_id"], each["state"]) async for each in found]
    return {voucher.serial_id: voucher for voucher in loaded if isinstance(voucher, Voucher)}


async def sound(installation: Installation) -> None:
    """Everything adds up, in the store and on the topics."""
    report = await verify_service("voucher", installation.settings)
    assert report.ok, report.findings[:3]
    published = await verify_topics("voucher", installation.settings)
    assert published.ok, published.findings[:3]
    told: dict[str, list[VoucherChanged]] = defaultdict(list)
    for record in await installation.read("voucher.changes"):
        change = VoucherChanged.model_validate_json(record.value or b"")
        assert header(record, "ce_subject") == (record.key or b"").decode() == change.serial_id.upper()
        if change.sequence > len(told[change.serial_id]):  # A redelivery tells what was told before.
            told[change.serial_id].append(change)
        assert told[change.serial_id][change.sequence - 1] == change
    now = await states(installation)
    assert told.keys() == {serial for serial, voucher in now.items() if voucher.sequence}
    for serial, changes in told.items():
        assert_chain(changes, now[serial])


async def test_two_hundred_accounts_and_one_voucher(empty_installation: Installation) -> None:
    """Their commands are in all partitions, before two workers; exactly one of them gets it."""
    installation = empty_installation
    await issue(installation, issuing("one"))
    attempts = [executing(new_id(), number, ["one"]) for number in range(200)]
    async with installation.worker("voucher"), installation.worker("voucher", "voucher-1"):
        await installation.commands(attempts)
        await drained(installation)
    told = await answers(installation)
    assert set(told) == {command.body["transactionId"] for command in attempts}
    outcomes = Counter((answer.decision.value, answer.code) for answer in told.values())
    assert outcomes == {("executed", None): 1, ("refused", "voucher_redeemed"): 199}
    (winner,) = [answer for answer in told.values() if answer.decision.value == "executed"]
    voucher = (await states(installation))["one"]
    assert (voucher.redeemed_in, voucher.redeemed_by) == (winner.transaction_id, winner.account)
    await sound(installation)


@pytest.mark.parametrize("point", POINTS)
async def test_a_killed_worker_decides_each_transaction_once(empty_installation: Installation, point: str) -> None:
    """Accounts fight over vouchers to bearer and buy others; some transactions are sent again, or cancelled."""
    installation, random = empty_installation, Random(POINTS.index(point))
    bearers = [f"b{number}" for number in range(60)]
    await issue(installation, *map(issuing, bearers))
    transactions: list[str] = []

    def more(count: int) -> list[Command]:
        commands = []
        for _ in range(count):
            transaction, who = new_id(), random.randrange(40)
            transactions.append(transaction)
            bought = [f"s-{transaction}"] if random.random() < 0.5 else []
            sent = [executing(transaction, who, random.sample(bearers, random.randint(0, 2)), bought)]
            if random.random() < 0.3:
                sent.insert(random.randint(0, 1), cancelling(transaction, who))
            if random.random() < 0.2:
                sent.append(executing(transaction, who, [], []))
            commands += sent
        return commands

    for _ in range(2):
        await installation.commands(more(120))
        probe = {**SMALL_BATCHES, "PROBE": f"{point}:kill:2"}
        doomed, _ = await installation.spawn("voucher", "voucher-0", probe, wait=False)
        assert await asyncio.wait_for(doomed.wait(), 60) == -signal.SIGKILL
        await installation.commands(more(30))
    async with installation.worker("voucher"):
        await drained(installation)
    found, told = await decisions(installation), await answers(installation)
    assert set(found) == set(told) == set(transactions)
    assert {name: answer.decision.value for name, answer in told.items()} == found
    assert {"executed", "refused", "cancelled"} == set(found.values())
    await _compare(installation, told)
    await sound(installation)


async def _compare(installation: Installation, told: dict[str, CloseTransaction]) -> None:
    """Every voucher is as the answers say, and was used by one transaction at most."""
    used: dict[str, list[str]] = defaultdict(list)
    for name, answer in told.items():
        for each in answer.redeemed:
            used[each.serial_id].append(name)
    bought = {each.serial_id for answer in told.values() for each in answer.issued}
    now = await states(installation)
    assert {serial for serial in now if serial.startswith("s-")} == bought
    assert {serial: [voucher.redeemed_in] for serial, voucher in now.items() if voucher.redeemed_in} == dict(used)


async def unbooked(installation: Installation) -> int:
    """Vouchers whose time has come and whose expiry is not booked yet."""
    past = {"state.due_at": {"$lte": datetime.now(UTC)}}
    return int(await installation.collection("voucher", "snapshots").count_documents(past))


async def expire(installation: Installation, count: int) -> dict[str, int | None]:
    """Vouchers of accounts and to bearer that are over in a moment; their owners."""
    owners = {f"v{number}": number if number % 2 else None for number in range(count)}
    await issue(installation)
    async with installation.worker("voucher"):
        expires_at = datetime.now(UTC) + timedelta(seconds=5)
        commands = [issuing(serial, owner, expires_at) for serial, owner in owners.items()]
        await installation.commands(commands)
        await installation.settled([command.id for command in commands], service="voucher")
    assert len(await states(installation)) == count
    await asyncio.sleep(max(0.0, (expires_at - datetime.now(UTC)).total_seconds()))
    return owners


async def expired_once(installation: Installation, serials: set[str]) -> None:
    found: Counter[str] = Counter()
    for entry in await installation.collection("voucher", "journal").find({"type": "voucher.book_due.v1"}).to_list():
        found.update(event["data"]["serialId"] for event in entry["events"])
    assert found == Counter(dict.fromkeys(serials, 1))
    assert {serial for serial, voucher in (await states(installation)).items() if voucher.state == "expired"} == serials
    published: dict[str | None, bytes | None] = {}
    for record in await installation.read("voucher.events"):
        if header(record, "ce_type") == "voucher.expired.v1":
            assert published.setdefault(header(record, "ce_id"), record.value) == record.value
    assert len(published) == len(serials)
    await sound(installation)


@pytest.mark.parametrize("point", ["after_transaction", "after_publishing"])
async def test_expiry_is_booked_once_although_sweepers_are_killed(empty_installation: Installation, point: str) -> None:
    installation = empty_installation
    owners = await expire(installation, 60)
    environment = {**QUICK, **SHORT_SESSIONS, "PROBE": f"{point}:kill:2"}
    for attempt in range(2):
        doomed, _ = await installation.spawn("voucher", "voucher-0", environment, wait=False)
        assert await asyncio.wait_for(doomed.wait(), 60) == -signal.SIGKILL
        await installation.commands([executing(new_id(), number, [f"v{number}"]) for number in range(attempt, 20, 2)])
    async with installation.worker("voucher", **QUICK, **SHORT_SESSIONS):
        await eventually(lambda: unbooked(installation), 0, 60)
        await drained(installation)
    assert {answer.decision.value for answer in (await answers(installation)).values()} == {"refused"}
    await expired_once(installation, set(owners))


async def test_rebuilding_verifying_and_publishing_again(empty_installation: Installation) -> None:
    installation = empty_installation
    await issue(installation, *(issuing(f"v{number}", number) for number in range(20)))
    async with installation.worker("voucher"):
        await installation.commands([executing(new_id(), number, [f"v{number}"]) for number in range(10)])
        await drained(installation)
    collection = installation.collection("voucher", "snapshots")
    streams = {"_id": {"$not": {"$regex": "^fence/"}}}
    before = await collection.find(streams).sort("_id").to_list()
    assert len(before) == 1 + 20 + 10
    await collection.delete_many({"_id": {"$regex": "^voucher/"}})
    assert (await fealty(installation, "verify", "--service", "voucher"))[0] == 1
    code, out, err = await fealty(installation, "rebuild", "voucher")
    assert (code, err) == (0, ""), out
    assert await collection.find(streams).sort("_id").to_list() == before
    code, out, err = await fealty(installation, "verify", "--service", "voucher", "--topics")
    assert (code, err) == (0, ""), out
    first = Counter(record.value for record in await installation.read("voucher.snapshots"))
    code, out, err = await fealty(installation, "republish", "voucher")
    assert (code, out, err) == (0, "republished: 30 changes, 21 snapshots\n", "")
    again = Counter(record.value for record in await installation.read("voucher.snapshots")) - first
    values = [orjson.loads(value or b"") for value in again]
    assert {value["serialId"]: value["state"] for value in values if "serialId" in value} == {
        f"v{number}": "redeemed" if number < 10 else "issued" for number in range(20)
    }
