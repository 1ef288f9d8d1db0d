"""SQLite as an engine, subject by subject."""

from __future__ import annotations

from integrity.database.engine import Engine
from integrity.database.sqlite.engine.browsing import SQLiteBrowsing
from integrity.database.sqlite.engine.comparison import SQLiteComparison
from integrity.database.sqlite.engine.keeping import SQLiteKeeping
from integrity.database.sqlite.engine.keys import SQLiteKeys
from integrity.database.sqlite.engine.locking import SQLiteLocking
from integrity.database.sqlite.engine.opening import SQLiteOpening
from integrity.database.sqlite.engine.restoring import SQLiteRestoring
from integrity.database.sqlite.engine.routines import SQLiteRoutines
from integrity.database.sqlite.engine.rows import SQLiteRows
from integrity.database.sqlite.engine.structure import SQLiteStructure
from integrity.database.sqlite.engine.trials import SQLiteTrials


class SQLiteEngine(
    SQLiteStructure,
    SQLiteRoutines,
    SQLiteOpening,
    SQLiteLocking,
    SQLiteTrials,
    SQLiteKeys,
    SQLiteComparison,
    SQLiteRows,
    SQLiteBrowsing,
    SQLiteRestoring,
    SQLiteKeeping,
    Engine,
):
    """SQLite 3.35 and later."""
