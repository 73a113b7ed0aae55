"""One frozen settings object, read from the environment once, by whoever starts a process."""

from ipaddress import ip_address
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, IPvAnyNetwork, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from schemas.envelope import STORE
from schemas.key_sets import KeySet

Positive = Annotated[int, Field(gt=0)]

DEVELOPMENT_SECRET = "fealty-development-only"
"""What everybody knows: good for trying out on loopback, and refused elsewhere (shared/secrecy.py)."""

DEVELOPMENT_CODE_KEYS = "development:ZmVhbHR5LWRldmVsb3BtZW50LW9ubHktMzItYnl0ZXM="
"""The same for keys of codes."""


def _words(value: Any) -> Any:
    """`a, b` as an environment has it; anything else as it is."""
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


def _key_set(text: SecretStr) -> SecretStr:
    """Keys as they are given, if they are a set of keys."""
    KeySet.parse(text.get_secret_value())
    return text


class Settings(BaseSettings):
    """Everything an operator can set. Variables are `FEALTY_<NAME>`; the two addresses also go by common names."""

    model_config = SettingsConfigDict(env_prefix="FEALTY_", frozen=True, populate_by_name=True)

    kafka: str = Field(
        default="127.0.0.1:9092",
        validation_alias=AliasChoices("KAFKA_BOOTSTRAP_SERVERS", "FEALTY_KAFKA"),
    )
    mongodb: str = Field(
        default="mongodb://127.0.0.1:27017/?replicaSet=rs0",
        validation_alias=AliasChoices("MONGODB_URL", "FEALTY_MONGODB"),
        repr=False,  # It may have a password in it.
    )
    kafka_user: str = ""
    kafka_password: SecretStr = SecretStr("")
    kafka_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """Who the brokers are told is asking, by SASL; nobody in particular without a user."""

    kafka_tls: bool = False
    kafka_ca_file: str = ""
    """Whether the brokers speak TLS, and the certificates that theirs are checked against; else the system's."""

    prefix: str = Field(default="", pattern=r"^[a-z0-9.\-]{0,32}$")
    """Put before every topic, group and database name, so that installations can share servers."""

    store: str = Field(default="default", pattern=STORE)
    """The store of inputs that name none."""

    secret: SecretStr = SecretStr(DEVELOPMENT_SECRET)
    """Keys request hashes (P3), ids of operations, cursors and drawn serials. It never changes (shared/secrecy.py)."""

    claims_secret: SecretStr = SecretStr(DEVELOPMENT_SECRET)
    """Keys claims on e-mails, phones and card numbers, and drawn card numbers. It never changes: all would be free."""

    code_keys: Annotated[SecretStr, AfterValidator(_key_set)] = SecretStr(DEVELOPMENT_CODE_KEYS)
    """`ID:KEY,ID:KEY`: new codes are derived with the first key, and checked with the one that they were derived with.
    So keys are added in front, and stay (shared/secrecy.py)."""

    customer_unique: Annotated[frozenset[Literal["email", "phone"]], NoDecode, BeforeValidator(_words)] = frozenset(
        {"email", "phone"}
    )
    """What only one customer of a store may have, comma-separated; a card number always (rules 4.5.1)."""

    phone_region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    """The country of phone numbers that are written without one, such as `NL`; without it their digits are compared."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Where this process answers HTTP: health and metrics, and the API for the edge; 0 takes a free port."""

    health_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Where the edge answers health and metrics beside its API, for the house alone; 0 takes a free port."""

    connections_max: Positive = 1_000
    connections_per_peer: Positive = 250
    """How many HTTP connections a process takes, in all and from one address; beyond them the answer is 503."""

    client_requests_per_s: Positive = 1_000
    """How many requests a client may send to one edge process a second, and twice as many at once; then it gets 429."""

    client_wrong_codes_max: Positive = 100
    """How many wrong codes a client may send within an hour, all edge processes together; then it must wait."""

    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_words)] = ()
    """Addresses or networks whose `X-Forwarded-For` is believed, and from which connections count in total only."""

    instance: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._\-]{1,64}$")
    """A name that stays the same over restarts makes the process a static member of its groups."""

    partitions: Positive = 12
    batch_records_max: Positive = 500
    record_bytes_max: Positive = 256 * 1024
    poll_timeout_ms: Positive = 500
    fetch_wait_ms: Positive = 20
    feed_wait_ms: Positive = 200
    """How long the broker holds an empty answer: for commands, and for inputs and feeds. One that is on its way keeps
    a busy partition waiting, and each costs CPU: 20 ms on both topics kept an idle broker at a third of a core."""

    session_timeout_ms: Positive = 10_000
    heartbeat_interval_ms: Positive = 3_000
    rebalance_timeout_ms: Positive = 60_000
    request_timeout_ms: Positive = 10_000
    drain_timeout_s: Positive = 20
    tick_interval_s: Positive = 6 * 3600
    sweep_interval_s: Positive = 5
    sweep_page_max: Positive = 200
    """How many streams with something due are woken at once; the next are when these have been dealt with."""

    closed_kept_days: int = Field(default=30, ge=0)
    """For how long the snapshots of closed transactions are kept; afterwards the journal has them."""

    stall_timeout_s: Positive = 60
    attempts_max: Positive = 3
    reply_wait_ms: Positive = 5_000
    not_after_ms: Positive = 60_000
    log_level: str = "INFO"

    @property
    def code_key_set(self) -> KeySet:
        """The keys of codes."""
        return KeySet.parse(self.code_keys.get_secret_value())

    def trusts(self, peer: str) -> bool:
        """Whether a connection from this address comes from a proxy of ours."""
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self.trusted_proxies)

    def topic(self, name: str) -> str:
        """The topic's name in this installation."""
        return f"{self.prefix}{name}"

    def database(self, service: str) -> str:
        """The database of a service; MongoDB allows no dots in it."""
        return f"{self.prefix}fealty_{service}".replace(".", "_")

    def group(self, name: str) -> str:
        """The consumer group's name in this installation."""
        return f"{self.prefix}{name}"
