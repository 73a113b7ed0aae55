"""Decoders with a bound: a kilobyte of compressed blanks would otherwise unpack to more memory than there is.

Kafka bounds a batch as it is compressed, and aiokafka decodes whatever that comes to. A batch that is larger
unpacked than :data:`UNPACKED_MAX` can't be read, and is treated like any other that can't.
"""

import gzip
import io
import mmap
import struct
from collections.abc import Callable
from importlib import import_module
from threading import Lock
from typing import Any

import cramjam
from aiokafka import codec as original
from aiokafka.errors import CorruptRecordException

__all__ = ["UNPACKED_MAX", "bound_codecs"]

UNPACKED_MAX = 64 * 1024 * 1024
"""Bytes of a batch's records. Orders in JSON get ten times as small by zstd, and a broker takes a megabyte of that."""

_USERS = ("aiokafka.codec", "aiokafka.record.default_records", "aiokafka.record._crecords.default_records")
_XERIAL_HEADER_BYTES = 16
_room = mmap.mmap(-1, UNPACKED_MAX)
"""Where batches are unpacked one after the other; a page of it takes memory only once it was needed."""
_one_at_a_time = Lock()


def bound_codecs() -> None:
    """Have aiokafka decode by the functions of this module, in all that reads records by it."""
    bounded = {"gzip_decode": _gzip, "snappy_decode": _snappy, "lz4_decode": _lz4, "zstd_decode": _zstd}
    for name in _USERS:
        module = import_module(name)
        for function, ours in bounded.items():
            assert hasattr(module, function), f"{name} decodes otherwise than it did"
            setattr(module, function, ours)


def _gzip(payload: memoryview) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(payload)) as file:
        found = file.read(UNPACKED_MAX + 1)
    if len(found) > UNPACKED_MAX:
        raise _too_large()
    return found


def _snappy(payload: memoryview) -> bytes:
    unpack = cramjam.snappy.decompress_raw_into
    if not original._detect_xerial_stream(payload):
        return _unpacked(unpack, payload)
    view = memoryview(payload)
    at, blocks, left = _XERIAL_HEADER_BYTES, [], UNPACKED_MAX
    while at < len(view):
        (length,) = struct.unpack_from("!i", view, at)
        blocks.append(_unpacked(unpack, view[at + 4 : at + 4 + length], left))
        left -= len(blocks[-1])
        at += 4 + length
    return b"".join(blocks)


def _lz4(payload: memoryview) -> bytes:
    return _unpacked(cramjam.lz4.decompress_into, payload)


def _zstd(payload: memoryview) -> bytes:
    return _unpacked(cramjam.zstd.decompress_into, payload)


def _unpacked(unpack: Callable[[Any, Any], int], payload: memoryview, most: int = UNPACKED_MAX) -> bytes:
    with _one_at_a_time, memoryview(_room)[:most] as room:
        try:
            return room[: unpack(payload, room)].tobytes()
        except cramjam.DecompressionError as error:
            if "whole buffer" in str(error) or "output buffer" in str(error):
                raise _too_large() from error
            raise


def _too_large() -> CorruptRecordException:
    return CorruptRecordException(f"a batch is larger than {UNPACKED_MAX} bytes when decompressed")
