"""Making every snapshot of a service again from its journal (protocol P10 and 8)."""

from shared.rebuild.fold import Fold, Unfoldable
from shared.rebuild.parts import Part
from shared.rebuild.rebuilder import fold_part, rebuild
from shared.rebuild.report import Report

__all__ = ["Fold", "Part", "Report", "Unfoldable", "fold_part", "rebuild"]
