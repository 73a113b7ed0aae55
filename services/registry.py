"""The table of services: runtime start, command line, verification, rebuild and the local stack read it.

A row names the module that wires a service; nothing of it is imported before it is asked for, so that a process holds
its own service alone. What a service has on the wire stands in `schemas.topics` and in the registry of its types.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from shared.runtime.service import Service
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Row:
    """A service: its module has `run(settings)`, and, when it keeps a journal, `service(settings)`."""

    module: str
    journaled: bool = True


SERVICES = {
    "points": Row("services.points.main"),
    "voucher": Row("services.voucher.main"),
    "customer": Row("services.customer.main"),
    "giftcard": Row("services.giftcard.main"),
    "edge": Row("services.edge.main", journaled=False),
}

JOURNALED = tuple(name for name, row in SERVICES.items() if row.journaled)
"""The services that decide on commands and keep what they decided."""


def one_of(names: Collection[str]) -> str:
    """Names as a sentence lists them: `points, voucher or customer`."""
    *others, last = names
    return f"{', '.join(others)} or {last}"


def service_of(name: str, settings: Settings) -> Service:
    """A service of this installation that keeps a journal.

    :raises KeyError: there is none of this name.
    """
    if name not in JOURNALED:
        raise KeyError(name)
    return cast(Service, import_module(SERVICES[name].module).service(settings))


def runner_of(name: str) -> Callable[[Settings], None]:
    """What runs one process of a service until it is told to stop.

    :raises KeyError: there is none of this name.
    """
    return cast(Callable[[Settings], None], import_module(SERVICES[name].module).run)
