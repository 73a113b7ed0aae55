"""What the edge stores: its views, clients, and signing keys."""

import asyncio
from dataclasses import asdict
from functools import partial
from typing import Any, cast

import bson
from aiokafka import ConsumerRecord, TopicPartition
from bson.codec_options import CodecOptions
from pydantic import SecretStr

from schemas.customer_views import CUSTOMER_VIEW
from schemas.envelope import Envelope
from schemas.giftcard_batches import BATCH_VIEW
from schemas.giftcards import CARD_TYPE_VIEW, CARD_VIEW, CardChanged
from schemas.points import ACCOUNT_VIEW, CATALOGUE_VIEW, PROGRAMME_VIEW, PointsChanged
from schemas.replies import SnapshotPart
from schemas.vouchers import DEFINITION_VIEW, VOUCHER_VIEW
from services.edge.auth import store
from services.edge.auth.clients import Client
from services.edge.auth.key_encryption import KeyCipher
from services.edge.auth.keys import SigningKey, ring_of
from services.edge.auth.lockouts import LOCKOUT, counting
from services.edge.auth.scratch_codes import SERIAL_NUMBER
from services.edge.families.crm import presenting as crm
from services.edge.families.giftcard.presenting import card_of, entry_of
from services.edge.families.v1.presenting import account_of, batch_of, movement_of, voucher_of
from services.edge.views import changes, composing, customers, giftcard_history, offsets, refusals, shapes
from services.edge.views.accounts import ACCOUNTS
from services.edge.views.attributions import Attributions
from services.edge.views.catalogue import Catalogue, Declared
from services.edge.views.connection import Connection
from services.edge.views.refusal_store import REFUSAL
from services.edge.views.snapshots import of_part
from services.edge.views.vouchers import VOUCHERS
from shared.decider import Document
from shared.hashing import to_json
from shared.settings import Settings
from shared.shapes import VERSION
from tests.contract.customer_examples import CUSTOMER, VIEW
from tests.contract.examples import ACCOUNT, CHANGED, EXAMPLES, NOW
from tests.contract.giftcard_examples import CHANGED as CARD_CHANGED
from tests.stored.filled import filled
from tests.stored.kinds import Kind

_AT = b"2026-11-22T10:00:01.123Z"
_AWARE: CodecOptions[Document] = CodecOptions(tz_aware=True)


def _views(type_: str, stream: str) -> list[Document]:
    """The document of a snapshot, and that of one that was deleted."""
    found = []
    for value in ({"version": 3, **EXAMPLES[type_][0].model_dump(mode="json", by_alias=True)}, _DELETED):
        upsert = of_part(SnapshotPart(stream=stream, version=3, type=type_, value=value))
        assert upsert is not None
        found.append(bson.decode(upsert.document.raw, _AWARE))
    return found


_DELETED = {"version": 3, "deleted": True}


def _read_view(shape: Any, show: Any, document: Document) -> Document:
    read: Document = shape.upgrade(document)
    if "view" in read:
        show(read)
    return read


def _declared(document: Document, place: int) -> None:
    given: list[list[Document]] = [[], [], [], []]
    given[place] = [document]
    Catalogue(Connection(_SETTINGS)).replace(*given)


def _statements() -> list[Document]:
    movement = changes.of_value(CHANGED.model_dump(mode="json", by_alias=True))
    assert movement is not None
    return [bson.decode(movement.document.raw, _AWARE)]


def _read_statement(document: Document) -> Document:
    read = shapes.STATEMENT.upgrade(document)
    PointsChanged.model_validate(read["change"])
    movement_of(read["change"], {})
    return read


def _card_changes() -> list[Document]:
    mutation = giftcard_history.of_value("s", CARD_CHANGED.model_dump(mode="json", by_alias=True))
    assert mutation is not None
    return [bson.decode(mutation.document.raw, _AWARE)]


def _read_card_change(document: Document) -> Document:
    read = shapes.GIFT_CARD_CHANGE.upgrade(document)
    CardChanged.model_validate(read["change"])
    entry_of(read["change"])
    return read


_SETTINGS = Settings.model_construct(secret=SecretStr("the secret of the documents that are kept"))


def _clients() -> list[Document]:
    document = asdict(filled(Client, {}))
    return [store.CLIENT.stamp({"_id": document.pop("id"), **document})]


def _read_client(document: Document) -> Document:
    client = asdict(store._client(document))
    return store.CLIENT.stamp({"_id": client.pop("id"), **client})


def _rings() -> list[Document]:
    ring = ring_of(SigningKey("a", b"k"), [SigningKey("b", b"l", NOW)])
    return [{"_id": "ring", **store._ring_document(ring, KeyCipher(_SETTINGS))}]


def _read_ring(document: Document) -> Document:
    read = store.KEYRING.upgrade(document)
    assert {key.id: key.secret for key in store._ring(read, KeyCipher(_SETTINGS)).all} == {"a": b"k", "b": b"l"}
    return read


def _refusals() -> list[Document]:
    """Of a refused command with all that it may say."""
    refused = EXAMPLES["points.order_rejected.v1"][0]
    headers = Envelope(id="e", type="points.order_rejected.v1", source="/points", subject=ACCOUNT, store="s").headers()
    value = dict.fromkeys(refusals._SHOWN, "text") | refused.model_dump(mode="json", by_alias=True)
    record = ConsumerRecord(
        "points.events", 0, 0, 1_795_000_000_000, 1, b"", to_json(value), None, 0, 0, (*headers, ("ce_time", _AT))
    )
    document = refusals.of_record(record)
    assert document is not None
    return [document]


def _parts(field: str) -> list[Document]:
    """The part of a customer's document."""
    if field == ACCOUNTS:
        document = _views(ACCOUNT_VIEW, f"account/s/{ACCOUNT}")[0]
        shown = composing._shown_account(document)
    else:
        document = _views(VOUCHER_VIEW, "voucher/s/V")[0]
        shown = composing._shown_voucher({"view": {**document["view"], "state": "issued"}}) or {}
    return [composing._part(field, document, shown)]


def _customers() -> list[Document]:
    """With the members that writing the profile puts, and those that parts put."""
    value = {"version": 3, **VIEW.model_dump(mode="json", by_alias=True)}
    upsert = of_part(SnapshotPart(stream=f"customer/s/{CUSTOMER}", version=3, type=CUSTOMER_VIEW, value=value))
    assert upsert is not None
    document = {
        **bson.decode(upsert.document.raw, _AWARE),
        "store": "s",
        "links": [ACCOUNT],
        "accounts": _parts(ACCOUNTS),
        "vouchers": _parts(VOUCHERS),
    }
    put: Any = composing._profile(upsert)._doc
    assert document.keys() == {"_id", "accounts", "vouchers", *put[0]["$set"]}
    return [document, {**document, "vouchers": [], customers.APART: True}]


def _show_customer(document: Document) -> None:
    crm.customer_of(document, crm.usable_vouchers(document, "2026"), Declared(), "2026")


class _Written:
    """A database that keeps what is written to one of its collections, as the driver would send it."""

    def __init__(self) -> None:
        self.documents: list[Document] = []

    def __getitem__(self, _name: str) -> "_Written":
        return self

    def with_options(self, **_options: Any) -> "_Written":
        return self

    async def update_one(self, wanted: Document, update: Document, **_more: Any) -> None:
        self.documents.append({**wanted, **{name: it for put in update.values() for name, it in put.items()}})

    async def bulk_write(self, writes: list[Any], **_more: Any) -> None:
        for each in writes:
            await self.update_one(each._filter, each._doc)

    def find(self, *_: Any) -> "_Written":
        return self

    async def to_list(self, _: None) -> list[Document]:
        return self.documents


def _attributions_in(written: _Written) -> Attributions:
    connection = Connection(_SETTINGS)
    connection._database = cast(Any, written)
    return Attributions(connection)


def _attributions() -> list[Document]:
    written = _Written()
    asyncio.run(_attributions_in(written).remember("c", "client:c"))
    return written.documents


def _read_attribution(document: Document) -> Document:
    written = _Written()
    written.documents.append(document)
    movement = {"transactionId": document["transactions"][0], "reason": "r", "operation": 0}
    assert asyncio.run(_attributions_in(written).actors([movement]))[movement["transactionId"]] == document["actor"]
    return document


def _offsets() -> list[Document]:
    database: Any = _Written()
    asyncio.run(offsets.keep(database, {_PLACE: 7}))
    return [*database.documents]


def _read_offset(document: Document) -> Document:
    database: Any = _Written()
    database.documents.append(document)
    assert asyncio.run(offsets.fed_until(database, [_PLACE])) == {_PLACE: document["next"]}
    return document


def _lockouts() -> list[Document]:
    """A count, and a lock-out: the server makes the documents, of the members that the update sets."""
    made: set[str] = {name for stage in counting(SERIAL_NUMBER) for name in stage["$set"]}
    count = {"at": NOW, "refused": False, "wrong": 4, "forgotten_at": NOW, "until": None}
    assert {*count, VERSION} == made
    return [LOCKOUT.stamp({"_id": "0" * 64, **count, "until": until}) for until in (None, NOW)]


_PLACE = TopicPartition("points.snapshots", 3)

_SHOWN = {
    ACCOUNT_VIEW: (shapes.ACCOUNT, f"account/s/{ACCOUNT}", lambda it: account_of(3, it["view"], {})),
    PROGRAMME_VIEW: (shapes.PROGRAMME, "programme/s/P", partial(_declared, place=0)),
    DEFINITION_VIEW: (shapes.DEFINITION, "definition/s/D", partial(_declared, place=1)),
    CATALOGUE_VIEW: (shapes.CATALOGUE, "catalogue/s/all", partial(_declared, place=2)),
    CARD_TYPE_VIEW: (shapes.CARD_TYPE, "type/s/T", partial(_declared, place=3)),
    BATCH_VIEW: (shapes.GIFT_CARD_BATCH, "batch/s/B", lambda it: batch_of(it["view"])),
    CARD_VIEW: (shapes.GIFT_CARD, "card/s/C", lambda it: card_of(it["view"], None, "2026", None)),
    VOUCHER_VIEW: (shapes.VOUCHER, "voucher/s/V", lambda it: voucher_of(it["view"])),
}
EDGE = [
    *(
        Kind(shape, partial(_views, type_, stream), partial(_read_view, shape, show))
        for type_, (shape, stream, show) in _SHOWN.items()
    ),
    Kind(shapes.ACCOUNT_PART, partial(_parts, ACCOUNTS), shapes.ACCOUNT_PART.upgrade),
    Kind(shapes.VOUCHER_PART, partial(_parts, VOUCHERS), shapes.VOUCHER_PART.upgrade),
    Kind(shapes.CUSTOMER, _customers, partial(_read_view, shapes.CUSTOMER, _show_customer)),
    Kind(shapes.ATTRIBUTION, _attributions, _read_attribution),
    Kind(shapes.OFFSET, _offsets, _read_offset),
    Kind(shapes.STATEMENT, _statements, _read_statement),
    Kind(shapes.GIFT_CARD_CHANGE, _card_changes, _read_card_change),
    Kind(REFUSAL, _refusals, REFUSAL.upgrade),
    Kind(store.CLIENT, _clients, _read_client),
    Kind(store.KEYRING, _rings, _read_ring),
    Kind(LOCKOUT, _lockouts, LOCKOUT.upgrade),
]
