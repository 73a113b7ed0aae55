"""What a batch unpacks to is bounded, in each of Kafka's codecs; what is within the bound is unpacked as before."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiokafka.codec as codec
import cramjam
import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

import shared.runtime.kafka  # noqa: F401 - whoever reads Kafka has bounded codecs
from shared.runtime.codecs import UNPACKED_MAX

FRAME, GIB = 1 << 22, 1 << 30
XERIAL_HEADER_BYTES = 16
CHILD = """
import resource, sys
from pathlib import Path
import aiokafka.codec as codec
import shared.runtime.kafka
from aiokafka.errors import CorruptRecordException

def peak_kib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

bomb = Path(sys.argv[2]).read_bytes()
before = peak_kib()
try:
    getattr(codec, sys.argv[1] + "_decode")(bomb)
except CorruptRecordException:
    print(peak_kib() - before)
"""

CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
Encode = Callable[[bytes], bytes]
ENCODE: dict[str, Encode] = {
    "gzip": lambda data: bytes(codec.gzip_encode(data, compresslevel=1)),
    "snappy": codec.snappy_encode,
    "snappy in one piece": lambda data: bytes(cramjam.snappy.compress_raw(data)),
    "lz4": codec.lz4_encode,
    "zstd": codec.zstd_encode,
}


def decode(name: str, data: bytes) -> bytes:
    return bytes(getattr(codec, f"{name.split()[0]}_decode")(data))


@pytest.mark.parametrize("name", ENCODE)
@pytest.mark.parametrize("size", [1, 100_000, UNPACKED_MAX])
def test_what_is_within_the_bound_is_unpacked(name: str, size: int) -> None:
    plain = (b"points" * (size // 6 + 1))[:size]
    assert decode(name, ENCODE[name](plain)) == plain


@pytest.mark.parametrize("name", ENCODE)
def test_what_is_beyond_is_refused(name: str) -> None:
    bomb = ENCODE[name](bytes(UNPACKED_MAX + 1))
    with pytest.raises(CorruptRecordException, match="larger than 67108864 bytes when decompressed"):
        decode(name, bomb)


@pytest.mark.parametrize("name", ["gzip", "snappy", "zstd"])
def test_a_bomb_takes_no_memory(name: str, tmp_path: Path) -> None:
    """A GiB of blanks, as frames one behind the other, in a process of its own, whose peak is its own too."""
    frame = ENCODE[name](bytes(FRAME))
    header = XERIAL_HEADER_BYTES if name == "snappy" else 0
    bomb = tmp_path / "bomb"
    bomb.write_bytes(frame[:header] + frame[header:] * (GIB // FRAME))
    child = subprocess.run(
        [sys.executable, "-c", CHILD, name, str(bomb)], capture_output=True, text=True, check=True, timeout=60
    )
    grown_kib = int(child.stdout)
    assert grown_kib < 4 * UNPACKED_MAX // 1024


@pytest.mark.parametrize("name", [name for name in ENCODE if name != "gzip"])
def test_what_is_no_such_code_is_told_as_before(name: str) -> None:
    with pytest.raises(cramjam.DecompressionError):
        decode(name, b"\xff" * 100)


@pytest.mark.parametrize("name", CODECS)
def test_a_batch_is_read_by_the_bounded_decoders(name: str) -> None:
    def batch(size: int) -> Any:
        builder = DefaultRecordBatchBuilder(2, CODECS[name], 0, -1, -1, -1, 2 * UNPACKED_MAX)
        builder.append(0, timestamp=None, key=b"key", value=bytes(size), headers=[])
        return DefaultRecordBatch(bytes(builder.build()))

    assert [len(record.value) for record in batch(100_000)] == [100_000]
    with pytest.raises(CorruptRecordException):
        next(iter(batch(UNPACKED_MAX)))
