"""An error that nobody understands, as an answer: which rows, how many more, why, and what to run."""

from integrity.explaining.answer import explain
from integrity.explaining.explanation import Candidate, Explanation
from integrity.explaining.reported import ErrorKind

__all__ = ["Candidate", "ErrorKind", "Explanation", "explain"]
