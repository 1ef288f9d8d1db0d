"""How far a value's spelling is taken down before two values are compared."""

from __future__ import annotations

from enum import StrEnum


class Form(StrEnum):
    """Each form takes away more than the one before it.

    TRIMMED: white space around it. FOLDED: also the case of ASCII letters. NORMAL: also the braces,
    hyphens and ``urn:uuid:`` of what then is a UUID, and the leading zeros and ``.0`` of what then is
    a whole number.
    """

    TRIMMED = "trimmed"
    FOLDED = "folded"
    NORMAL = "normal"
