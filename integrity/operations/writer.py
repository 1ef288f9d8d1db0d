"""Writes schema fixes as migrations that a person reads before they are applied."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from textwrap import wrap

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS
from django.db.migrations.loader import MigrationLoader

from integrity import conf
from integrity.database.schema import Schema
from integrity.database.session import Target
from integrity.exceptions import CatalogError
from integrity.operations.catalog_document import catalog_text
from integrity.operations.catalog_migrations import CatalogPackage, catalog_package
from integrity.operations.fixes import FixKind, SchemaFix
from integrity.operations.mirror_fixes import CHAPTERS as MIRROR_CHAPTERS
from integrity.operations.repair_duplicates import RepairDuplicates
from integrity.operations.routine_fixes import CHAPTERS as ROUTINE_CHAPTERS
from integrity.references.catalog import Catalog
from integrity.references.reference import Reference

CHAPTERS = {**ROUTINE_CHAPTERS, **MIRROR_CHAPTERS}
WIDTH = 110
Dependency = tuple[str, str]


@dataclass(frozen=True)
class WrittenFile:
    """A file that was written, or would be."""

    path: Path
    text: str


_LAST = 3
_NAMES = {1: "indexes", 2: "foreign_keys", 3: "validate"}
_TITLES = {
    1: "indexes (phase 1 of 3)",
    2: "foreign keys for new rows (phase 2 of 3)",
    3: "foreign keys for all rows (phase 3 of 3)",
}
_REPAIRS = "repair_orphans"
_REPAIRS_TITLE = "orphans resolved by the catalog's policies (phase 3 of 3)"
_REPAIRS_WHEN = (
    "Changes rows: what stands above each repair, in small batches, while others read and write. Every row "
    "is journaled in the target first, and reversing this brings all back. A process that is stopped goes on "
    "when this is applied again. Look at the rows before: manage.py integrity_plan shows them."
)
_WHEN = {
    1: "Harmless at any time: each is built while others read and write. Building waits for transactions "
    "that are open, so not beside one that takes hours.",
    2: "Orphans that stand stay, new ones cannot appear. The delete actions act from here on: what deleting "
    "a row will do stands above each key. Not before everybody who deletes rows knows.",
    3: "Checks the rows that stand, while others read and write. Not while orphans are left: it stops and "
    "says how many, and the command that resolves them.",
}
_ON_SQLITE = {
    1: "Each is built in one transaction; other writers wait meanwhile.",
    2: "Each key is written into its table's definition, at once at any size. It binds the connections that "
    "switch foreign_keys on; saving a whole row that is still an orphan fails there, so resolve orphans "
    "first if the application does that. Deletions do what stands above each key.",
    3: "A key binds all rows by its nature here. This checks that no orphan is left, and changes nothing.",
}

_UNIQUE = (
    " A unique binds new rows from its first moment. Not while duplicates are left: it stops, names them and "
    "the command that resolves them, and nothing stays of it."
)
_REQUIRED_KINDS = (FixKind.TABLE, FixKind.COLUMN)
_REQUIRED = "tables"
_REQUIRED_TITLE = "tables and columns (phase 1 of 3)"
_REQUIRED_WHEN = (
    "Harmless at any time: nothing that stands is changed. A table that is there is left as it is. A column "
    "is added at once, and the rows that are there are filled in small batches while others read and write. "
    "Reversing this keeps what they hold by then in the target's journal; applied again, it is back."
)
_OTHERS = "others"
_MIRRORS = tuple(name for name, _, _ in CHAPTERS.values())
_REDUNDANT = "redundant_indexes"
_REDUNDANT_TITLE = "indexes that others make redundant (phase 3 of 3)"
_REDUNDANT_WHEN = (
    "Drops indexes that find nothing that another does not find, while others read and write. It stops where "
    "the other one is not there; reversing this builds each as it was."
)
_CONVERTING = " A column that changes its type is rewritten: readers and writers of its table wait meanwhile."


def write_migrations(
    alias: str, fixes: Sequence[SchemaFix], *, root: Path | None = None, dry_run: bool = False
) -> list[WrittenFile]:
    """Writes one migration a phase, numbered on from those that are there.

    Args:
        alias: the target.
        fixes: what :func:`integrity.operations.fixes.schema_fixes` found.
        root: the folder of all catalogs (default: the setting).
        dry_run: returns the files without writing them.

    Returns:
        the files, those of the package among them where they were missing.
    """
    package = catalog_package(alias, root)
    files = package_files(package) if fixes else []
    names = [path.stem for path in package.files]
    number = max((int(match[0]) for name in names if (match := re.match(r"\d+", name))), default=0)
    previous = names[-1] if names else ""
    dependencies = site_dependencies(alias, fixes)
    sqlite = Target(alias).vendor == "sqlite"
    for (phase, part), found in groupby(sorted(fixes, key=_chapter), key=_chapter):
        number += 1
        group = list(found)
        uniques = phase == _LAST and all(fix.kind is FixKind.UNIQUE for fix in group)
        chapters = (_REQUIRED, _REPAIRS, "uniques" if uniques else _NAMES[phase], _REDUNDANT, *_MIRRORS)
        name = f"{number:04d}_{chapters[part]}"
        needs = [*dependencies, *([(package.label, previous)] if previous else [])]
        text = migration_text(package.name, phase, group, needs, sqlite=sqlite)
        files.append(WrittenFile(package.folder / "migrations" / f"{name}.py", text))
        previous = name
    return write_files(files, dry_run=dry_run)


def _chapter(fix: SchemaFix) -> tuple[int, int]:
    """What one file holds: a phase; first the tables and columns that all others are about, before what binds
    all rows the repairs that make it possible, and last what nobody needs then."""
    if fix.kind in _REQUIRED_KINDS:
        return fix.phase, 0
    order = [None, FixKind.REPAIR, _OTHERS, FixKind.REDUNDANT, *CHAPTERS]
    return fix.phase, order.index(fix.kind if fix.kind in order else _OTHERS)


def start_catalog(
    alias: str,
    schema: Schema,
    catalog: Catalog,
    references: Sequence[Reference] = (),
    *,
    root: Path | None = None,
    dry_run: bool = False,
) -> list[WrittenFile]:
    """Makes a new target catalog: ``catalog.toml`` with what is known, and an empty package.

    Raises:
        CatalogError: when the target has a catalog already, or its name cannot be that of a package.
    """
    package = catalog_package(alias, root)
    toml = package.folder / "catalog.toml"
    if toml.exists():
        raise CatalogError(
            f"{alias} has a target catalog already",
            where=str(toml),
            hint="Edit it, or move it away first.",
        )
    text = catalog_text(alias, schema, catalog, references)
    return write_files([WrittenFile(toml, text), *package_files(package)], dry_run=dry_run)


def package_files(package: CatalogPackage) -> list[WrittenFile]:
    """Returns the files that make a folder an app, those that are missing.

    Raises:
        CatalogError: when the name cannot be that of a package.
    """
    if not package.name.isidentifier():
        raise CatalogError(
            f"{package.name!r} cannot be the name of a Python package",
            where="DATABASES",
            hint="Add CATALOG, an identifier, to this alias's entry.",
        )
    name = package.name
    class_name = "".join(part.capitalize() for part in name.split("_")) or "Target"
    config = (
        f'"""The target catalog of {name} as a Django app."""\n\nfrom django.apps import AppConfig\n\n\n'
        f"class {class_name}CatalogConfig(AppConfig):\n"
        f'    """What should hold in {name}, and the migrations that make it so."""\n\n'
        f"    name = {quoted(f'{conf.catalog_package()}.{name}')}\n    label = {quoted(package.label)}\n"
        f"    verbose_name = {quoted(f'Target catalog of {name}')}\n"
    )
    texts = {
        package.folder.parent
        / "__init__.py": '"""The target catalogs: what should hold in each target."""\n',
        package.folder
        / "__init__.py": f'"""What should hold in {name}: catalog.toml and its migrations."""\n',
        package.folder / "apps.py": config,
        package.folder / "models.py": f'"""No models: nothing of {name} belongs to this site."""\n',
        package.folder / "migrations" / "__init__.py": "",
    }
    return [WrittenFile(path, text) for path, text in texts.items() if not path.exists()]


def site_dependencies(alias: str, fixes: Iterable[SchemaFix]) -> list[Dependency]:
    """Returns the latest migrations of the apps whose tables are changed, for the site's own database;
    a foreign database's catalog depends on nothing."""
    if alias != DEFAULT_DB_ALIAS:
        return []
    tables = {fix.table.name for fix in fixes}
    labels = {model._meta.app_label for model in apps.get_models() if model._meta.db_table in tables}
    graph = MigrationLoader(None).graph
    return sorted(leaf for leaf in graph.leaf_nodes() if leaf[0] in labels)


def migration_text(
    target: str,
    phase: int,
    fixes: Sequence[SchemaFix],
    dependencies: Sequence[Dependency],
    *,
    sqlite: bool = False,
) -> str:
    """Returns a migration's text: what it does and when not to, then its operations with their reasons."""
    repairs = all(fix.kind in (FixKind.REPAIR, FixKind.REWRITE) for fix in fixes)
    title, advice = _heading(phase, fixes, sqlite=sqlite)
    when = "\n".join(wrap(advice, WIDTH))
    what = "repair" if repairs else "schema fix"
    names = sorted({type(fix.operation).__name__ for fix in fixes} | {"CatalogMigration"})
    needs = "".join(f"\n        ({quoted(app)}, {quoted(name)})," for app, name in dependencies)
    operations = "\n".join(operation_text(fix) for fix in fixes)
    return (
        f'"""{target}: {title}.\n\n{when}\n\n'
        f'Apply it with: manage.py integrity_migrate {target} --phase {phase}\n"""\n\n'
        f"from integrity.operations import {', '.join(names)}\n\n\n"
        "class Migration(CatalogMigration):\n"
        f'    """{len(fixes)} {what}{"" if len(fixes) == 1 else "s" if repairs else "es"}."""\n\n'
        f"    target = {quoted(target)}\n    phase = {phase}\n    changes_rows = {repairs}\n"
        f"    dependencies = [{needs}\n    ]\n".replace("[\n    ]", "[]")
        + f"    operations = [\n{operations}\n    ]\n"
    )


def _heading(phase: int, fixes: Sequence[SchemaFix], *, sqlite: bool) -> tuple[str, str]:
    """Returns what a file is called, and when to apply it."""
    kinds = {fix.kind for fix in fixes}
    if kinds == {FixKind.REPAIR}:
        shared = any(isinstance(fix.operation, RepairDuplicates) for fix in fixes)
        title = _REPAIRS_TITLE.replace("orphans", "orphans and duplicates") if shared else _REPAIRS_TITLE
        return title, _REPAIRS_WHEN
    if kinds <= set(_REQUIRED_KINDS):
        return _REQUIRED_TITLE, _REQUIRED_WHEN
    for kind in kinds & set(CHAPTERS):
        return CHAPTERS[kind][1:]
    if kinds == {FixKind.REDUNDANT}:
        return _REDUNDANT_TITLE, _REDUNDANT_WHEN
    title, advice = _TITLES[phase], (_ON_SQLITE if sqlite else _WHEN)[phase]
    if FixKind.UNIQUE in kinds and phase > 1:
        title = f"uniques (phase {phase} of 3)" if kinds == {FixKind.UNIQUE} else f"uniques and {title}"
        advice = f"{advice}{_UNIQUE}" if kinds != {FixKind.UNIQUE} else _UNIQUE.strip()
    return title, advice + (_CONVERTING if FixKind.CONVERT in kinds else "")


def operation_text(fix: SchemaFix) -> str:
    """Returns an operation with its reasons as comments above it."""
    reasons = [
        line
        for text in (fix.rationale, fix.consequence, fix.note)
        for line in wrap(_printable(text), WIDTH - 12)
    ]
    comments = "".join(f"        # {line}\n" for line in reasons)
    arguments = "".join(
        f"            {name}={_argument(value)},\n"
        for name, value in fix.operation.arguments().items()
        if value or (value == 0 and value is not False) or (name, value) in _USUALLY_TRUE
    )
    return f"{comments}        {type(fix.operation).__name__}(\n{arguments}        ),"


def _printable(text: str) -> str:
    """A reason as it may stand in a comment: nothing that ends a line, or that Python cannot read."""
    return "".join(each if each.isprintable() else " " for each in text)


def quoted(value: object) -> str:
    """Returns ``repr(value)``, in double quotes where that changes nothing; SQL of several lines as lines."""
    if isinstance(value, tuple):
        return f"({', '.join(quoted(each) for each in value)}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{quoted(key)}: {quoted(each)}' for key, each in value.items())}}}"
    if isinstance(value, str) and _stands_as_lines(value):
        return f'"""{value}"""'
    text = repr(value)
    plain = isinstance(value, str) and text[0] == "'" and '"' not in text and "\\" not in text
    return f'"{text[1:-1]}"' if plain else text


def _stands_as_lines(text: str) -> bool:
    """Whether a text of several lines can be written as it is, between three quotes."""
    lines = text.split("\n")
    readable = all(line.isprintable() for line in lines) and not any(each in text for each in ('"""', "\\"))
    return len(lines) > 1 and readable and not text.startswith('"') and not text.endswith('"')


_USUALLY_TRUE = (("null", False),)
"""What is not the default although it is false."""


def _argument(value: object) -> str:
    """An argument of an operation: a list of dictionaries has a line for each."""
    if isinstance(value, tuple) and value and all(isinstance(each, dict) for each in value):
        lines = "".join(f"                {quoted(each)},\n" for each in value)
        return f"(\n{lines}            )"
    return quoted(value)


def write_files(files: list[WrittenFile], *, dry_run: bool) -> list[WrittenFile]:
    """Writes files, unless they are only shown; returns them."""
    if not dry_run:
        for file in files:
            file.path.parent.mkdir(parents=True, exist_ok=True)
            file.path.write_text(file.text, encoding="utf-8")
    return files
