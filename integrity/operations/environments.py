"""Which migrations belong to the environment that this is: seed data for test, never for production.

A migration that the catalog's ``[environment.NAME]`` names is applied there, and in no environment that does
not name it; so nothing is where nobody said which environment this is. What was applied stays in the plan, so
that it can be reversed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from integrity import conf
from integrity.database.schema import did_you_mean
from integrity.exceptions import CatalogError, SchemaFixRefused

_chosen: ContextVar[str | None] = ContextVar("integrity_environment", default=None)


def environment() -> str:
    """Returns the environment that this is: the one that was chosen for this run, else the setting."""
    chosen = _chosen.get()
    return conf.environment() if chosen is None else chosen


@contextmanager
def in_environment(name: str | None) -> Iterator[None]:
    """Lets everything within be in this environment; None: the one of the setting."""
    token = _chosen.set(name)
    try:
        yield
    finally:
        _chosen.reset(token)


def environments_of(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """Returns for each migration of a catalog that belongs to environments which they are.

    Only these entries are read: what else is wrong with a catalog keeps no migration from being reversed.

    Args:
        folder: the catalog's, with ``catalog.toml`` and ``migrations``.

    Raises:
        CatalogError: when they cannot be read, name a migration that is not there, or when this is an
            environment that a catalog with environments does not have.
    """
    file = folder / "catalog.toml"
    written = _written(file)
    known = sorted(path.stem for path in folder.glob("migrations/*.py") if path.name[0] not in "_~")
    found: dict[str, tuple[str, ...]] = {}
    for name, migrations in written.items():
        for each in migrations:
            if each not in known:
                raise CatalogError(
                    f"There is no migration {each!r}",
                    where=f"{file}, [environment.{name}]",
                    hint=did_you_mean(each, known),
                )
            found[each] = (*found.get(each, ()), name)
    here = environment()
    if written and here and here not in written:
        raise CatalogError(
            f"There is no environment {here!r}",
            where=str(file),
            hint=f"{did_you_mean(here, sorted(written))} An environment without migrations of its own is "
            f"written as [environment.{here}].".strip(),
        )
    return found


def left_out(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """Returns the migrations that do not belong to this environment, with those that they belong to.

    Raises:
        CatalogError: see :func:`environments_of`.
    """
    here = environment()
    return {name: names for name, names in environments_of(folder).items() if here not in names}


def refuse_left_out(catalog: str, name: str) -> None:
    """Refuses to apply a migration that belongs to other environments, whoever runs it.

    Raises:
        SchemaFixRefused: with the way out.
    """
    names = left_out(conf.catalog_root() / catalog).get(name)
    if names:
        here = environment()
        raise SchemaFixRefused(
            f"{name} belongs to the environment {' and '.join(names)}"
            + (f", and this is {here}" if here else ", and nobody said which one this is"),
            where=catalog,
            hint=f"integrity_migrate {catalog} leaves it out; --environment or the setting ENVIRONMENT says "
            "where this is.",
        )


def _written(file: Path) -> Mapping[str, tuple[str, ...]]:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    if "environment" not in text:
        return {}
    try:
        entries = tomllib.loads(text).get("environment", {})
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(
            f"The catalog is not TOML: {error}", where=str(file), hint="Correct that line."
        ) from error
    if not isinstance(entries, dict) or not all(map(_is_entry, entries.values())):
        raise CatalogError(
            "environment must be tables by name, each with a list of migrations",
            where=str(file),
            hint='Write [environment.test] and migrations = ["0009_seed"].',
        )
    return {name: tuple(entry.get("migrations", ())) for name, entry in entries.items()}


def _is_entry(entry: object) -> bool:
    names = entry.get("migrations", []) if isinstance(entry, dict) else None
    return isinstance(names, list) and all(isinstance(each, str) for each in names)
