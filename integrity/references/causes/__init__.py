"""Why there are orphans: which of them are explained, by what, and on what evidence."""

from integrity.references.causes.attribution import Examination, attribute, examine
from integrity.references.causes.cause import Cause, Confidence, Kind

__all__ = ["Cause", "Confidence", "Examination", "Kind", "attribute", "examine"]
