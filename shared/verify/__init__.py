"""Recomputing every stream of a service from its journal, and comparing it with what is stored (rules 4.1.7)."""

from shared.verify.findings import Difference, Finding, Report
from shared.verify.replay import Checks
from shared.verify.verifier import verify

__all__ = ["Checks", "Difference", "Finding", "Report", "verify"]
