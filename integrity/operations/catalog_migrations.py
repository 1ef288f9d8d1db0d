"""A target catalog's migrations, read from its files.

They are read anew each time and without ``INSTALLED_APPS``, so that migrations that were written a
moment ago can be applied by the process that wrote them.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.exceptions import CircularDependencyError, NodeNotFoundError
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from integrity import conf
from integrity.exceptions import CatalogError, CatalogMissing
from integrity.operations.add_foreign_key import AddForeignKey
from integrity.operations.add_unique import AddUnique
from integrity.operations.alteration import in_our_words
from integrity.operations.environments import left_out
from integrity.operations.migration import catalog_of
from integrity.operations.operation import CatalogOperation

Key = tuple[str, str]


@dataclass(frozen=True)
class CatalogPackage:
    """Where a target catalog is kept, and under which label Django knows it."""

    name: str
    folder: Path

    @property
    def label(self) -> str:
        """The label of its app."""
        return f"catalog_{self.name}"

    @property
    def files(self) -> list[Path]:
        """Its migrations' files, in order."""
        return sorted(path for path in self.folder.glob("migrations/*.py") if path.name[0] not in "_~")


def catalog_package(alias: str, root: Path | None = None) -> CatalogPackage:
    """Returns where the catalog of a target is kept, whether or not it is there."""
    name = catalog_of(alias)
    return CatalogPackage(name, (root or conf.catalog_root()) / name)


def existing_package(alias: str) -> CatalogPackage:
    """Returns where the catalog of a target is kept.

    Raises:
        CatalogMissing: when it has no package with migrations.
    """
    package = catalog_package(alias)
    if not package.files:
        raise CatalogMissing(
            f"{alias} has no migrations",
            where=str(package.folder / "migrations"),
            hint=f"Make them with: manage.py integrity_makemigrations {alias}.",
        )
    return package


class CatalogLoader(MigrationLoader):
    """Loads one catalog's migrations, and others only where those depend on them."""

    def __init__(self, connection: BaseDatabaseWrapper | None, package: CatalogPackage) -> None:
        self.package = package
        self.left_out: Mapping[str, tuple[str, ...]] = {}
        """The migrations of other environments that are not applied here, with their environments."""
        try:
            with in_our_words(connection) if connection is not None else nullcontext():
                super().__init__(connection)
        except (NodeNotFoundError, CircularDependencyError) as error:
            raise CatalogError(
                f"The migrations do not fit together: {error}",
                where=str(package.folder / "migrations"),
                hint="Bring back the file that is gone, or correct their dependencies.",
            ) from error

    def load_disk(self) -> None:
        """Reads the catalog's files; the site's apps as well when one of them is depended on."""
        found = self._of_this_environment(
            {(self.package.label, path.stem): _load(self.package, path) for path in self.package.files}
        )
        others = {app for each in found.values() for app, _ in each.dependencies} - {self.package.label}
        self.disk_migrations: dict[tuple[str, str], Migration] = {}
        self.unmigrated_apps: set[str] = set()
        self.migrated_apps: set[str] = set()
        if others:
            super().load_disk()
        self.disk_migrations = {
            key: each for key, each in self.disk_migrations.items() if key[0] != self.package.label
        } | found
        self.migrated_apps.add(self.package.label)
        self.unmigrated_apps.discard(self.package.label)

    def _of_this_environment(self, found: dict[Key, Migration]) -> dict[Key, Migration]:
        """Leaves out what belongs to other environments, unless it is applied; whatever depends on it then
        depends on what it depended on."""
        elsewhere = left_out(self.package.folder)
        if elsewhere and self.connection is not None:
            applied = MigrationRecorder(self.connection).applied_migrations()
            recorded = {name for app, name in applied if app == self.package.label}
            elsewhere = {name: each for name, each in elsewhere.items() if name not in recorded}
        self.left_out = elsewhere
        gone = {key: each for key, each in found.items() if key[1] in elsewhere}
        for migration in found.values():
            needs = dict.fromkeys(_past(migration.dependencies, gone))
            migration.dependencies = list(needs)  # type: ignore[misc]  # its own copy
        return {key: each for key, each in found.items() if key not in gone}


def _past(needs: Iterable[Key], gone: Mapping[Key, Migration]) -> Iterator[Key]:
    for key in needs:
        if key in gone:
            yield from _past(gone[key].dependencies, gone)
        else:
            yield key


def _load(package: CatalogPackage, path: Path) -> Migration:
    name = f"{conf.catalog_package()}.{package.name}.migrations.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise CatalogError(
            f"The migration cannot be read: {error}", where=str(path), hint="Correct the file or take it out."
        ) from error
    return _migration(module, package, path)


def _migration(module: ModuleType, package: CatalogPackage, path: Path) -> Migration:
    made = getattr(module, "Migration", None)
    if not (isinstance(made, type) and issubclass(made, Migration)):
        raise CatalogError(
            "The file has no class Migration",
            where=str(path),
            hint="Take it out of the folder of migrations.",
        )
    migration = made(path.stem, package.label)
    migration.describes_models = False  # type: ignore[attr-defined]  # needs the site, which is not loaded here
    return migration


def migrations_of(alias: str, root: Path | None = None) -> list[Migration]:
    """Returns the migrations of a target's catalog, in order of their names; none without a catalog."""
    package = catalog_package(alias, root)
    return [_load(package, path) for path in package.files]


def operations_of(alias: str, root: Path | None = None) -> list[tuple[Migration, CatalogOperation]]:
    """Returns every operation of ours with its migration."""
    return [
        (migration, operation)
        for migration in migrations_of(alias, root)
        for operation in migration.operations
        if isinstance(operation, CatalogOperation)
    ]


def foreign_keys_made_by(alias: str) -> dict[tuple[str, str], str]:
    """Returns which migration adds which foreign key: (table as written, name) → migration."""
    return {
        (operation.table, operation.name): migration.name
        for migration, operation in operations_of(alias)
        if isinstance(operation, AddForeignKey)
    }


def uniques_made_by(alias: str) -> dict[tuple[str, str], str]:
    """Returns which migration adds which unique: (table as written, name) → migration."""
    return {
        (operation.table, operation.name): migration.name
        for migration, operation in operations_of(alias)
        if isinstance(operation, AddUnique)
    }


def phase_of(migration: Migration) -> int:
    """The phase of a migration; one that somebody wrote by hand may change anything: 3."""
    return int(getattr(migration, "phase", 3))


def migration_before(alias: str, name: str) -> str:
    """Returns the migration to go back to so that ``name`` is reversed: the one before it, or ``zero``.

    Raises:
        CatalogError: when the catalog has no migration of that name.
    """
    names = [migration.name for migration in migrations_of(alias)]
    if name not in names:
        raise CatalogError(
            f"{alias} has no migration {name}", hint=f"There are: {', '.join(names) or 'none at all'}."
        )
    place = names.index(name)
    return names[place - 1] if place else "zero"
