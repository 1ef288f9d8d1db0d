"""From unknown to enforced: referential integrity for databases that have lost it.

``integrity.explain(error)`` says what an ``IntegrityError`` means, in a service that caught one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from integrity.explaining import ErrorKind, Explanation, explain

__version__ = "0.1.0"
__all__ = ["ErrorKind", "Explanation", "__version__", "explain"]


def __getattr__(name: str) -> Any:
    """Loads what is asked for at its first use: Django imports this package before its settings are read."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from integrity import explaining  # noqa: PLC0415 - see above

    return getattr(explaining, name)
