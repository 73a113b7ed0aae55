"""Making every snapshot of a service again from its journal (DESIGN P10 and 8)."""

from shared.rebuild.fold import Fold, Unfoldable
from shared.rebuild.rebuilder import rebuild
from shared.rebuild.report import Report

__all__ = ["Fold", "Report", "Unfoldable", "rebuild"]
