"""Which batch can't be read, told from its bytes alone."""

from aiokafka.errors import CorruptRecordException, NoError
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from shared.runtime.heads import _head
from shared.runtime.kafka import TopicPartition

PLACE = TopicPartition("t", 3)
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def batch(base: int, *values: bytes, codec: int = 0) -> bytearray:
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1_000_000)
    for number, value in enumerate(values):
        builder.append(number, timestamp=0, key=b"k", value=value, headers=[])
    made = bytearray(builder.build())
    made[:8] = base.to_bytes(8, "big")
    return made


def test_every_codec_of_kafkas_clients_can_be_read() -> None:
    for codec in CODECS.values():
        head = _head(PLACE, 5, NoError, bytes(batch(5, b"x" * 5_000, b"y", codec=codec)))
        assert head.unreadable is None, head.unreadable
        assert [record.value for record in head.records] == [b"x" * 5_000, b"y"]


def test_an_unknown_codec_is_named_with_its_offset_and_what_follows_it() -> None:
    bad = batch(6, b"b", b"c", b"d")
    bad[22] |= 5
    bad[17:21] = _crc(bad)
    head = _head(PLACE, 5, NoError, bytes(batch(5, b"a") + bad + batch(9, b"e")))
    assert [record.offset for record in head.records] == [5]
    found = head.unreadable
    assert found is not None
    assert (found.where, found.next_offset, found.raw) == ("t/3/6", 9, bytes(bad))


def test_a_wrong_checksum_is_named() -> None:
    bad = batch(5, b"a")
    bad[-2] ^= 1
    found = _head(PLACE, 5, NoError, bytes(bad)).unreadable
    assert found is not None
    assert found.reason.startswith("CorruptRecordException: ")
    assert found.next_offset == 6


def test_a_header_that_makes_no_sense_is_stepped_over_one_offset_at_a_time() -> None:
    bad = batch(5, b"a")
    bad[8:12] = (2**31 - 1).to_bytes(4, "big")
    found = _head(PLACE, 5, NoError, bytes(bad)).unreadable
    assert found is not None
    assert (found.offset, found.next_offset, found.raw) == (5, 6, bytes(bad))


def test_what_the_broker_itself_cannot_read_has_no_bytes() -> None:
    found = _head(PLACE, 5, CorruptRecordException, b"").unreadable
    assert found is not None
    assert (found.offset, found.next_offset, found.raw) == (5, 6, None)


def _crc(made: bytearray) -> bytes:
    from aiokafka.record.util import calc_crc32c

    return int(calc_crc32c(bytes(made[21:]))).to_bytes(4, "big")
