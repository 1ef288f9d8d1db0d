"""What cannot be unique in a database, and is refused before anything is changed."""

from __future__ import annotations

from integrity.database.postgresql import ddl
from integrity.database.schema import Schema, Table, TableKind
from integrity.database.session import engine_for
from integrity.exceptions import SchemaFixRefused
from integrity.references.duplicates import CANNOT_BE_UNIQUE
from integrity.references.reference import written
from integrity.references.uniques import UniqueRule, is_text


def refuse_impossible(schema: Schema, rule: UniqueRule, ignoring_case: tuple[str, ...]) -> None:
    """Raises SchemaFixRefused for a unique that the database cannot have.

    Args:
        schema: the target's structure.
        rule: what should not occur twice.
        ignoring_case: the columns that are compared without regard to case.
    """
    table = schema.table(rule.table)
    if table.kind in CANNOT_BE_UNIQUE:
        raise _refused(
            rule,
            f"{written(rule.table)} is a {table.kind}, which no unique can bind",
            "Name the table behind it.",
        )
    _refuse_nulls(schema, table, rule)
    if ignoring_case:
        _refuse_half_ignored(schema, table, rule, ignoring_case)
    if table.kind is TableKind.PARTITIONED:
        _refuse_without_partition_key(schema, rule, set(rule.columns) - set(ignoring_case))


def _refuse_nulls(schema: Schema, table: Table, rule: UniqueRule) -> None:
    nullable = [name for name in rule.columns if table.column(name).nullable]
    if rule.nulls_distinct or not nullable or _knows_equal_nulls(schema):
        return
    server = "SQLite" if schema.vendor == "sqlite" else f"PostgreSQL {schema.version.split('.')[0]}"
    raise _refused(
        rule,
        f"{server} has no NULLS NOT DISTINCT: NULLs of {', '.join(nullable)} could occur twice",
        'Take `nulls = "not distinct"` out of the catalog, or let the columns be NOT NULL; PostgreSQL has it '
        f"from version {ddl.FIRST_WITH_NULLS_NOT_DISTINCT} on.",
    )


def _knows_equal_nulls(schema: Schema) -> bool:
    """PostgreSQL 15 and later (release notes, E.1)."""
    major = schema.version.split(".")[0]
    return schema.vendor == "postgresql" and int(major) >= ddl.FIRST_WITH_NULLS_NOT_DISTINCT


def _refuse_half_ignored(
    schema: Schema, table: Table, rule: UniqueRule, ignoring_case: tuple[str, ...]
) -> None:
    engine = engine_for(schema.vendor)
    text = {name for name in rule.columns if is_text(engine, table, name)}
    forgotten, others = sorted(text - set(ignoring_case)), sorted(set(ignoring_case) - text)
    if not (forgotten or others):
        return
    what = (
        f"{', '.join(others)} is no text of this unique"
        if others
        else f"{', '.join(forgotten)} is text, too, and would be compared with regard to case"
    )
    raise _refused(
        rule,
        what,
        "Make the migration again from the catalog: integrity_makemigrations names every column of text.",
    )


def _refuse_without_partition_key(schema: Schema, rule: UniqueRule, whole: set[str]) -> None:
    """At every level (PostgreSQL manual 5.12.2.3: a unique must include all partition key columns)."""
    for table in _partitioned(schema, schema.table(rule.table)):
        missing = [name for name in table.partition_key if name not in whole]
        if missing:
            by = ", ".join(name or "an expression" for name in table.partition_key)
            raise _refused(
                rule,
                f"{written(table.name)} is partitioned by {by}, which a unique must contain as it is",
                "Add it to the unique's columns; where values must not repeat across partitions, nothing in "
                "PostgreSQL can enforce that."
                if all(table.partition_key)
                else "Nothing in PostgreSQL can enforce a unique there.",
            )


def _partitioned(schema: Schema, table: Table) -> list[Table]:
    below = [schema.table(name) for name in table.children if name in schema.tables]
    found = [each for child in below for each in _partitioned(schema, child)]
    return [table, *found] if table.partition_key else found


def _refused(rule: UniqueRule, what: str, hint: str) -> SchemaFixRefused:
    return SchemaFixRefused(what, where=f"{rule.label}, {rule.name}", hint=f"Nothing was changed. {hint}")
