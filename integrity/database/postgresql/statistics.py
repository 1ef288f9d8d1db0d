"""Sizes and uses, as PostgreSQL keeps them: no table is read or locked.

``reltuples`` and ``relpages`` are those of the last VACUUM or ANALYZE (manual, pg_class); where there was
none, the statistics collector's count of live rows is taken.
"""

from __future__ import annotations

from integrity.database.identifiers import TableName
from integrity.database.session import Session
from integrity.database.statistics import MOST_LISTED, IndexStatistics, Statistics, TableStatistics

_OURS = """
n.nspname NOT IN ('pg_catalog', 'information_schema', 'integrity_journal') AND n.nspname NOT LIKE 'pg\\_%%'
"""

TABLES = f"""
SELECT found.*, (sum(size) OVER ())::bigint FROM (
SELECT n.nspname, r.relname,
       CASE WHEN r.reltuples >= 0 THEN r.reltuples::bigint ELSE s.n_live_tup END,
       (r.relpages + coalesce((SELECT sum(x.relpages) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                               WHERE i.indrelid = r.oid), 0))::bigint
         * current_setting('block_size')::bigint AS size
FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace
LEFT JOIN pg_stat_all_tables s ON s.relid = r.oid
WHERE r.relkind IN ('r', 'p', 'm') AND {_OURS} AND has_schema_privilege(n.oid, 'USAGE')
) found ORDER BY 1, 2 LIMIT %s
"""
INDEXES = f"""
SELECT n.nspname, r.relname, x.relname, coalesce(s.idx_scan, 0), i.indisunique,
       x.relpages::bigint * current_setting('block_size')::bigint
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class r ON r.oid = i.indrelid
JOIN pg_namespace n ON n.oid = r.relnamespace
LEFT JOIN pg_stat_all_indexes s ON s.indexrelid = i.indexrelid
WHERE r.relkind IN ('r', 'm') AND {_OURS} AND has_schema_privilege(n.oid, 'USAGE')
ORDER BY n.nspname, r.relname, x.relname LIMIT %s
"""
DATABASE = "SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()"


def statistics(session: Session) -> Statistics:
    """Returns what the server knows, in three queries."""
    most = [MOST_LISTED + 1]
    known, used = session.rows(TABLES, most), session.rows(INDEXES, most)
    tables = [
        TableStatistics(TableName(schema, name), rows, True, size)
        for schema, name, rows, size, _ in known[:MOST_LISTED]
    ]
    indexes = [
        IndexStatistics(TableName(schema, table), name, scans, unique, size)
        for schema, table, name, scans, unique, size in used[:MOST_LISTED]
    ]
    whole = known[0][-1] if known else 0
    truncated = max(len(known), len(used)) > MOST_LISTED
    return Statistics(tables, indexes, session.value(DATABASE), whole, truncated)
