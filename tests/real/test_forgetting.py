"""Forgetting a person on real servers, and the tools on a second service: what was blanked stays so."""

from typing import Any

import bson
import pytest
from aiokafka import ConsumerRecord
from bson.raw_bson import RawBSONDocument

from cli.commands.verify import verify_service, verify_topics
from shared.ids import new_id
from tests.harness import Command, Installation, eventually, header, payload
from tests.real.people import STREAMS, anonymise, check, create, drained, entries, update
from tests.real.test_cli import fealty

pytestmark = pytest.mark.real

BRIEF = {"FEALTY_SESSION_TIMEOUT_MS": "2000", "FEALTY_HEARTBEAT_INTERVAL_MS": "500"}
MARK = "zyxwvut"
"""Stands in everything that is personal."""
PHONE = "+31698765432"


async def snapshots(installation: Installation) -> dict[str, bytes]:
    """Every document of the collection, as it lies there."""
    raw = bson.CodecOptions(document_class=RawBSONDocument)
    collection = installation.collection("customer", "snapshots").with_options(codec_options=raw)
    return {document["_id"]: bytes(document.raw) async for document in collection.find()}


async def marked(installation: Installation) -> dict[str, int]:
    """In how many documents of each collection of the service something personal stands."""
    raw = bson.CodecOptions(document_class=RawBSONDocument)
    database = installation.mongo[installation.settings.database("customer")]
    found = {}
    for name in await database.list_collection_names():
        documents = [bytes(each.raw) async for each in database[name].with_options(codec_options=raw).find()]
        count = sum(personal(each) for each in documents)
        if count:
            found[name] = count
    return found


def personal(text: bytes | None) -> bool:
    """Whether these bytes have something of the person in them."""
    return text is not None and (MARK.encode() in text.lower() or PHONE[-8:].encode() in text)


async def newest(installation: Installation) -> dict[bytes | None, ConsumerRecord[bytes, bytes]]:
    """The newest record of each key of the snapshots, which is what compaction leaves."""
    return {record.key: record for record in await installation.read("customer.snapshots")}


async def lives(installation: Installation, who: str) -> None:
    """A person who leaves traces wherever a person can."""
    described = {
        "contactData": {
            "addresses": [{"type": "work", "street": f"{MARK} street", "city": MARK}],
            "phones": [{"number": PHONE}],
            "labels": [{"key": "k", "value": MARK}],
            "referralCode": MARK,
            "devices": [{"serialNumber": MARK}],
        }
    }
    commands = [
        create("6001", who=who, firstName=f"{MARK} I", emailAddress=f"{MARK}@example.org"),
        Command("customer.update.v1", who, described),
        update(who, lastName=f"{MARK} II", emailAddress=f"{MARK}.2@example.org"),
        Command("customer.set_state.v1", who, {"state": "blocked", "reason": f"{MARK} called"}),
        Command("customer.add_card.v1", who, {"cardNumber": "6002"}),
        update(who, dateOfBirth="2999-01-01", lastName=MARK),  # Refused.
        Command("customer.update.v1", who, {"customerInfo": {"shoeSize": MARK}}),  # A dead letter.
    ]
    for command in commands:
        await installation.command(command)


async def test_nothing_is_left_of_a_person(empty_installation: Installation) -> None:
    installation = empty_installation
    ada, ben = new_id(), new_id()
    async with installation.worker("customer", **BRIEF):
        await installation.command(create("7001", who=ben, firstName="Ben", emailAddress="ben@example.org"))
        await lives(installation, ada)
        await drained(installation)
        assert await installation.collection("customer", "dead_letters").count_documents({}) == 1
        assert set(await marked(installation)) == {"journal", "snapshots", "dead_letters"}
        asked, again = anonymise(ada), anonymise(ada)
        await installation.command(asked)
        await drained(installation)
        assert await marked(installation) == {}
        await installation.command(again)
        late = update(ada, lastName=MARK)
        await installation.command(late)
        await drained(installation)
        outcomes = await entries(installation, [asked, again, late])
    assert await marked(installation) == {}
    assert outcomes[0]["result"] == outcomes[1]["result"]
    assert outcomes[2]["code"] == "customer_anonymised"
    record = (await newest(installation))[f"customer/default/{ada}".encode()]
    view = payload(record)
    assert (view["state"], view["customerInfo"], view["contactData"]) == ("deleted", None, None)
    assert view["search"]["cardNumbers"] == ["6001", "6002"]
    assert not [each for each in (await newest(installation)).values() if personal(each.value)]
    for topic in ("customer.events", "customer.dead-letters", "points.commands"):
        assert not [each.offset for each in await installation.read(topic) if personal(each.value)], topic
    for log in installation.logs.iterdir():
        assert not personal(log.read_bytes()), log.name
    people = await check(installation)
    assert (people[ada], len(people[ben])) == ([], 1)

    # The journal folds to what is stored, and tells in public what it told.
    before = await snapshots(installation)
    await installation.collection("customer", "snapshots").delete_many(STREAMS)
    assert (await fealty(installation, "rebuild", "customer", **BRIEF))[0] == 0
    assert await snapshots(installation) == before
    assert (await verify_service("customer", installation.settings)).ok
    assert (await verify_topics("customer", installation.settings)).ok
    assert (await fealty(installation, "republish", "customer"))[0] == 0
    assert not [each for each in (await newest(installation)).values() if personal(each.value)]


async def test_a_redelivery_tells_nothing_that_was_blanked(empty_installation: Installation) -> None:
    installation = empty_installation
    who = new_id()
    made = create("6001", who=who, firstName=MARK, emailAddress=f"{MARK}@example.org")
    async with installation.worker("customer"):
        await installation.commands([made, anonymise(who)])
        await drained(installation)
        told = len(await installation.read("customer.events"))
        await installation.command(made)
        await drained(installation)
    assert await marked(installation) == {}
    assert len(await installation.read("customer.events")) == told, "a repeat elsewhere is answered, and told nobody"
    assert not [each for each in (await newest(installation)).values() if personal(each.value)]


async def test_the_tools_work_on_the_second_service(empty_installation: Installation) -> None:
    installation = empty_installation
    commands = [create(firstName=f"P {number}", emailAddress=f"p{number % 15}@example.org") for number in range(30)]
    async with installation.worker("customer", **BRIEF):
        await installation.commands(commands)
        await drained(installation)
        await installation.commands([update(each.subject, city="Delft", emailAddress="") for each in commands[:10]])
        await drained(installation)
    before = await snapshots(installation)
    published = await newest(installation)
    collection = installation.collection("customer", "snapshots")
    streams = await collection.count_documents(STREAMS)
    assert (await fealty(installation, "verify", "--service", "customer", "--topics"))[0] == 0

    await collection.delete_many({"_id": {"$regex": "^customer/"}})
    assert (await fealty(installation, "verify", "--service", "customer"))[0] == 1
    code, out, _ = await fealty(installation, "rebuild", "customer", **BRIEF)
    assert (code, out.partition(",")[0]) == (0, f"rebuilt: {streams} streams")
    assert await snapshots(installation) == before
    assert (await fealty(installation, "verify", "--service", "customer", "--topics"))[0] == 0

    code, out, _ = await fealty(installation, "republish", "customer")
    assert (code, out) == (0, "republished: 0 changes, 15 snapshots\n")
    again = await newest(installation)
    said: list[Any] = [{key: (each.value, each.headers) for key, each in of.items()} for of in (published, again)]
    assert said[0] == said[1]
    await check(installation)


async def test_it_stands_when_the_worker_dies(empty_installation: Installation) -> None:
    """Killed before and after the transaction that forgets: nothing is forgotten in part."""
    installation = empty_installation
    who = new_id()
    async with installation.worker("customer", **BRIEF):
        await lives(installation, who)
        await drained(installation)
    kept = await marked(installation)
    await installation.command(anonymise(who))
    for point in ("in_transaction", "after_transaction"):
        doomed, _ = await installation.spawn(
            "customer", "customer-0", {**BRIEF, "PROBE": f"{point}:kill:1"}, wait=False
        )
        await doomed.wait()
        expected = kept if point == "in_transaction" else {}
        await eventually(lambda: marked(installation), expected)
    async with installation.worker("customer", **BRIEF):
        await drained(installation)
    assert await marked(installation) == {}
    record = (await newest(installation))[f"customer/default/{who}".encode()]
    assert payload(record)["state"] == "deleted"
    assert header(record, "ce_type") == "customer.snapshot.v1"
    await check(installation)
