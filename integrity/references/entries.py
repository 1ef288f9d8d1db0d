"""The entries of a target catalog as they are written, before they are held against a schema."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from integrity.database.identifiers import Path
from integrity.database.schema import Action, Match
from integrity.references.entry_reading import VENDORS, PerVendor, for_vendor
from integrity.references.ledger_entry import CatalogEnvironment, CatalogLedger
from integrity.references.log_entry import CatalogLog
from integrity.references.mirror_entry import CatalogMirror
from integrity.references.reference import Resolution
from integrity.references.required_table import RequiredTable
from integrity.references.routine_entry import CatalogRoutine
from integrity.references.uniques import Duplicates


@dataclass(frozen=True)
class CatalogReference:
    """A ``[[reference]]`` as written."""

    entry: str
    source: Path
    to: Path
    name: str = ""
    match: Match = Match.SIMPLE
    on_delete: Action = Action.NO_ACTION
    on_update: Action = Action.NO_ACTION
    rationale: str = ""
    orphans: Resolution | None = None


@dataclass(frozen=True)
class CatalogIndex:
    """An ``[[index]]`` as written."""

    entry: str
    table: Path
    columns: tuple[str, ...]
    name: str = ""
    where: str = ""
    rationale: str = ""


@dataclass(frozen=True)
class CatalogUnique(CatalogIndex):
    """A ``[[unique]]`` as written; see :class:`integrity.references.uniques.UniqueRule`."""

    nulls_distinct: bool = True
    ignores_case: bool = False
    duplicates: Duplicates | None = None
    survivor: str = ""
    rename: str = ""


@dataclass(frozen=True)
class CatalogColumn:
    """A ``[[column]]`` as written.

    ``from_type``, ``to_type`` and ``default`` are SQL by vendor; a vendor without a ``to_type`` converts
    nothing, and without any only the default changes. With ``remove`` the column should be gone, and
    ``acknowledged`` is what may go with it.
    """

    entry: str
    column: Path
    from_type: PerVendor = field(default_factory=dict)
    to_type: PerVendor = field(default_factory=dict)
    default: PerVendor = field(default_factory=dict)
    remove: bool = False
    acknowledged: tuple[str, ...] = ()
    rationale: str = ""

    @property
    def vendors(self) -> tuple[str, ...]:
        """Where it asks for another type."""
        return tuple(each for each in VENDORS if for_vendor(self.to_type, each))


@dataclass(frozen=True)
class CatalogQuery:
    """A ``[[query]]``: a hot query, where its parameters come from, and the plans it should have."""

    entry: str
    name: str
    sql: str
    parameters: dict[str, str] = field(default_factory=dict)
    table: str = ""
    index: str = ""
    before: str = "scan"
    after: str = "index"
    rationale: str = ""


@dataclass(frozen=True)
class CatalogFlow:
    """A ``[[flow]]``: statements of the application that must work, run and taken back."""

    entry: str
    name: str
    statements: tuple[str, ...]
    parameters: dict[str, str] = field(default_factory=dict)
    rationale: str = ""


@dataclass(frozen=True)
class Client:
    """A ``[[client]]`` of a SQLite file, and the line that switches enforcement on in it."""

    name: str
    line: str


@dataclass(frozen=True)
class Catalog:
    """Everything that ``catalog.toml`` says; empty for a target without one."""

    file: FilePath | None = None
    vendor: str = ""
    description: str = ""
    references: tuple[CatalogReference, ...] = ()
    indexes: tuple[CatalogIndex, ...] = ()
    uniques: tuple[CatalogUnique, ...] = ()
    columns: tuple[CatalogColumn, ...] = ()
    queries: tuple[CatalogQuery, ...] = ()
    flows: tuple[CatalogFlow, ...] = ()
    clients: tuple[Client, ...] = ()
    system_rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    restores: dict[str, dict[str, Any]] = field(default_factory=dict)
    masked: tuple[Path, ...] = ()
    log: CatalogLog | None = None
    mirrors: tuple[CatalogMirror, ...] = ()
    tables: tuple[RequiredTable, ...] = ()
    table_count: tuple[int, int] | None = None
    routines: tuple[CatalogRoutine, ...] = ()
    ledger: CatalogLedger | None = None
    environments: tuple[CatalogEnvironment, ...] = ()

    def __bool__(self) -> bool:
        return self.file is not None
