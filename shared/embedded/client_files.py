"""Kafka's address and who asks it, in files as clients of two kinds read them, and for a shell."""

import json
from pathlib import Path

from shared.embedded.private import write_private
from shared.servers import kafka_options
from shared.settings import Settings

__all__ = ["client_variables", "write_client_files"]

_JAVA, _LIBRDKAFKA = "kafka.properties", "kcat.conf"
_LOGIN = {"PLAIN": "plain.PlainLoginModule"}
_SCRAM = "scram.ScramLoginModule"


def write_client_files(root: Path, settings: Settings) -> None:
    """Write `root`/kafka.properties for Java's clients and `root`/kcat.conf for kcat and all others of librdkafka."""
    options = kafka_options(settings)
    both = {"bootstrap.servers": settings.kafka, "security.protocol": options["security_protocol"]}
    java, librdkafka = dict(both), dict(both)
    if settings.kafka_user:
        user, password = settings.kafka_user, settings.kafka_password.get_secret_value()
        module = f"org.apache.kafka.common.security.{_LOGIN.get(settings.kafka_mechanism, _SCRAM)}"
        java["sasl.mechanism"] = settings.kafka_mechanism
        java["sasl.jaas.config"] = f'{module} required username="{user}" password="{password}";'
        librdkafka |= {"sasl.mechanism": settings.kafka_mechanism, "sasl.username": user, "sasl.password": password}
    if settings.kafka_ca_file:
        java |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": settings.kafka_ca_file}
        librdkafka["ssl.ca.location"] = settings.kafka_ca_file
    for name, lines in ((_JAVA, java), (_LIBRDKAFKA, librdkafka)):
        write_private(root / name, "".join(f"{key}={value}\n" for key, value in lines.items()))


def client_variables(root: Path, settings: Settings) -> dict[str, str]:
    """Variables for a shell: the address, where the files are, and what aiokafka takes, as JSON."""
    options = {name: value for name, value in kafka_options(settings).items() if name != "ssl_context"}
    return {
        "KAFKA": settings.kafka,
        "KAFKA_PROPERTIES": str(root.resolve() / _JAVA),
        "KCAT_CONFIG": str(root.resolve() / _LIBRDKAFKA),
        "AIOKAFKA": json.dumps(options),
    }
