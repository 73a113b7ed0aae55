"""How every client of Kafka and MongoDB is connected: services, commands, tests and measurements alike."""

import ssl
from typing import Any

from shared.settings import Settings


def kafka_options(settings: Settings) -> dict[str, Any]:
    """What a client of Kafka is made with: where the brokers are, who asks, and how that is kept secret."""
    context = ssl.create_default_context(cafile=settings.kafka_ca_file or None) if settings.kafka_tls else None
    options: dict[str, Any] = {"bootstrap_servers": settings.kafka, "ssl_context": context}
    if not settings.kafka_user:
        return {**options, "security_protocol": "SSL" if context else "PLAINTEXT"}
    return {
        **options,
        "security_protocol": "SASL_SSL" if context else "SASL_PLAINTEXT",
        "sasl_mechanism": settings.kafka_mechanism,
        "sasl_plain_username": settings.kafka_user,
        "sasl_plain_password": settings.kafka_password.get_secret_value(),
    }


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


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables by which another process finds the same servers, and is let in."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka,
        "MONGODB_URL": settings.mongodb,
        "FEALTY_KAFKA_USER": settings.kafka_user,
        "FEALTY_KAFKA_PASSWORD": settings.kafka_password.get_secret_value(),
        "FEALTY_KAFKA_MECHANISM": settings.kafka_mechanism,
        "FEALTY_KAFKA_TLS": str(settings.kafka_tls),
        "FEALTY_KAFKA_CA_FILE": settings.kafka_ca_file,
    }
