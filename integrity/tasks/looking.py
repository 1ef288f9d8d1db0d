"""Which databases are under care, and what is known of each."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import connections

from integrity import conf, store
from integrity.database.schema import TableKind
from integrity.database.session import Target
from integrity.exceptions import ReferentialIntegrityError, UnsupportedVendor
from integrity.references.catalog import catalog_file
from integrity.references.ledgers import foreign_ledgers

_VIEWS = (TableKind.VIEW, TableKind.MATERIALIZED_VIEW)


@dataclass
class TargetState:
    """A target: whether it can be opened, what it is, and what was done with it.

    ``readable`` and ``owned`` count those of its ``tables`` that this role may read, and owns.
    ``pooled`` says that a pooler stands before its server, and ``direct`` is the alias that reaches it
    past one, empty where none is configured. ``ledgers`` are the tools that migrate it as well.
    """

    target: str
    vendor: str
    reachable: bool = False
    server_version: str = ""
    tables: int = 0
    readable: int = 0
    owned: int = 0
    pooled: bool = False
    direct: str = ""
    catalog: str = ""
    ledgers: list[str] = field(default_factory=list)
    last_audit: datetime | None = None
    last_backup: datetime | None = None
    error: str = ""

    @property
    def rights(self) -> str:
        """What this role may do, in a few words."""
        if not self.reachable:
            return ""
        if self.owned == self.tables:
            return "owner"
        reads = "all" if self.readable == self.tables else f"{self.readable:,} of {self.tables:,}"
        return f"reads {reads}, owns {self.owned:,} of {self.tables:,}"

    def as_json(self) -> dict[str, Any]:
        """Returns the state as plain values."""
        moments = {"last_audit": self.last_audit, "last_backup": self.last_backup}
        return asdict(self) | {name: each.isoformat() if each else None for name, each in moments.items()}


def look_at_targets() -> list[TargetState]:
    """Opens every database of a supported vendor in ``DATABASES``, and stores what it found."""
    store.know_targets()
    found = []
    for alias in connections.databases:
        target = Target(alias)
        try:
            state = TargetState(alias, target.vendor)
        except UnsupportedVendor:
            continue
        _look(target, state)
        found.append(state)
    return found


def _look(target: Target, state: TargetState) -> None:
    alias = target.alias
    try:
        with target.reading() as session:
            schema, state.pooled = session.schema(), session.engine.pooled(session)
    except ReferentialIntegrityError as error:
        state.error = str(error)
        store.unreachable(alias, error)
    else:
        fingerprint = schema.fingerprint()
        store.reached(
            store.target_row(alias).pk,
            vendor=schema.vendor,
            server_version=schema.version,
            schema_fingerprint=fingerprint,
        )
        state.reachable, state.server_version = True, schema.version
        tables = [table for table in schema if table.kind not in _VIEWS]
        state.tables = len(tables)
        state.readable = sum(table.readable for table in tables)
        state.owned = sum(table.owned for table in tables)
        state.ledgers = [f"{each.tool} ({each.table})" for each in foreign_ledgers(schema)]
    direct, file = conf.direct_alias(alias), catalog_file(alias)
    state.direct = direct if direct != alias else ""
    state.catalog = str(file) if file.is_file() else ""
    audit, backup = store.last_audit(alias), store.last_backup(alias)
    state.last_audit = audit.finished_at if audit else None
    state.last_backup = backup.taken_at if backup else None
