"""How every client of Kafka and MongoDB is connected: services, commands, tests and measurements alike."""

from typing import Any


def mongodb_options(url: str, timeout_ms: int = 30_000) -> dict[str, Any]:
    """What a client of MongoDB is made with; user, password, TLS and mechanism stand in its address.

    A server that is away is noticed after `timeout_ms`; how long an operation may take is the caller's to say.
    """
    return {
        "host": url,
        "appname": "fealty",
        "serverSelectionTimeoutMS": timeout_ms,
        "connectTimeoutMS": timeout_ms,
        "tz_aware": True,
    }
