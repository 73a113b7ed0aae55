"""What docs/integration.md shows is run as pasted, by each of three clients with each codec of Kafka."""

import asyncio
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from shared.embedded.client_files import client_variables, write_client_files
from shared.embedded.locate import External, locate_kafka
from shared.ids import account_id
from shared.runtime.heads import _HEADER, _LENGTH_FROM, _by_node, _client, _request
from shared.runtime.kafka import TopicPartition
from tests.harness import Installation, eventually

pytestmark = pytest.mark.real

PAGE = (Path(__file__).parent.parent.parent / "docs" / "integration.md").read_text()
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
NUMBER, POINTS = "6299000000000000017", 1000
PADDING = 4_000
"""Blanks in the body: a client leaves uncompressed what would not get smaller."""


def shown(language: str) -> str:
    """The page's example in a language."""
    (found,) = re.findall(rf"test_integration_page\.py -->\n```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def pasted(text: str, installation: Installation, codec: str, number: str) -> str:
    """An example for this broker and topic, with its own id, account and codec."""
    changes = {
        "oms.fulfilments": installation.settings.topic("oms.fulfilments"),
        "f-1001": f"f-{number}",
        NUMBER: number,
        "zstd": codec,
        '{"loyaltyPrograms"': f'{{{" " * PADDING}"loyaltyPrograms"',
    }
    for old, new in changes.items():
        assert old in text, f"the example no longer says {old}"
        text = text.replace(old, new)
    return text


def kcat(text: str, _: Path) -> list[str]:
    """How the page's shell example is run."""
    if shutil.which("kcat") is None:
        pytest.skip("kcat is not installed, and could not be by the set-up (Debian: kcat)")
    return ["bash", "-euc", text]


def python(text: str, _: Path) -> list[str]:
    """How the page's Python example is run."""
    return [sys.executable, "-c", text]


def java(text: str, directory: Path) -> list[str]:
    """How the page's Java example is run: from its source, by Kafka's own client."""
    home = locate_kafka()
    if isinstance(home, External):
        pytest.skip("Kafka's jars are not here: the environment names a broker")
    modules = subprocess.run(["java", "--list-modules"], capture_output=True, text=True, check=False).stdout
    if "jdk.compiler" not in modules:
        pytest.skip("this Java can't run a source file: it is a JRE (Debian: openjdk-17-jdk-headless has more)")
    (directory / "Publish.java").write_text(text)
    return ["java", "-cp", str(home / "libs" / "*"), str(directory / "Publish.java")]


CLIENTS = {"bash": kcat, "python": python, "java": java}


@pytest.mark.parametrize("language", CLIENTS)
async def test_what_the_page_shows_is_booked_with_every_codec(
    installation: Installation, language: str, tmp_path: Path
) -> None:
    numbers = {codec: f"62990000000000001{place:02}" for place, codec in enumerate(CODECS)}
    journal = installation.collection("points", "journal")
    accounts = [account_id("default", number) for number in numbers.values()]
    write_client_files(tmp_path, installation.settings)
    async with installation.points():
        for codec, number in numbers.items():
            (tmp_path / codec).mkdir()
            command = CLIENTS[language](pasted(shown(language), installation, codec, number), tmp_path / codec)
            process = await asyncio.create_subprocess_exec(
                *command,
                stderr=asyncio.subprocess.PIPE,
                env=installation.environment("oms", 0, client_variables(tmp_path, installation.settings)),
            )
            _, complaints = await process.communicate()
            assert process.returncode == 0, complaints.decode()
        booked = {"subject": {"$in": accounts}, "status": "accepted"}
        await eventually(lambda: journal.count_documents(booked), len(numbers))
    assert await codecs(installation) == Counter(range(len(CODECS))), "each batch is compressed as it says"
    entries = [entry async for entry in journal.find(booked)]
    assert {entry["result"]["balances"][0]["pointsBalance"] for entry in entries} == {POINTS}
    assert await installation.collection("points", "dead_letters").count_documents({}) == 0


async def codecs(installation: Installation) -> Counter[int]:
    """How many batches of the topic have each codec, by the attributes in their headers."""
    settings = installation.settings
    topic = settings.topic("oms.fulfilments")
    places = {TopicPartition(topic, number): 0 for number in range(settings.partitions)}
    found: Counter[int] = Counter()
    async with _client(settings) as client:
        await client.set_topics([topic])
        for node, asked in _by_node(client, places).items():
            response = await client.send(node, _request(asked, places))
            for raw in (bytes(rest[-1] or b"") for _, parts in response.topics for _, _, _, *rest in parts):
                at = 0
                while at < len(raw):
                    _, length, _, _, _, attributes, _ = _HEADER.unpack_from(raw, at)
                    found[attributes & 7] += 1
                    at += _LENGTH_FROM + length
    return found
