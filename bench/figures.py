"""Figures from what a worker publishes for Prometheus, and from lists of numbers."""

from collections.abc import Iterable, Mapping
from itertools import pairwise

from prometheus_client.parser import text_string_to_metric_families

STEP = "fealty_step_seconds"
BATCH = "fealty_batch_seconds"

Buckets = dict[float, float]
"""A histogram: how many observations were at most so large, the last bound infinite."""


def step_seconds(text: str) -> dict[str, tuple[float, int]]:
    """Seconds and number of batches by step."""
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"{STEP}_sum":
                sums[sample.labels["step"]] = sample.value
            elif sample.name == f"{STEP}_count":
                counts[sample.labels["step"]] = int(sample.value)
    return {step: (seconds, counts.get(step, 0)) for step, seconds in sums.items()}


def batch_ms(earlier: Iterable[str], later: Iterable[str], share: float) -> float | None:
    """The quantile of the batches' duration between two looks at some workers, in ms.

    A worker without a histogram of whole batches gives the sum of its steps' quantiles, which is a little more.
    """
    found = [quantile(buckets, share) for buckets in _observed(earlier, later)]
    known = [seconds for seconds in found if seconds is not None]
    return sum(known) * 1e3 if known else None


def batch_count(earlier: Iterable[str], later: Iterable[str]) -> int:
    """How many batches were done between two looks at some workers."""
    return max((int(max(buckets.values())) for buckets in _observed(earlier, later)), default=0)


def _observed(earlier: Iterable[str], later: Iterable[str]) -> list[Buckets]:
    """What was observed in between: of whole batches when that is measured, else of each step."""
    before, after = _histograms(earlier), _histograms(later)
    chosen = BATCH if any(name == BATCH for name, _ in after) else STEP
    return [
        {bound: count - before.get(labels, {}).get(bound, 0.0) for bound, count in buckets.items()}
        for labels, buckets in after.items()
        if labels[0] == chosen
    ]


def _histograms(texts: Iterable[str]) -> dict[tuple[str, str], Buckets]:
    """The histograms of batches and steps, added up over the workers, by name and label."""
    found: dict[tuple[str, str], Buckets] = {}
    for text in texts:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                name = sample.name.removesuffix("_bucket")
                topic = sample.labels.get("topic", "points.commands")
                if name == sample.name or name not in (STEP, BATCH) or not topic.endswith("points.commands"):
                    continue
                buckets = found.setdefault((name, sample.labels.get("step", "")), {})
                bound = float(sample.labels["le"])
                buckets[bound] = buckets.get(bound, 0.0) + sample.value
    return found


def quantile(buckets: Mapping[float, float], share: float) -> float | None:
    """The value below which `share` of the observations are, linear within a bucket; None when there are none."""
    bounds = sorted(buckets)
    if not bounds or not buckets[bounds[-1]]:
        return None
    wanted = share * buckets[bounds[-1]]
    for lower, upper in pairwise([0.0, *bounds]):
        below, up_to = buckets.get(lower, 0.0), buckets[upper]
        if up_to >= wanted:
            if upper == float("inf"):
                return lower
            return lower + (upper - lower) * (wanted - below) / (up_to - below) if up_to > below else upper
    return bounds[-1]
