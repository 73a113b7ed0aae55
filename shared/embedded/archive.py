"""Kafka's classes in an archive of the JVM's own: the broker then starts in 2.2 s instead of 4."""

import shutil
import tempfile
from pathlib import Path

from shared.embedded.errors import StackError
from shared.embedded.fetch import SERVERS
from shared.embedded.java import class_archive
from shared.embedded.kafka import EmbeddedKafka

__all__ = ["make_class_archive"]


async def make_class_archive(home: Path) -> None:
    """Run a broker of the fetched `home` once, and keep the classes that it loaded.

    Does nothing for a home that was not fetched, and nothing when the archive is there. A broker that does not
    start here is no error: it will say so where it is needed.
    """
    archive = class_archive(home)
    if archive.exists() or home.parent != SERVERS:
        return
    _clear(home)
    with tempfile.TemporaryDirectory(prefix=".archive-", dir=home) as work:
        new = Path(work) / archive.name
        kafka = EmbeddedKafka(home, Path(work) / "data", jvm_options=[f"-XX:ArchiveClassesAtExit={new}"])
        try:
            await kafka.start()
        except StackError:
            return
        await kafka.stop()  # the JVM writes the archive at its end
        if new.exists():
            new.rename(archive)


def _clear(home: Path) -> None:
    """Remove what a killed run left behind."""
    for left_behind in home.glob(".archive-*"):
        shutil.rmtree(left_behind, ignore_errors=True)
