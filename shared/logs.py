"""Structured logs: one JSON object a line on standard output; ids, never bodies."""

import logging
import sys
import time

import structlog
from structlog.typing import Processor

from shared.metrics import CLIENT_WARNINGS

_NOISY = ("aiokafka", "faststream", "kafka")
_NOISE_INTERVAL_S = 30.0


def _is_news(record: logging.LogRecord) -> bool:
    """Not so what a client of Kafka says of each connection: that goes on on loopback alone (shared/secrecy.py)."""
    return record.getMessage() != "Sending username and password in the clear"


class _OneInAWhile(logging.Filter):
    """Lets one record of a flood through every 30 s and counts all (800 lines in 15 s without it)."""

    def __init__(self) -> None:
        super().__init__()
        self._last_s = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        CLIENT_WARNINGS.inc()
        now_s = time.monotonic()
        if now_s - self._last_s < _NOISE_INTERVAL_S:
            return False
        self._last_s = now_s
        return True


def configure_logs(level: str, service: str) -> None:
    """Send everything, the libraries' own logs included, to standard output as JSON."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    quiet = logging.StreamHandler(sys.stdout)
    quiet.setFormatter(formatter)
    quiet.addFilter(_is_news)
    quiet.addFilter(_OneInAWhile())
    for name in _NOISY:
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.handlers = [quiet]
        logger.propagate = False
    for name in ("uvicorn.access", "pymongo", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=service)
