"""One file for each kind of thing that an audit can find."""

from integrity.detectors.base import Detector, Inspection, all_detectors
from integrity.detectors.finding import Finding, Severity

__all__ = ["Detector", "Finding", "Inspection", "Severity", "all_detectors"]
