"""`fealty run SERVICE`: one process of one service."""

import importlib

import structlog

from cli.commands.console import Failure
from shared.settings import Settings

SERVICES = {
    "points": "services.points.main",
    "voucher": "services.voucher.main",
    "customer": "services.customer.main",
    "edge": "services.edge.main",
}
"""Every service that can be run, and the module whose `run(settings)` runs it."""


def run(service: str, settings: Settings) -> None:
    """Run a service until it is told to stop; the process ends with its exit status.

    :raises Failure: there is no such service.
    """
    module = SERVICES.get(service)
    if module is None:
        raise Failure(f"there is no service {service!r}; there are {', '.join(SERVICES)}")
    try:
        importlib.import_module(module).run(settings)
    except Exception as error:
        structlog.get_logger().error("the process failed", exc_info=error)
        raise Failure(f"{service} failed: {type(error).__name__}: {error}") from error
