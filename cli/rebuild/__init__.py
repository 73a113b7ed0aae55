"""Making every snapshot of a service again from its journal (protocol P10 and 8)."""

from cli.rebuild.parts import Part
from cli.rebuild.rebuilder import fold_part, rebuild
from cli.rebuild.report import Report
from shared.runtime.folding import Fold, Unfoldable

__all__ = ["Fold", "Part", "Report", "Unfoldable", "fold_part", "rebuild"]
