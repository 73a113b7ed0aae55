"""The settings of a command: the environment's; addresses that it does not give are those of the running stack."""

import json
import os
from pathlib import Path

from shared.commands.console import Failure
from shared.settings import Settings

ROOT = Path(".fealty")

_VARIABLES = {
    "kafka": ("KAFKA_BOOTSTRAP_SERVERS", "FEALTY_KAFKA"),
    "mongodb": ("MONGODB_URL", "FEALTY_MONGODB"),
}


def settings_at(root: Path) -> Settings:
    """The settings of this process, with the addresses in `root`/endpoints.json where the environment gives none.

    :raises Failure: the file is there and cannot be read.
    :raises pydantic.ValidationError: a variable has a wrong value.
    """
    settings = Settings()
    running = _endpoints(root / "endpoints.json")
    update = {
        field: running[field]
        for field, variables in _VARIABLES.items()
        if field in running and not any(os.environ.get(name) for name in variables)
    }
    return settings.model_copy(update=update)


def _endpoints(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Failure(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise Failure(f"{path} cannot be read: it holds no addresses")
    return {str(name): str(address) for name, address in found.items()}
