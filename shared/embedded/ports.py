"""Ports for what is started here: below those that the kernel gives to outgoing connections, which would take them."""

import random
import socket
from collections.abc import Collection

from shared.embedded.errors import StackError

LOOPBACK = "127.0.0.1"
_PORTS = range(20_000, 30_000)
_TRIES_MAX = 100


def is_free(host: str, port: int) -> bool:
    """Whether nobody listens on this port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str, taken: Collection[int] = ()) -> int:
    """A port that nobody listens on now, and that is none of `taken`.

    :raises StackError: none was found.
    """
    for _ in range(_TRIES_MAX):
        port = random.choice(_PORTS)
        if port not in taken and is_free(host, port):
            return port
    raise StackError(f"no free port found on {host} between {_PORTS.start} and {_PORTS.stop}")
