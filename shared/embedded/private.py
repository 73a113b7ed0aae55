"""Files that only their owner can read: names, addresses and secrets lie in all that a stack writes."""

import os
import stat
from pathlib import Path

__all__ = ["make_private", "write_private"]

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OF_A_STACK = ("data", "logs", "servers")


def write_private(path: Path, text: str) -> None:
    """Write a small file so that it is there as a whole or not at all, and nobody else can read it at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    temporary.write_text(text)
    temporary.replace(path)


def make_private(root: Path) -> None:
    """Take from everybody else what they may do with a stack's directory and what the stack keeps in it.

    What else lies in the directory is left alone: somebody may have chosen one with other things in it.
    """
    root.chmod(0o700)
    own = [entry for entry in os.scandir(root) if entry.name in _OF_A_STACK or not entry.is_dir(follow_symlinks=False)]
    for entry in own:
        _mend(entry.path)
        if entry.is_dir(follow_symlinks=False):
            for folder, folders, files in os.walk(entry.path):
                for name in (*folders, *files):
                    _mend(os.path.join(folder, name))


def _mend(path: str) -> None:
    try:
        found = os.stat(path, follow_symlinks=False)
        if found.st_mode & _OTHERS and not stat.S_ISLNK(found.st_mode):
            os.chmod(path, stat.S_IMODE(found.st_mode) & ~_OTHERS)
    except FileNotFoundError:  # A log of an earlier run's server, which is just being removed.
        return
