"""How long an audit of 1,000 scripts takes, and what of that is reading."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from integrity.scripts.auditing import audit_scripts
from integrity.scripts.reading import read_scripts

_SCRIPT = """\
-- Table {number}: what belongs to its parent, and who changed it
CREATE TABLE IF NOT EXISTS table_{number} (
    id TEXT PRIMARY KEY,
    parent_id TEXT REFERENCES table_{parent} (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'active',
    amount NUMERIC(18, 8) NOT NULL DEFAULT 0 CHECK (amount >= 0),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS table_{number}_parent_idx ON table_{number} (parent_id);
CREATE INDEX IF NOT EXISTS table_{number}_status_idx ON table_{number} (status, created_at);
ALTER TABLE table_{number} ADD COLUMN note_{number} TEXT;
INSERT INTO table_{number} (id, name) VALUES ('{number}', 'first') ON CONFLICT (id) DO NOTHING;
UPDATE table_{number} SET status = 'old' WHERE created_at < '2020-01-0{day}' AND amount > {number};
DELETE FROM table_{parent} WHERE status = 'gone-{number}';
CREATE VIEW view_{number} AS
    SELECT c.id, c.name, p.name AS parent
    FROM table_{number} c LEFT JOIN table_{parent} p ON p.id = c.parent_id;
"""


@dataclass(frozen=True)
class Took:
    """What was read in how many seconds."""

    scripts: int
    statements: int
    reading: float
    audit: float


def measured_scripts(folder: Path, number: int) -> Took:
    """Writes numbered scripts into a folder, and audits them."""
    for each in range(1, number + 1):
        text = _SCRIPT.format(number=each, parent=max(each - 1, 1), day=each % 9 + 1)
        (folder / f"{each:04}_table_{each}.sql").write_text(text, encoding="utf-8")
    began = time.perf_counter()
    read_scripts([folder])
    read = time.perf_counter()
    found = audit_scripts([folder])
    return Took(number, found.coverage.statements, read - began, time.perf_counter() - read)
