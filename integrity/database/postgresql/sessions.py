"""How many connections a server has, and who uses them."""

from __future__ import annotations

from integrity.database.session import Session
from integrity.database.usage import Connections

# Of other roles' sessions everything but role and database is hidden without pg_read_all_stats
# (PostgreSQL manual 27.2), so that their state is unknown, but not their number.
_IN_USE = """
SELECT coalesce(state, 'unknown'), count(*) FILTER (WHERE datname = current_database()), count(*),
       current_setting('max_connections')::int
FROM pg_stat_activity
WHERE datid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
GROUP BY 1
"""


def connections_in_use(session: Session) -> Connections:
    """Returns the client connections of a server, in one query."""
    rows = session.rows(_IN_USE)
    return Connections(
        by_state={state: here for state, here, _, _ in rows if here},
        on_server=sum(everywhere for _, _, everywhere, _ in rows),
        most=rows[0][3] if rows else 0,
    )
