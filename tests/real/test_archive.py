"""Snapshots of closed streams leave, and whatever comes later has the effect that it had with them (decision 0018)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.commands.stores import journal_of, service_of
from cli.commands.verify import verify_service, verify_transactions
from cli.rebuild import rebuild
from shared.decider import Accepted, Decider, Streams
from shared.ids import new_id
from shared.runtime.archive import closed_before, load
from shared.runtime.folding import Unfoldable
from shared.writes import write_of
from tests.entries import entry_of
from tests.harness import Command, Installation, eventually
from tests.real.saga import Sagas, all_closed, check, id_of, new_sagas, number_of, prepare

pytestmark = pytest.mark.real

AT_ONCE = {"FEALTY_SWEEP_INTERVAL_S": "1", "FEALTY_SWEEP_PAGE_MAX": "40", "FEALTY_CLOSED_KEPT_DAYS": "0"}
SERVICES = ("points", "voucher")


@asynccontextmanager
async def archiving(installation: Installation) -> AsyncIterator[None]:
    """Both services, whose closed streams leave within a second."""
    async with installation.points(**AT_ONCE), installation.worker("voucher", **AT_ONCE):
        yield


async def left(installation: Installation) -> int:
    """The snapshots of transactions, decisions and reversals."""
    names = {"_id": {"$regex": "^(transaction|reversals)/"}}
    return sum([await installation.collection(each, "snapshots").count_documents(names) for each in SERVICES])


async def all_archived(installation: Installation) -> None:
    """Wait until everything is closed, and has left."""
    await all_closed(installation)
    await eventually(lambda: left(installation), 0, 30)


async def everything(installation: Installation) -> dict[str, Any]:
    """The snapshots of what a transaction could change: accounts and vouchers, without the number of their commands."""
    found = {}
    for service in SERVICES:
        names = {"_id": {"$regex": "^(account|voucher|receipt)/"}}
        async for each in installation.collection(service, "snapshots").find(names):
            found[each["_id"]] = each["state"]
    return found


async def test_no_late_message_finds_a_stream_new(empty_installation: Installation) -> None:
    installation, sagas = empty_installation, new_sagas(3)
    await prepare(installation, sagas.accounts)
    transactions = [sagas.transaction() for _ in range(150)]
    async with archiving(installation):
        await installation.commands(transactions)
        await all_archived(installation)
        reversals = [sagas.reversal() for _ in range(80)]
        await installation.commands(reversals)
        await all_archived(installation)
        before = await everything(installation)
        late = await late_messages(installation, sagas, [*transactions, *reversals])
        for service in SERVICES:
            own = [each for each in late if each.type.startswith(service)]
            await installation.commands(own)
            await installation.settled([each.id for each in own], service=service)
        await all_archived(installation)
        assert await everything(installation) == before, "what is late changes nothing"
    await operators_agree(installation)
    outcomes = await check(installation, sagas)
    assert outcomes["executed"] > 20, outcomes
    assert outcomes["refused"] > 5, outcomes
    assert outcomes["reversal_executed"] > 5, outcomes


async def late_messages(installation: Installation, sagas: Sagas, sent: list[Command]) -> list[Command]:
    """Everything once more; and under new ids what could begin a stream anew, or undo something twice.

    A reversal that was refused may succeed later, when its transaction is closed or its voucher unused again.
    """
    done = await reversed_by(installation)
    late = [*sent, *(Command(each.type, each.subject, each.body) for each in sent if each.id in done)]
    executes = installation.collection("voucher", "journal").find({"type": "voucher.execute.v1"})
    async for entry in executes:
        id_, account = entry["events"][-1]["data"]["transactionId"], entry["subject"]
        cancelled = {"transactionId": id_, "account": account, "decision": "cancelled"}
        late.append(Command("points.close_transaction.v1", account, cancelled))
        late.append(Command("voucher.cancel.v1", account, {"transactionId": id_, "account": account}))
        purchase = {"operation": 0, "pointer": "/x", "voucherId": "V", "serialId": f"anew-{id_}", "cost": 1, "scale": 0}
        again = {
            "transactionId": id_,
            "account": account,
            "accountNumber": number_of(sagas.sent[id_][0]),
            "deadline": "2999-01-01T00:00:00.000Z",
            "purchases": [{**purchase, "programme": "SELLS", "unit": "points", "use": False}],
            "redemptions": [],
            "source": {},
            "occurredAt": "2026-11-22T10:00:00.000Z",
        }
        late.append(Command("voucher.execute.v1", account, again))
    assert {id_of(account) for account, _ in sagas.sent.values()} >= {each.subject for each in late}
    return late


async def reversed_by(installation: Installation) -> set[str]:
    """The reversals that have undone something."""
    booked = installation.collection("points", "journal").find({"events.data.type": "points.reversed.v1"})
    events = [event["data"] async for entry in booked for event in entry["events"]]
    found = {each["reversalId"] for each in events if each["type"] == "points.reversed.v1"}
    assert len(found) > 5
    return found


async def operators_agree(installation: Installation) -> None:
    """`verify` misses nothing; `rebuild` leaves out what has left, and makes it all for who wants it kept."""
    settings = installation.settings.model_copy(update={"closed_kept_days": 0})
    assert await left(installation) == 0
    for service in SERVICES:
        report = await verify_service(service, settings)
        assert report.ok, report.findings[:3]
        report = await verify_service(service, installation.settings)
        assert not report.ok, "within thirty days a snapshot that is not there is missing"
    both = await verify_transactions(settings)
    assert both.ok, both.findings[:3]
    assert both.streams > 100, "those that have left are compared, too"
    for kept in (settings, installation.settings):
        for service in SERVICES:
            async with journal_of(service, kept) as journal:
                decider = service_of(service, kept).decider
                rebuilt = await rebuild(journal, decider, closed_before=closed_before(kept))
            assert rebuilt.ok, rebuilt.unfoldable
        assert (await left(installation) == 0) == (kept is settings)


async def test_what_the_journal_does_not_give_is_kept(empty_installation: Installation) -> None:
    """A snapshot that would not come back the same stays, is told of, and hinders no other."""
    installation, sagas = empty_installation, new_sagas(4)
    await prepare(installation, sagas.accounts)
    async with installation.points(), installation.worker("voucher"):
        await installation.commands([sagas.transaction() for _ in range(60)])
        await all_closed(installation)
    snapshots = installation.collection("voucher", "snapshots")
    odd, lost, *_ = await snapshots.find({"closed_at": {"$exists": True}}).sort("closed_at", 1).to_list(2)
    await snapshots.update_one({"_id": odd["_id"]}, {"$set": {"state.decision.account": "another"}})
    await installation.collection("voucher", "journal").update_one(
        {"writes": {"$regex": f"^{lost['_id']}#"}}, {"$set": {"events.$[].data.type": f"unknown.{new_id()}"}}
    )
    async with installation.worker("voucher", **AT_ONCE):
        await eventually(lambda: snapshots.count_documents({"closed_at": {"$exists": True}}), 2, 30)
        assert {each["_id"] async for each in snapshots.find({"closed_at": {"$exists": True}})} == {
            odd["_id"],
            lost["_id"],
        }


COUNTING: Decider[int, int] = Decider(
    streams=lambda _: Streams(()),
    initial=lambda _: 0,
    decide=lambda *_: Accepted((), {}),
    evolve=lambda state, event: state * 2 + event,
    dump_state=lambda state: {"sum": state},
    load_state=lambda _, document: document["sum"],
    dump_event=lambda event: {"add": event},
    load_event=lambda document: document["add"],
    closable=frozenset({"sum"}),
    closed=lambda state: state > 0,
)


async def test_a_stream_comes_back_at_its_last_version_however_long_it_is(empty_installation: Installation) -> None:
    """Names that look like another's writes included; what the journal does not have is new, and a gap is told."""
    at, lengths = datetime(2026, 11, 22, tzinfo=UTC), {"sum/a": 1, "sum/a#1": 4, "sum/b%": 5, "sum/c": 40, "other/d": 2}
    entries = [
        entry_of(
            _id=f"{name}-{version}",
            writes=[write_of(name, version), write_of("account/x", number * 100 + version)],
            events=[{"stream": name, "data": {"add": 1}}, {"stream": "account/x", "data": {"add": 7}}],
            at=at,
            partition=version,
        )
        for number, (name, length) in enumerate(lengths.items())
        for version in range(1, length + 1)
    ]
    async with journal_of("points", empty_installation.settings) as journal:
        await journal.prepare()
        await journal.entries.insert_many([dict(each) for each in entries])
        await journal.snapshots.insert_one({"_id": "sum/b%", "version": 4, "state": {"sum": 15}})
        found = (await load(journal, COUNTING, [], [*lengths, "sum/new"])).streams
        assert {name: (each.version, each.archived) for name, each in found.items()} == {
            "sum/a": (1, True),
            "sum/a#1": (4, True),
            "sum/b%": (4, False),
            "sum/c": (40, True),
        }, "a snapshot goes before the journal, and other kinds are not asked for"
        assert found["sum/c"].document["state"] == {"sum": 2**40 - 1}
        assert (found["sum/c"].document["closed_at"], found["sum/c"].document["partition"]) == (at, 40)
        await journal.entries.delete_one({"_id": "sum/c-7"})
        with pytest.raises(Unfoldable, match="has version 8 after 6"):
            await load(journal, COUNTING, [], ["sum/c"])
