"""How many connections to a database are open."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Connections:
    """The connections to one database by state, to its whole server, and how many that allows."""

    by_state: dict[str, int] = field(default_factory=dict)
    on_server: int = 0
    most: int = 0
