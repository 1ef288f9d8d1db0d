"""PostgreSQL as an engine, subject by subject."""

from __future__ import annotations

from integrity.database.engine import Engine
from integrity.database.postgresql.engine.browsing import PostgreSQLBrowsing
from integrity.database.postgresql.engine.comparison import PostgreSQLComparison
from integrity.database.postgresql.engine.keeping import PostgreSQLKeeping
from integrity.database.postgresql.engine.keys import PostgreSQLKeys
from integrity.database.postgresql.engine.locking import PostgreSQLLocking
from integrity.database.postgresql.engine.opening import PostgreSQLOpening
from integrity.database.postgresql.engine.restoring import PostgreSQLRestoring
from integrity.database.postgresql.engine.routines import PostgreSQLRoutines
from integrity.database.postgresql.engine.rows import PostgreSQLRows
from integrity.database.postgresql.engine.structure import PostgreSQLStructure
from integrity.database.postgresql.engine.trials import PostgreSQLTrials


class PostgreSQLEngine(
    PostgreSQLStructure,
    PostgreSQLRoutines,
    PostgreSQLOpening,
    PostgreSQLLocking,
    PostgreSQLTrials,
    PostgreSQLKeys,
    PostgreSQLComparison,
    PostgreSQLRows,
    PostgreSQLBrowsing,
    PostgreSQLRestoring,
    PostgreSQLKeeping,
    Engine,
):
    """PostgreSQL 14 to 18."""
