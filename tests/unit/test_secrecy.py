"""Secrets: which are refused where, and how the local stack comes by its own."""

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from cli.commands.console import Failure
from cli.commands.environment import settings_at, settings_given
from cli.commands.local_secrets import with_drawn_secrets, with_kept_secrets
from schemas.key_sets import KeySet
from shared.secrecy import WeakSecret, check_value, on_loopback, require_strong
from shared.settings import DEVELOPMENT_CODE_KEYS, DEVELOPMENT_SECRET, Settings

GOOD = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"
KEYS = f"2026:{base64.b64encode(b'k' * 32).decode()}"
STRONG = {"secret": SecretStr(GOOD), "claims_secret": SecretStr(OTHER), "code_keys": SecretStr(KEYS)}


def settings(**more: Any) -> Settings:
    return Settings(**more)


OFF = [
    {"host": "0.0.0.0"},
    {"host": "::"},
    {"host": ""},
    {"host": "fealty.example"},
    {"kafka": "kafka:9092"},
    {"kafka": "127.0.0.1:9092,10.0.0.1:9092"},
    {"kafka": "[2001:db8::1]:9092"},
    {"mongodb": "mongodb://u:p@mongo:27017/?replicaSet=rs0"},
    {"mongodb": "mongodb://127.0.0.1:1,mongo:2/"},
    {"mongodb": "mongodb+srv://127.example/"},
    {"mongodb": "mongodb://127.0.0.1@mongo/"},
]


@pytest.mark.parametrize("where", OFF, ids=str)
@pytest.mark.parametrize("name", ["secret", "claims_secret"])
@pytest.mark.parametrize("weak", ["", " " * 40, "short", GOOD[:-1], DEVELOPMENT_SECRET])
def test_off_loopback_weak_secrets_are_refused(where: dict[str, str], name: str, weak: str) -> None:
    require_strong(settings(**where, **STRONG))
    with pytest.raises(WeakSecret, match=rf"^FEALTY_{name.upper()} must have .* `openssl rand"):
        require_strong(settings(**where, **{**STRONG, name: SecretStr(weak)}))


@pytest.mark.parametrize("where", OFF, ids=str)
def test_off_loopback_the_published_code_key_is_refused(where: dict[str, str]) -> None:
    renamed = f"{KEYS},old:{DEVELOPMENT_CODE_KEYS.partition(':')[2]}"
    for published in (DEVELOPMENT_CODE_KEYS, renamed):
        with pytest.raises(WeakSecret, match=r"^FEALTY_CODE_KEYS must not contain the published key .* `openssl rand"):
            require_strong(settings(**where, **{**STRONG, "code_keys": SecretStr(published)}))


def test_malformed_code_keys_are_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEALTY_CODE_KEYS", "2026:c2VjcmV0")
    with pytest.raises(Failure, match=r"^FEALTY_CODE_KEYS: .*the key 2026 is not the base64 of 32 bytes") as error:
        settings_given()
    assert "c2VjcmV0" not in str(error.value)


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"host": "::1", "kafka": "[::1]:9092", "mongodb": "mongodb://u:p%40@localhost:1/?replicaSet=rs0"},
        {"host": "localhost", "kafka": "127.0.0.1:1,localhost:2", "mongodb": "mongodb://[::1]:2,127.0.0.2?w=1"},
    ],
)
def test_on_loopback_anything_goes(where: dict[str, str]) -> None:
    assert on_loopback(settings(**where))
    require_strong(settings(**where))


def test_a_password_goes_in_the_clear_on_loopback_alone() -> None:
    good: dict[str, Any] = {**STRONG, "kafka_user": "fealty"}
    require_strong(settings(**good, kafka_mechanism="PLAIN", host="0.0.0.0"))
    require_strong(settings(**good, kafka="kafka:9092"))
    require_strong(settings(**good, kafka="kafka:9092", kafka_mechanism="PLAIN", kafka_tls=True))
    with pytest.raises(WeakSecret, match=r"^FEALTY_KAFKA_MECHANISM=PLAIN sends FEALTY_KAFKA_PASSWORD"):
        require_strong(settings(**good, kafka="kafka:9092", kafka_mechanism="PLAIN"))


def test_a_command_off_loopback_refuses_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    with pytest.raises(WeakSecret, match=r"^FEALTY_SECRET and FEALTY_CLAIMS_SECRET must have"):
        settings_at(tmp_path)
    monkeypatch.setenv("FEALTY_SECRET", GOOD)
    monkeypatch.setenv("FEALTY_CLAIMS_SECRET", OTHER)
    with pytest.raises(WeakSecret, match=r"^FEALTY_CODE_KEYS must not"):
        settings_at(tmp_path)
    monkeypatch.setenv("FEALTY_CODE_KEYS", KEYS)
    assert settings_at(tmp_path).kafka == "kafka:9092"


def test_the_local_stack_draws_its_own_once(tmp_path: Path) -> None:
    drawn = with_drawn_secrets(settings(), tmp_path)
    values = [drawn.secret.get_secret_value(), drawn.claims_secret.get_secret_value()]
    assert len({*values, DEVELOPMENT_SECRET}) == 3
    assert min(map(len, values)) >= 32
    assert drawn.code_key_set.current.secret != KeySet.parse(DEVELOPMENT_CODE_KEYS).current.secret
    assert with_drawn_secrets(settings(), tmp_path) == drawn
    (file,) = (tmp_path / "data").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    given = with_drawn_secrets(settings(secret=SecretStr(GOOD)), tmp_path)
    assert (given.secret.get_secret_value(), given.claims_secret) == (GOOD, drawn.claims_secret)


def test_secrets_given_at_the_first_start_are_kept(tmp_path: Path) -> None:
    with_drawn_secrets(settings(secret=SecretStr(GOOD), claims_secret=SecretStr("")), tmp_path)
    kept = with_drawn_secrets(settings(), tmp_path)
    assert kept.secret.get_secret_value() == GOOD
    assert len(kept.claims_secret.get_secret_value()) >= 32, "an empty one counts as not given"


def test_data_without_their_secrets_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "data" / "mongo").mkdir(parents=True)
    (tmp_path / "data" / "mongo" / "complete").touch()
    with pytest.raises(Failure, match=r"secrets\.json is missing"):
        with_drawn_secrets(settings(), tmp_path)
    with_drawn_secrets(settings(**STRONG), tmp_path)
    kept = with_drawn_secrets(settings(), tmp_path)
    assert {name: getattr(kept, name) for name in STRONG} == STRONG


def test_keys_of_codes_are_added_to_the_secrets_of_an_earlier_release(tmp_path: Path) -> None:
    (tmp_path / "data" / "mongo").mkdir(parents=True)
    (tmp_path / "data" / "mongo" / "complete").touch()
    file = tmp_path / "data" / "secrets.json"
    file.write_text(json.dumps({"secret": GOOD, "claims_secret": OTHER}))
    assert with_kept_secrets(settings(), tmp_path).secret.get_secret_value() == GOOD, "a command reads it as it is"
    drawn = with_drawn_secrets(settings(), tmp_path)
    assert (drawn.secret.get_secret_value(), drawn.claims_secret.get_secret_value()) == (GOOD, OTHER)
    assert drawn.code_keys != settings().code_keys
    assert with_drawn_secrets(settings(), tmp_path) == drawn == with_kept_secrets(settings(), tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [*file.parent.glob("secrets*")] == [file]


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", f'{{"secret": "{GOOD}", "claims_secret": "{OTHER}", "code_keys": "1:"}}']
)
def test_secrets_that_cannot_be_read_are_a_failure(tmp_path: Path, content: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "secrets.json").write_text(content)
    with pytest.raises(Failure, match=r"secrets\.json cannot be read"):
        with_drawn_secrets(settings(), tmp_path)


def test_commands_use_the_secrets_of_the_stack_whose_database_they_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = with_drawn_secrets(settings(), tmp_path)
    assert settings_at(tmp_path).secret != drawn.secret
    addresses = {"http": "h", "kafka": "127.0.0.1:1", "mongodb": "mongodb://127.0.0.1:2/"}
    (tmp_path / "endpoints.json").write_text(json.dumps(addresses))
    assert settings_at(tmp_path).secret == drawn.secret
    monkeypatch.setenv("MONGODB_URL", "mongodb://127.0.0.1:3/")
    assert settings_at(tmp_path).secret != drawn.secret


def test_a_check_value_tells_the_secret_apart_and_not_what_it_is() -> None:
    values = [
        check_value(variable, secret)["check"]
        for variable in ("FEALTY_SECRET", "FEALTY_CLAIMS_SECRET")
        for secret in (GOOD, OTHER)
    ]
    assert len({*values}) == 4
    assert not any(secret in value for secret in (GOOD, OTHER) for value in values)


def test_settings_that_are_shown_have_no_password_in_them() -> None:
    password = SecretStr("of-kafka")
    shown = repr(settings(mongodb="mongodb://fealty:of-mongodb@db/", kafka_password=password, secret=SecretStr(GOOD)))
    assert not [each for each in ("of-mongodb", "of-kafka", GOOD) if each in shown]
