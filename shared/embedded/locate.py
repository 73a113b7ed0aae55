"""Which servers to use, in this order: the environment's, this machine's own, fetched ones."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from shared.embedded.errors import StackError
from shared.embedded.fetch import fetch_kafka, fetch_mongod
from shared.embedded.java import find_java

__all__ = ["External", "locate_kafka", "locate_mongod"]


@dataclass(frozen=True, slots=True)
class External:
    """A server that runs already; `address` as its environment variable gives it."""

    address: str

    def __str__(self) -> str:
        return f"given by the environment, {self.address.rpartition('@')[2]}"  # without a password


def locate_kafka() -> External | Path:
    """KAFKA_BOOTSTRAP_SERVERS, else the home (with `libs`) that KAFKA_HOME names, else a fetched one.

    Raises StackError when KAFKA_HOME has no jars or there is no Java, FetchError when fetching fails.
    """
    if address := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        return External(address)
    find_java()
    if home := os.environ.get("KAFKA_HOME"):
        if not any(Path(home, "libs").glob("kafka_*.jar")):
            raise StackError(f"KAFKA_HOME is {home}, but there is no libs/kafka_*.jar in it")
        return Path(home).resolve()
    return fetch_kafka()


def locate_mongod() -> External | Path:
    """MONGODB_URL, else the mongod on the PATH, else a fetched one. Raises FetchError when fetching fails."""
    if address := os.environ.get("MONGODB_URL"):
        return External(address)
    if mongod := shutil.which("mongod"):
        return Path(mongod)
    return fetch_mongod()
