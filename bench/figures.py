"""Figures from what a worker publishes for Prometheus, and from lists of numbers."""

from collections.abc import Mapping
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


def histograms(text: str, name: str) -> dict[tuple[tuple[str, str], ...], Buckets]:
    """All histograms of one name, by their labels."""
    found: dict[tuple[tuple[str, str], ...], Buckets] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"{name}_bucket":
                labels = tuple(sorted((key, value) for key, value in sample.labels.items() if key != "le"))
                found.setdefault(labels, {})[float(sample.labels["le"])] = sample.value
    return found


def difference(after: Mapping[float, float], before: Mapping[float, float]) -> Buckets:
    """What was observed in between."""
    return {bound: count - before.get(bound, 0.0) for bound, count in after.items()}


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
