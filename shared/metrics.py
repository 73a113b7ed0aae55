"""Prometheus metrics of the runtime, observed once a batch and never once a record."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

from shared.clock import monotonic_s

_STEP_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_BATCH_BUCKETS = tuple(round(0.002 * 1.25**step, 4) for step in range(40))
"""From 2 ms to 12 s in steps of a quarter, fine enough to read quantiles from."""
_SIZE_BUCKETS = (1, 2, 5, 10, 25, 50, 100, 250, 500)

RECORDS = Counter("fealty_records_total", "Records processed, by outcome.", ["topic", "outcome"])
PUBLISHED = Counter("fealty_published_total", "Records published and acknowledged.", ["topic"])
BATCH_RECORDS = Histogram("fealty_batch_records", "Records in a batch.", ["topic"], buckets=_SIZE_BUCKETS)
BATCH_SECONDS = Histogram(
    "fealty_batch_seconds", "Duration of a batch, without its offset commit.", ["topic"], buckets=_BATCH_BUCKETS
)
STEP_SECONDS = Histogram("fealty_step_seconds", "Duration of one step of a batch.", ["step"], buckets=_STEP_BUCKETS)
RETRIES = Counter("fealty_retries_total", "Batches retried, by reason.", ["reason"])
DEAD_LETTERS = Counter(
    "fealty_dead_letters_total", "Dead letters: records that cannot be processed, by reason.", ["topic", "reason"]
)
REFUSALS = Counter("fealty_refusals_total", "Commands refused by a rule, by topic and refusal code.", ["topic", "code"])
LAG = Gauge("fealty_lag_records", "Consumer lag: records not processed yet, by partition.", ["topic", "partition"])
STOPPED = Gauge(
    "fealty_stopped_partitions",
    "1 for each partition that is stopped at an offset, until an operator acts; alert on any.",
    ["topic", "partition", "offset"],
)
STUCK = Gauge(
    "fealty_stuck_partitions",
    "Partitions whose batch was abandoned several times in a row, and is retried; alert on any.",
    ["topic"],
)
PROPOSALS = Counter(
    "fealty_sweep_proposals_total", "Commands that the sweep has sent to book what is due.", ["service"]
)
SWEEPS = Counter("fealty_sweeps_total", "Sweeps for what is due that were completed.", ["service"])
DUE = Gauge("fealty_sweep_due_streams", "Aggregates with something due, at the last sweep.", ["service"])
OLDEST_DUE = Gauge(
    "fealty_sweep_oldest_due_seconds",
    "How long the oldest of them has been due, in seconds; alert on a day.",
    ["service"],
)
ARCHIVED = Counter(
    "fealty_archived_streams_total",
    "Snapshots of closed streams: removed, or kept because the journal does not give the same; alert on any kept.",
    ["service", "outcome"],
)
COMMITS = Counter("fealty_commits_total", "Offset commits, by outcome.", ["outcome"])
READY = Gauge("fealty_ready", "1 while the process is ready.")
HTTP_REFUSED = Counter("fealty_http_refused_total", "Requests refused before they reach a route, by code.", ["code"])
CLIENT_WARNINGS = Counter("fealty_kafka_client_warnings_total", "Warnings of the Kafka client; most are not logged.")


@contextmanager
def timed(step: str) -> Iterator[None]:
    """Observe how long a step takes, once a batch."""
    started_s = monotonic_s()
    yield
    STEP_SECONDS.labels(step).observe(monotonic_s() - started_s)
