"""Recomputing every stream of a service from its journal, and comparing it with what is stored (rules 4.1.7)."""

from cli.verify.replay import Checks
from cli.verify.verifier import verify
from shared.findings import Difference, Finding, Report

__all__ = ["Checks", "Difference", "Finding", "Report", "verify"]
