"""One reference in depth: how many rows break it, since when, what they are worth, what hangs on them."""

from integrity.diagnosis.causes import ProbableCause
from integrity.diagnosis.diagnose import diagnose
from integrity.diagnosis.diagnosis import Age, Amount, Diagnosis, DiagnosisResult, KeyType, Referring
from integrity.diagnosis.script import script

__all__ = [
    "Age",
    "Amount",
    "Diagnosis",
    "DiagnosisResult",
    "KeyType",
    "ProbableCause",
    "Referring",
    "diagnose",
    "script",
]
