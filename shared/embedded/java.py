"""How Kafka's programs are run: which Java, with which options, with which archive of loaded classes."""

import os
import shutil
from pathlib import Path

from shared.embedded.errors import StackError

__all__ = ["class_archive", "find_java", "java_command"]

_LOG4J = Path(__file__).with_name("log4j2.properties")
_HEAP = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError")


def java_command(home: Path) -> list[str]:
    """The command line up to the class to run, for the jars in `home`/libs. Raises StackError without Java."""
    archive = class_archive(home)
    sharing = [f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []
    logging = f"-Dlog4j2.configurationFile={_LOG4J}"
    return [find_java(), *_HEAP, *sharing, logging, "-cp", str(home / "libs" / "*")]


def class_archive(home: Path) -> Path:
    """Where `home` keeps its archive of loaded classes; a JVM that it does not fit starts without it."""
    return home / "classes.jsa"


def find_java() -> str:
    """The path of Java: JAVA_HOME's, else the PATH's. Raises StackError when there is none."""
    java_home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{java_home}/bin") if java_home else shutil.which("java")
    if java is None:
        raise StackError(
            "Kafka needs Java 17 or newer: install it (Debian: apt-get install openjdk-17-jre-headless), "
            "or set KAFKA_BOOTSTRAP_SERVERS to the address of a running Kafka"
        )
    return java
