"""Who would keep a change of structure waiting (PostgreSQL manual, 13.3.1 "Table-Level Locks")."""

from __future__ import annotations

from collections.abc import Sequence

from integrity.database.locks import Blocker, Lock
from integrity.database.postgresql import ddl
from integrity.database.session import Session

_EXCLUSIVE = ("ExclusiveLock", "AccessExclusiveLock", "ShareRowExclusiveLock", "ShareLock")
_CONFLICTS = {
    Lock.SHARE_UPDATE_EXCLUSIVE: (*_EXCLUSIVE, "ShareUpdateExclusiveLock"),
    Lock.SHARE_ROW_EXCLUSIVE: (*_EXCLUSIVE, "ShareUpdateExclusiveLock", "RowExclusiveLock"),
    Lock.ACCESS_EXCLUSIVE: (
        *_EXCLUSIVE, "ShareUpdateExclusiveLock", "RowExclusiveLock", "RowShareLock", "AccessShareLock",
    ),
}  # fmt: skip

# Autovacuum steps aside for whoever waits, unless it prevents wraparound, which it should go on with. Of
# other roles' sessions age and program are hidden without pg_read_all_stats (manual 27.2): such a transaction
# counts, and whoever asks has to see whether it stays.
_HOLDERS = """
SELECT coalesce(l.pid, 0), coalesce(a.usename, ''),
       CASE WHEN l.pid IS NULL THEN 'a prepared transaction' ELSE coalesce(a.application_name, '') END,
       coalesce(a.state, ''), coalesce(extract(epoch FROM clock_timestamp() - min(a.xact_start)), 0)::int,
       l.virtualtransaction
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND (l.relation = ANY(%s::oid[]) OR %s AND l.relation >= 16384) AND l.mode = ANY(%s)
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.pid IS DISTINCT FROM pg_backend_pid()
  AND coalesce(a.backend_type, 'client backend') <> 'autovacuum worker'
  AND coalesce(a.xact_start < now() - interval '2 seconds', true)
GROUP BY l.pid, 2, 3, 4, l.virtualtransaction ORDER BY 5 DESC
"""


def blockers(session: Session, tables: Sequence[int], lock: Lock) -> list[Blocker]:
    """Returns whose transactions, open for more than two seconds, a lock on these tables would wait for.

    Without tables: who holds any of a user's (the first OID of those is 16384, ``access/transam.h``) for
    himself alone, so that not even a look at the structure gets through.
    """
    if lock is Lock.CONCURRENTLY:
        rows = [row for oid in tables for row in session.rows(ddl.LONG_TRANSACTIONS, [oid])]
        found = [Blocker(pid, user, said, "", age, f"{pid} {said}") for pid, user, said, age in rows]
        return list({each.key: each for each in found}.values())
    modes = list(_CONFLICTS[lock]) if tables else ["AccessExclusiveLock"]
    return [Blocker(*row) for row in session.rows(_HOLDERS, [list(tables), not tables, modes])]
