"""`fealty run SERVICE`: one process of one service."""

import structlog

from cli.commands.console import Failure
from services.registry import SERVICES, runner_of
from shared.settings import Settings


def run(service: str, settings: Settings) -> None:
    """Run a service until it is told to stop; the process ends with its exit status.

    :raises Failure: there is no such service.
    """
    if service not in SERVICES:
        raise Failure(f"unknown service {service!r}; choose one of {', '.join(SERVICES)}")
    try:
        runner_of(service)(settings)
    except Exception as error:
        structlog.get_logger().error("the process failed", exc_info=error)
        raise Failure(f"{service} failed: {type(error).__name__}: {error}") from error
