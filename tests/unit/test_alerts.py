"""The alert rules ask for metrics that exist, by labels that they have."""

import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

from services.edge.auth import scratch_codes  # noqa: F401 - registers its metric, as the edge does
from services.edge.views import table  # noqa: F401
from services.points import main  # noqa: F401

RULES = [
    rule
    for group in yaml.safe_load((Path(__file__).parents[2] / "docs" / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
METRIC = re.compile(r"(fealty_\w+)(?:\{([^}]*)\})?")


def labels_of(name: str) -> tuple[str, ...]:
    """The labels of a metric.

    :raises KeyError: there is none.
    """
    return REGISTRY._names_to_collectors[name]._labelnames  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_each_rule_asks_for_what_is_measured(rule: dict[str, str]) -> None:
    asked = METRIC.findall(rule["expr"])
    assert asked
    for name, selected in asked:
        labels = labels_of(name)
        for label in re.findall(r"(\w+)[!=]", selected):
            assert label in labels, (name, label)
        for listed in re.findall(r"by \(([^)]*)\)", rule["expr"]):
            assert set(re.findall(r"\w+", listed)) <= set(labels), (name, listed)


def test_each_rule_says_what_to_do() -> None:
    for rule in RULES:
        assert set(rule["annotations"]) == {"summary", "description"}, rule
