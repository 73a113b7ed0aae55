"""Personal values of a test customer, and the search for them in all raw bytes that an installation stores."""

import struct
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import bson
from aiokafka import ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from bson.raw_bson import RawBSONDocument

from shared.servers import kafka_options
from tests.harness import Installation

INFO: dict[str, Any] = {
    "firstName": "Zyxfirst",
    "lastName": "van Zyxlast",
    "countryId": "ZyxCountry",
    "city": "Zyxcity",
    "street": "Zyxstreet",
    "postalCode": "9876 ZYX",
    "houseNumber": "Zyx-73",
    "houseNumberAddition": "Zyxtwo-high",
    "language": "zyx-NL",
    "emailAddress": "Zyx.First@Mail.Example",
    "mobile": "+31 (0)6 9876-5432",
    "dateOfBirth": "1931-02-27",
    "gender": "NotDisclosed",
    "communicationViaEmail": True,
    "communicationViaSms": True,
}
MORE: dict[str, Any] = {
    "addresses": [
        {
            "type": "Zyxtype",
            "careOf": "Zyxcare",
            "street": "Zyxhome",
            "houseNumber": "Zyx-74",
            "houseNumberAddition": "Zyxthree-high",
            "secondLine": "Zyxsecond",
            "postalCode": "9875 ZYX",
            "city": "Zyxtown",
            "province": "Zyxprovince",
            "countryId": "ZyxLand",
            "primary": True,
        },
        {"type": "Zyxwork", "street": "Zyxoffice"},
    ],
    "phones": [{"number": "+31698765433", "primary": True}, {"type": "Zyxline", "number": "0201234987"}],
    "labels": [{"key": "Zyxlabel", "value": "Zyxremark"}],
    "consents": [{"code": "Zyxconsent", "given": True}],
    "referralCode": "Zyxreferral",
    "referredBy": "Zyxreferrer",
    "devices": [{"serialNumber": "Zyxdevice", "registrationType": "Zyxpush", "registrationToken": "Zyxtoken"}],
}
LATER = {"emailAddress": "Zyx.Second@Mail.Example", "dateOfBirth": "1931-02-28", "lastName": "Zyxmarried"}
REASON = "Zyxreason"
TAKEN = {"firstName": "Zyxrefused", "emailAddress": "somebody@mail.example"}
UNREADABLE = "Zyxunreadable"
BORN = [datetime(1931, 2, day, tzinfo=UTC) for day in (27, 28)]


def texts(value: Any) -> Iterable[str]:
    """All texts within a document, but for words that stand in anybody's."""
    match value:
        case dict():
            for each in value.values():
                yield from texts(each)
        case list():
            for each in value:
                yield from texts(each)
        case str() if value not in ("NotDisclosed", "somebody@mail.example"):
            yield value


def needles() -> dict[str, bytes]:
    """The byte sequences to search for, by personal value: as written, in lower case, and in normal form."""
    found = {text: text.lower().encode() for text in texts([INFO, MORE, LATER, REASON, TAKEN, UNREADABLE])}
    for text in ("9876 ZYX", "9875 ZYX"):
        found[f"{text}, compared"] = text.replace(" ", "").lower().encode()
    found["the mobile's digits"] = b"31698765432"
    for born in BORN:  # BSON's own way of writing an instant, in case that anything keeps one.
        found[f"{born} in BSON"] = struct.pack("<q", int(born.timestamp() * 1000))
    return found


NEEDLES = needles()
NEVER_SO = {f"{born} in BSON" for born in BORN}


def personal_values(raw: bytes | None) -> set[str]:
    """The personal values in these bytes."""
    lowered = (raw or b"").lower()
    return {name for name, needle in NEEDLES.items() if needle in lowered}


async def stored(installation: Installation) -> dict[str, set[str]]:
    """The personal values in the databases, by database (without the prefix) and collection."""
    raw = bson.CodecOptions(document_class=RawBSONDocument)
    prefix = installation.settings.database("")
    found: dict[str, set[str]] = defaultdict(set)
    names = [name for name in await installation.mongo.list_database_names() if name.startswith(prefix)]
    assert {"customer", "edge", "points", "voucher"} <= {name.removeprefix(prefix) for name in names}
    for name in names:
        database = installation.mongo[name]
        for collection in await database.list_collection_names():
            async for document in database[collection].with_options(codec_options=raw).find():
                found[f"{name.removeprefix(prefix)}.{collection}"] |= personal_values(bytes(document.raw))
    return {place: what for place, what in found.items() if what}


def personal_values_of(record: ConsumerRecord[bytes, bytes]) -> set[str]:
    """The personal values in a record: its key, its value or its headers."""
    return (
        personal_values(record.key)
        | personal_values(record.value)
        | personal_values(b"\n".join(value or b"" for _, value in record.headers))
    )


async def published(installation: Installation) -> dict[str, set[str]]:
    """The personal values in the topics, by name without the prefix; topics without any are left out."""
    found: dict[str, set[str]] = {}
    for name in await topics(installation):
        found[name] = set().union(*map(personal_values_of, await installation.read(name)))
    return {name: what for name, what in found.items() if what}


async def topics(installation: Installation) -> dict[str, dict[str, str]]:
    """The settings of every topic under the prefix, as the broker has them, by name without the prefix."""
    prefix = installation.settings.prefix
    admin = AIOKafkaAdminClient(**kafka_options(installation.settings))
    await admin.start()
    try:
        names = sorted(name for name in await admin.list_topics() if name.startswith(prefix))
        responses = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    finally:
        await admin.close()
    resources = [each for response in responses for each in response.resources]  # type: ignore[attr-defined]
    described = {name: entries for _, _, _, name, entries in resources}
    assert [*described] == names
    return {name.removeprefix(prefix): {entry[0]: entry[1] for entry in entries} for name, entries in described.items()}
