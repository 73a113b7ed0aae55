"""Decoding never raises, whatever a record holds: it is a command, a query, or poison with a reason."""

from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Envelope
from services.points.main import SERVICE
from shared.errors import Poison
from shared.ids import new_id
from shared.runtime.decode import Decoder, Incoming, Query, Undecodable
from shared.settings import Settings

REASONS = {"bad_envelope", "no_value", "too_large", "unknown_type", "bad_payload"}
DECODE = Decoder(SERVICE, Settings())


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
