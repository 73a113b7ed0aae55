"""How clients are connected: what the settings say, and that another process hears the same."""

from pathlib import Path
from typing import Any

import pytest
from faststream.kafka.security import parse_security
from pydantic import SecretStr

from shared.embedded.client_files import client_variables, write_client_files
from shared.embedded.endpoints import endpoints_of, kafka_login
from shared.runtime.app import _security
from shared.servers import environment_of, kafka_options
from shared.settings import Settings

LOGIN: dict[str, Any] = {"kafka": "k:1,k:2", "kafka_user": "fealty", "kafka_password": SecretStr("p=w")}
WAYS: list[dict[str, Any]] = [
    {"kafka": "k:1"},
    {"kafka": "k:1", "kafka_tls": True},
    LOGIN,
    {**LOGIN, "kafka_mechanism": "PLAIN"},
    {**LOGIN, "kafka_mechanism": "SCRAM-SHA-256", "kafka_tls": True},
]
EACH_WAY = pytest.mark.parametrize("way", WAYS, ids=str)


@EACH_WAY
def test_faststream_connects_as_every_other_client(way: dict[str, Any]) -> None:
    settings = Settings(**way)
    options = kafka_options(settings)
    said = parse_security(_security(settings))
    assert (said.pop("ssl_context") is None) == (options.pop("ssl_context") is None)
    assert {"bootstrap_servers": settings.kafka, **said} == options
    assert options["security_protocol"].endswith("SSL") == settings.kafka_tls


@EACH_WAY
def test_another_process_is_connected_alike(way: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(**way)
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


def test_commands_find_who_asks_in_the_endpoints_unless_it_is_given() -> None:
    settings = Settings(**LOGIN, kafka_mechanism="PLAIN")
    endpoints: Any = endpoints_of("h", settings)
    assert Settings(kafka=endpoints["kafka"], **kafka_login(endpoints, ())) == settings
    assert kafka_login(endpoints, {"kafka_user", "kafka_password"}) == {"kafka_mechanism": "PLAIN"}


@pytest.mark.parametrize(
    ("mechanism", "module"), [("PLAIN", "plain.PlainLoginModule"), ("SCRAM-SHA-512", "scram.ScramLoginModule")]
)
def test_files_for_clients_of_others(tmp_path: Path, mechanism: Any, module: str) -> None:
    settings = Settings(**LOGIN, kafka_mechanism=mechanism, kafka_tls=True)
    write_client_files(tmp_path, settings)
    files = client_variables(tmp_path, settings)
    assert Path(files["KCAT_CONFIG"]).read_text().splitlines() == [
        "bootstrap.servers=k:1,k:2",
        "security.protocol=SASL_SSL",
        f"sasl.mechanism={mechanism}",
        "sasl.username=fealty",
        "sasl.password=p=w",
    ]
    assert f'{module} required username="fealty" password="p=w";' in Path(files["KAFKA_PROPERTIES"]).read_text()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
