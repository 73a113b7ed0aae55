"""Batches that no client of ours can read, put into a real log: by a sender's fault, and by a broken disk."""

import struct
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from shared.runtime.kafka import TopicPartition
from shared.servers import kafka_options
from tests.harness import Installation

_CRC_AT, _CHECKED_FROM = 17, 21
_TIMEOUT_MS = 10_000
_ZSTD = 4


def batch_with_a_bad_header(value: bytes) -> bytes:
    """A batch of one record whose header has a name that is not UTF-8; its checksum is right."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1_000_000)
    builder.append(0, timestamp=None, key=b"key", value=value, headers=[("zz", b"")])
    batch = bytearray(builder.build())
    assert batch.count(b"\x04zz") == 1
    batch[:] = batch.replace(b"\x04zz", b"\x04\xff\xff")
    batch[_CRC_AT:_CHECKED_FROM] = struct.pack(">I", calc_crc32c(bytes(batch[_CHECKED_FROM:])))
    return bytes(batch)


def batch_that_unpacks_to(size: int) -> bytes:
    """A batch of one record with a value of so many bytes, of which zstd leaves a few kilobytes."""
    builder = DefaultRecordBatchBuilder(2, _ZSTD, 0, -1, -1, -1, 2 * size)
    builder.append(0, timestamp=None, key=b"key", value=bytes(size), headers=[])
    return bytes(builder.build())


async def produce_raw(installation: Installation, place: TopicPartition, batch: bytes) -> int:
    """Have the broker append a batch as it is; its offset."""
    client = AIOKafkaClient(**kafka_options(installation.settings))
    await client.bootstrap()
    try:
        await client.set_topics([place.topic])
        node = client.cluster.leader_for_partition(place)
        request = ProduceRequest(None, -1, _TIMEOUT_MS, [(place.topic, [(place.partition, batch)])])
        response = await client.send(node, request)
        ((_, ((_, error, offset, *_),)),) = response.topics
        assert error == 0
        return int(offset)
    finally:
        await client.close()


def flip_a_bit(kafka_data: Path, place: TopicPartition, marker: bytes) -> None:
    """Damage the record that holds `marker` in the broker's own file, so that its batch's checksum is wrong."""
    (log,) = kafka_data.glob(f"*/{place.topic}-{place.partition}/*.log")
    with log.open("r+b") as file:
        at = file.read().index(marker)
        file.seek(at)
        file.write(bytes([marker[0] ^ 1]))
