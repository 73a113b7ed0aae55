"""The secrets of the local stack: drawn at its first start, and kept with the data that depend on them."""

import base64
import json
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from cli.commands.console import Failure
from schemas.key_sets import KEY_BYTES, KeySet
from shared.settings import Settings

_FIRST_KEY = "1"


def _drawn_key() -> str:
    return f"{_FIRST_KEY}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


_DRAWN: dict[str, Callable[[], str]] = {
    "secret": partial(secrets.token_urlsafe, 32),
    "claims_secret": partial(secrets.token_urlsafe, 32),
    "code_keys": _drawn_key,
}
_ADDED = frozenset({"code_keys"})
"""Not in the files of earlier releases, whose data do not depend on it."""


def with_drawn_secrets(settings: Settings, root: Path) -> Settings:
    """The settings with the secrets of the stack on `root`; the first call keeps what is given and draws the rest.

    :raises Failure: there are data and no secrets any more, or the file cannot be read.
    """
    path, given = _file(root), _given(settings)
    if not path.exists():
        if _DRAWN.keys() - _ADDED - given.keys() and any(path.parent.glob("*/complete")):
            raise Failure(
                f"{path} is missing, but the data in {path.parent} was written with its secrets: restore the file, set "
                f"{', '.join(f'FEALTY_{name.upper()}' for name in _DRAWN)} to these secrets, or remove {path.parent} "
                "to start empty"
            )
        _keep(path, {name: given.get(name) or draw() for name, draw in _DRAWN.items()})
    else:
        kept = _read(path)
        if new := _ADDED - kept.keys():
            _write(path, {**kept, **{name: given.get(name) or _DRAWN[name]() for name in new}}, os.replace)
    return with_kept_secrets(settings, root)


def with_kept_secrets(settings: Settings, root: Path) -> Settings:
    """The settings with the kept secrets where none are given; as they are when no stack ever ran on `root`.

    :raises Failure: the file cannot be read.
    """
    path, given = _file(root), _given(settings)
    kept = _read(path) if path.exists() else {}
    return settings.model_copy(update={name: SecretStr(each) for name, each in kept.items() if name not in given})


def _read(path: Path) -> dict[str, str]:
    """The kept secrets; a file of an earlier release has fewer.

    :raises Failure: the file cannot be read.
    """
    try:
        found = json.loads(path.read_bytes())
        kept = {name: str(found[name]) for name in _DRAWN if name in found or name not in _ADDED}
        KeySet.parse(kept.get("code_keys") or _drawn_key())
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Failure(f"{path} cannot be read: {type(error).__name__}; restore it from a backup") from error
    return kept


def _given(settings: Settings) -> dict[str, str]:
    """The secrets that the environment gives; an empty one is none."""
    values = {name: getattr(settings, name).get_secret_value() for name in _DRAWN if name in settings.model_fields_set}
    return {name: value for name, value in values.items() if value}


def _keep(path: Path, values: dict[str, str]) -> None:
    """Write the file as a whole, readable by its owner only; of two that do so at once, the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        _write(path, values, os.link)


def _write(path: Path, values: dict[str, str], put: Callable[[Path, Path], None]) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.touch(mode=0o600)
    try:
        temporary.write_text(json.dumps(values, indent=2) + "\n")
        put(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _file(root: Path) -> Path:
    return root / "data" / "secrets.json"
