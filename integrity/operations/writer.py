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
from integrity.operations.chapters import chapter_name, chapter_of, heading
from integrity.operations.fixes import FixKind, SchemaFix
from integrity.operations.mirror_fixes import CHAPTERS as MIRROR_CHAPTERS
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
    for (phase, part), found in groupby(sorted(fixes, key=chapter_of), key=chapter_of):
        number += 1
        group = list(found)
        name = f"{number:04d}_{chapter_name(phase, part, group)}"
        needs = [*dependencies, *([(package.label, previous)] if previous else [])]
        text = migration_text(package.name, phase, group, needs, sqlite=sqlite)
        files.append(WrittenFile(package.folder / "migrations" / f"{name}.py", text))
        previous = name
    return write_files(files, dry_run=dry_run)


def start_catalog(
    alias: str,
    schema: Schema,
    catalog: Catalog,
    references: Sequence[Reference] = (),
    *,
    root: Path | None = None,
    dry_run: bool = False,
) -> list[WrittenFile]:
    """Makes a new target catalog: ``catalog.toml`` with what is known and what a lent catalog says, and an
    empty package.

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
    text = catalog_text(alias, schema, catalog, references, folder=package.folder)
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
    title, advice = heading(phase, fixes, sqlite=sqlite)
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


def operation_text(fix: SchemaFix) -> str:
    """Returns an operation with its reasons as comments above it."""
    reasons = [
        line
        for text in (fix.rationale, fix.consequence, fix.note)
        for line in wrap(_printable(text), WIDTH - 12)
    ]
    comments = "".join(f"        # {line}\n" for line in reasons)
    arguments = "".join(
        f"            {name}={_laid_out(value, 12, len(name) + 1)},\n"
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


def _laid_out(value: object, indent: int, before: int = 0) -> str:
    """A value of an argument: each dictionary of a list has a line, and so has what is too long for one.

    Args:
        value: the value.
        indent: how far its line is indented.
        before: how much stands before it on that line.
    """
    text = quoted(value)
    listed = isinstance(value, tuple) and any(isinstance(each, dict) for each in value)
    if not isinstance(value, tuple | dict) or not (listed or indent + before + len(text) >= WIDTH):
        return text
    inner, space = indent + 4, " " * (indent + 4)
    if isinstance(value, dict):
        pairs = ((f"{quoted(key)}: ", each) for key, each in value.items())
        lines = [f"{key}{_laid_out(each, inner, len(key))}" for key, each in pairs]
    else:
        lines = [_laid_out(each, inner) for each in value]
    opening, closing = "{}" if isinstance(value, dict) else "()"
    return "".join([opening, "\n", *(f"{space}{line},\n" for line in lines), " " * indent, closing])


def write_files(files: list[WrittenFile], *, dry_run: bool) -> list[WrittenFile]:
    """Writes files that are not there yet, unless they are only shown; returns them.

    Raises:
        CatalogError: where one is there by now, or cannot be written; nothing stays of the others.
    """
    made: list[Path] = []
    at = Path()
    try:
        for file in [] if dry_run else files:
            at = file.path
            file.path.parent.mkdir(parents=True, exist_ok=True)
            with file.path.open("x", encoding="utf-8") as opened:
                made.append(file.path)
                opened.write(file.text)
    except OSError as error:
        for path in made:
            path.unlink()
        meanwhile = isinstance(error, FileExistsError)
        hint = (
            "Somebody wrote it meanwhile: look again."
            if meanwhile
            else "Nothing was written. Make room there, or let it be written, or take a patch and commit it."
        )
        raise CatalogError(
            f"The files could not be written: {error.strerror}", where=str(at), hint=hint
        ) from error
    return files
