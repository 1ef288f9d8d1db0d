"""SQLite: the trading bot."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.pairs import Ratio, measured
from benchmarks.site import add_target
from fixtures import mexc
from integrity.audit import audit
from integrity.database.session import Target
from integrity.references import load_catalog
from integrity.references.catalog import Catalog

NOT_IN = """
SELECT count(*) FROM user_preferences WHERE user_id NOT IN (SELECT id FROM user);
SELECT count(*) FROM api_credentials WHERE user_id NOT IN (SELECT id FROM user);
SELECT count(*) FROM snipe_targets WHERE user_id NOT IN (SELECT id FROM user);
SELECT count(*) FROM execution_history WHERE user_id NOT IN (SELECT id FROM user);
SELECT count(*) FROM transactions WHERE user_id NOT IN (SELECT id FROM user);
SELECT count(*) FROM execution_history WHERE snipe_target_id NOT IN (SELECT id FROM snipe_targets);
SELECT count(*) FROM transactions WHERE snipe_target_id NOT IN (SELECT id FROM snipe_targets)
"""


def sqlite_ratios(folder: Path, rows: int, repeat: int) -> Iterator[Ratio]:
    """Measures on a file in ``folder``."""
    broken, declared = folder / "mexc.sqlite3", folder / "declared.sqlite3"
    mexc.build(broken, rows=rows)
    mexc.build(declared, rows=rows, declared=True)
    add_target("mexc", f"sqlite:///{broken}")
    add_target("declared", f"sqlite:///{declared}")
    with closing(sqlite3.connect(broken)) as one, closing(sqlite3.connect(declared)) as other:
        yield measured(
            "audit of seven references, profiled", "the text's NOT IN",
            lambda: audit(Target("mexc"), load_catalog("mexc")),
            lambda: [one.execute(each).fetchall() for each in NOT_IN.split(";")], repeat,
        )  # fmt: skip
        yield measured(
            "audit of declared keys, profiled", "PRAGMA foreign_key_check",
            lambda: audit(Target("declared"), Catalog()),
            lambda: other.execute("PRAGMA foreign_key_check").fetchall(), repeat,
        )  # fmt: skip
