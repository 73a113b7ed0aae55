"""The secrets of the local stack: drawn at its first start, and kept with the data that depend on them."""

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from cli.commands.console import Failure
from shared.settings import Settings

_NAMES = ("secret", "claims_secret")


def with_drawn_secrets(settings: Settings, root: Path) -> Settings:
    """The settings with the secrets of the stack on `root`; the first call keeps what is given and draws the rest.

    :raises Failure: there are data and no secrets any more, or the file cannot be read.
    """
    path = _file(root)
    if not path.exists():
        given = _given(settings)
        if len(given) < len(_NAMES) and any(path.parent.glob("*/complete")):
            raise Failure(
                f"{path} is missing, but the data in {path.parent} was written with its secrets: restore the file, "
                f"set FEALTY_SECRET and FEALTY_CLAIMS_SECRET to these secrets, or remove {path.parent} to start empty"
            )
        _keep(path, {name: given.get(name) or secrets.token_urlsafe(32) for name in _NAMES})
    return with_kept_secrets(settings, root)


def with_kept_secrets(settings: Settings, root: Path) -> Settings:
    """The settings with the kept secrets where none are given; as they are when no stack ever ran on `root`.

    :raises Failure: the file cannot be read.
    """
    path = _file(root)
    try:
        found = json.loads(path.read_bytes())
        kept = {name: SecretStr(found[name]) for name in _NAMES}
    except FileNotFoundError:
        return settings
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Failure(f"{path} cannot be read: {type(error).__name__}; restore it from a backup") from error
    given = _given(settings)
    return settings.model_copy(update={name: secret for name, secret in kept.items() if name not in given})


def _given(settings: Settings) -> dict[str, str]:
    """The secrets that the environment gives; an empty one is none."""
    values = {name: getattr(settings, name).get_secret_value() for name in _NAMES if name in settings.model_fields_set}
    return {name: value for name, value in values.items() if value}


def _keep(path: Path, values: dict[str, str]) -> None:
    """Write the file as a whole, readable by its owner only; of two that do so at once, the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(values, indent=2) + "\n")
    with suppress(FileExistsError):
        os.link(temporary, path)
    temporary.unlink()


def _file(root: Path) -> Path:
    return root / "data" / "secrets.json"
