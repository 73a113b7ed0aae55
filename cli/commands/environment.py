"""The settings of a command: the environment's; addresses that it does not give are those of the running stack."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from cli.commands.console import Failure, complain
from cli.commands.local_secrets import with_kept_secrets
from shared.embedded.endpoints import kafka_login
from shared.secrecy import require_strong
from shared.settings import Settings

ROOT = Path(".fealty")

Root = Annotated[
    Path,
    typer.Option("--root", envvar="FEALTY_ROOT", help="The directory with the local stack's data, logs and addresses."),
]
"""The option that every command has which works on an installation."""

_OTHERS = frozenset({"FEALTY_ROOT"})
_KUBERNETES = re.compile(r"_SERVICE_(HOST|PORT)|_PORT(_|$)")

_VARIABLES = {
    "kafka": ("KAFKA_BOOTSTRAP_SERVERS", "FEALTY_KAFKA"),
    "mongodb": ("MONGODB_URL", "FEALTY_MONGODB"),
}


def settings_at(root: Path) -> Settings:
    """The settings of this process, with the addresses in `root`/endpoints.json where the environment gives none.

    The secrets are those of the stack on `root` when it is that one's database, and so is who asks its Kafka.

    :raises Failure: a variable has a wrong value, or the file is there and cannot be read.
    :raises WeakSecret: the secrets are not good enough for where this works.
    """
    settings = settings_given()
    running = _endpoints(root / "endpoints.json")
    missing = [field for field, names in _VARIABLES.items() if not any(os.environ.get(name) for name in names)]
    settings = settings.model_copy(update={field: running[field] for field in missing if field in running})
    if settings.kafka == running.get("kafka"):
        settings = settings.model_copy(update=kafka_login(running, settings.model_fields_set))
    if settings.mongodb == running.get("mongodb"):
        settings = with_kept_secrets(settings, root)
    require_strong(settings)
    return settings


def http_at(root: Path) -> str:
    """The edge's base address, `http://host:port`, of the stack that runs on `root`.

    :raises Failure: none runs there.
    """
    address = _endpoints(root / "endpoints.json").get("http")
    if address is None:
        raise Failure(f"no stack runs on {root}: start one with `fealty up --demo`")
    return address


def settings_given() -> Settings:
    """The settings as the environment has them.

    :raises Failure: a variable has a wrong value.
    """
    for name in unknown_settings(os.environ):
        complain(name)
    try:
        return Settings()
    except ValidationError as error:
        wrong = [
            f"FEALTY_{str(item['loc'][0]).upper().removeprefix('FEALTY_')}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        ]
        raise Failure("; ".join(wrong)) from error


def unknown_settings(names: Iterable[str]) -> Iterator[str]:
    """What to say of each variable that looks like a setting and is none; it is ignored, and so was meant for another.

    Kubernetes makes `FEALTY_…_SERVICE_…` and `FEALTY_…_PORT…` for services of such a name: these are left alone.
    """
    known = {f"FEALTY_{field.upper()}" for field in Settings.model_fields} | _OTHERS
    for name in sorted(names):
        if name.startswith("FEALTY_") and name not in known and not _KUBERNETES.search(name):
            close = get_close_matches(name, known, 1)
            yield f"unknown setting {name}, which is ignored" + (f"; did you mean {close[0]}?" if close else "")


def _endpoints(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Failure(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise Failure(f"{path} cannot be read: it contains no addresses")
    return {str(name): str(address) for name, address in found.items()}
