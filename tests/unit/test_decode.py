"""Decoding never raises, whatever a record holds: it is a command, a query, or poison with a reason."""

from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Envelope, EnvelopeError
from services.points.main import SERVICE
from shared.errors import Poison
from shared.ids import new_id
from shared.runtime.decode import Decoder, Incoming, Query, Undecodable
from shared.runtime.signing import FOLLOW_UP_SOURCES, signed
from shared.settings import Settings

REASONS = {"bad_envelope", "no_value", "too_large", "unknown_type", "bad_payload"}
DECODE = Decoder(SERVICE, Settings())
SECRET = Settings().secret.get_secret_value().encode()


@dataclass
class Stub:
    """As much of a consumer's record as decoding looks at."""

    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    timestamp: int = 1_790_000_000_000


GOOD: list[tuple[str, bytes | None]] = [
    *Envelope(id=new_id(), type="points.post_transaction.v1", source="/tests", subject="s").headers()
]
names = st.sampled_from(
    [name for name, _ in GOOD] + ["ce_notafter", "ce_replypartition", "ce_sequence", "other", "ce_"]
)
header_values = st.one_of(
    st.none(), st.binary(max_size=12), st.sampled_from([b"1.0", b"points.adjust.v1", b"-1", b"9" * 400])
)
numbers = st.one_of(st.integers(), st.floats(), st.sampled_from([2**63, -(2**63), 10**40, 1e308]))
leaves = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=8))
keys = st.sampled_from(
    ["accountNumber", "loyaltyPrograms", "loyaltyPointDefinitionId", "loads", "value", "context", "programme", "x"]
)
bodies = st.recursive(leaves, lambda of: st.one_of(st.lists(of, max_size=3), st.dictionaries(keys, of, max_size=4)))


def jsonable(body: Any) -> bytes:
    """JSON of anything, numbers that JSON does not have included."""
    try:
        return orjson.dumps(body)
    except TypeError:
        return repr(body).encode()


values = st.one_of(st.none(), st.binary(max_size=200), bodies.map(jsonable))
headers = st.lists(st.tuples(names, header_values), max_size=8)
mended = headers.map(lambda some: [*GOOD, *some])


def decodes(value: bytes | None, given_headers: list[tuple[str, bytes | None]]) -> None:
    """One record, whatever it is."""
    decoded = DECODE(Stub(value, given_headers))  # type: ignore[arg-type]
    match decoded:
        case Undecodable(error=Poison() as poison):
            assert poison.reason in REASONS
            assert len(str(poison)) < 4_000
        case Incoming() | Query():
            pass
        case other:
            raise AssertionError(other)


@given(values, st.one_of(headers, mended))
@settings(max_examples=300)
def test_decoding_never_raises(value: bytes | None, given_headers: list[tuple[str, bytes | None]]) -> None:
    decodes(value, given_headers)


@pytest.mark.long
@pytest.mark.timeout(1200)
@given(values, st.one_of(headers, mended))
@settings(max_examples=30_000, derandomize=False)
def test_decoding_never_raises_for_long(value: bytes | None, given_headers: list[tuple[str, bytes | None]]) -> None:
    decodes(value, given_headers)


REPLIES = b"edge.replies"
ADDRESSES: dict[str, tuple[bytes | None, bytes | None]] = {
    "a partition that there is not": (REPLIES, b"12"),
    "a partition far beyond": (REPLIES, b"99"),
    "a partition of 18 digits": (REPLIES, b"9" * 18),
    "a partition of 19 digits": (REPLIES, b"9" * 19),
    "no partition": (REPLIES, None),
    "no topic": (None, b"0"),
    "another topic": (b"points.events", b"0"),
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_for_the_reply_that_is_none_is_poison_and_answers_nobody(name: str) -> None:
    topic, partition = ADDRESSES[name]
    given_headers = [
        *GOOD,
        *([] if topic is None else [("ce_replyto", topic)]),
        *([] if partition is None else [("ce_replypartition", partition)]),
    ]
    record = Stub(b"{}", given_headers)
    decoded = DECODE(record)  # type: ignore[arg-type]
    assert isinstance(decoded, Undecodable)
    assert isinstance(decoded.error, Poison)
    assert (decoded.envelope, decoded.error.reason) == (None, "bad_envelope")
    assert DECODE.envelope(record) is None  # type: ignore[arg-type]


def test_a_good_address_is_taken() -> None:
    given_headers = [*GOOD, ("ce_replyto", REPLIES), ("ce_replypartition", b"11")]
    envelope = DECODE.envelope(Stub(b"{}", given_headers))  # type: ignore[arg-type]
    assert envelope is not None
    assert (envelope.reply_to, envelope.reply_partition) == ("edge.replies", 11)


GOOD_TIMES = ["2026-11-22T10:00:00Z", "2026-11-22t10:00:00.123456789z", "2026-11-22T10:00:00.1+01:00"]
BAD_TIMES = [
    "",
    "now",
    "1790000000",
    "2026-11-22",
    "2026-11-22T10:00:00",
    "2026-13-01T10:00:00Z",
    "2026-W01-1T10:00:00Z",
]


@pytest.mark.parametrize("text", GOOD_TIMES)
def test_a_time_as_in_rfc_3339_is_taken(text: str) -> None:
    assert Envelope.from_headers([*GOOD, ("ce_time", text.encode())]).time == text


@pytest.mark.parametrize("text", BAD_TIMES)
def test_a_time_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(EnvelopeError, match=r"ce_time .* such as 2026-11-22T10:00:00Z"):
        Envelope.from_headers([*GOOD, ("ce_time", text.encode())])


SERVICE_SOURCES = sorted(FOLLOW_UP_SOURCES)
CLAIMED = Envelope(id=new_id(), type="points.know_number.v1", source="/points", subject="s")
KNOWN = b'{"accountNumber": "6299"}'
LATER = "01936f2e-7c00-7000-8000-000000000002"


@pytest.mark.parametrize("source", SERVICE_SOURCES)
def test_a_service_is_believed_to_be_the_sender_by_its_signature(source: str) -> None:
    claimed = CLAIMED._replace(source=source)
    assert isinstance(DECODE(stub(signed(SECRET, claimed, KNOWN))), Incoming)
    for other in (claimed, claimed._replace(signature="\u00e9"), signed(b"a guess", claimed, KNOWN)):
        found = DECODE(stub(other))
        assert isinstance(found, Undecodable)
        assert (found.envelope, str(found.error)) == (
            None,
            f"ce_source is {source}, a service, and ce_signature is not its",
        )


@pytest.mark.parametrize(
    "changed",
    [{"id": LATER}, {"type": "points.adjust.v1"}, {"source": "/voucher"}, {"subject": "t"}, {"store": "other"}],
    ids=str,
)
def test_a_signature_is_of_one_command_alone(changed: dict[str, Any]) -> None:
    taken = signed(SECRET, CLAIMED, KNOWN)._replace(**changed)
    assert isinstance(DECODE(stub(taken)), Undecodable)
    assert isinstance(DECODE(stub(signed(SECRET, CLAIMED, b"{}"))), Undecodable)


def test_who_is_no_service_signs_nothing() -> None:
    assert signed(SECRET, CLAIMED._replace(source="/edge"), KNOWN).signature is None


def stub(envelope: Envelope) -> Any:
    return Stub(KNOWN, [*envelope.headers()])
