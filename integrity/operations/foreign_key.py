"""What a foreign key of a migration is, and whether a target has it already."""

from __future__ import annotations

from dataclasses import replace

from integrity.database.identifiers import TableName, parse_table
from integrity.database.postgresql import ddl
from integrity.database.schema import Action, ForeignKey, Match, Schema, Table, TableKind
from integrity.exceptions import SchemaFixRefused
from integrity.operations.alteration import Alteration
from integrity.operations.check import Check, Moment, Verdict
from integrity.operations.operation import CatalogOperation
from integrity.references.reference import Reference, Source, written

_ROWS = (TableKind.TABLE, TableKind.PARTITIONED, TableKind.PARTITION)


class ForeignKeyOperation(CatalogOperation):
    """An operation on one foreign key.

    Args:
        table: the referencing table as it is written in catalogs: ``orders``, ``auth.users``.
        columns: the referencing columns.
        to: the referenced table.
        to_columns: the referenced columns, in the same order.
        name: what the constraint is called.
        on_delete: what deleting a referenced row does.
        on_update: what changing a referenced key does.
        match: SIMPLE or FULL.
    """

    def __init__(
        self,
        *,
        table: str,
        columns: tuple[str, ...],
        to: str,
        to_columns: tuple[str, ...],
        name: str,
        on_delete: str = "NO ACTION",
        on_update: str = "NO ACTION",
        match: str = "SIMPLE",
    ) -> None:
        self.table = table
        self.columns = tuple(columns)
        self.to = to
        self.to_columns = tuple(to_columns)
        self.name = name
        self.on_delete = Action(on_delete)
        self.on_update = Action(on_update)
        self.match = Match(match)

    def key(self, table: TableName, referenced: TableName) -> ForeignKey:
        """Returns the foreign key between two tables that were resolved."""
        return ForeignKey(
            self.name, table, self.columns, referenced, self.to_columns,
            self.on_delete, self.on_update, self.match, validated=False,
        )  # fmt: skip

    def written_key(self, vendor: str) -> ForeignKey:
        """Returns the foreign key as the migration writes it, for statements that are only shown."""
        return self.key(self.written_table(vendor), self.written_table(vendor, self.to))

    def wanted(self, schema: Schema) -> ForeignKey:
        """Returns the foreign key in a target's own spelling of the tables.

        Raises:
            UnknownTable: with the nearest name.
        """
        key = self.key(schema.resolve(self.table), schema.resolve(self.to))
        for name, columns in ((key.table, key.columns), (key.referenced_table, key.referenced_columns)):
            for column in columns:
                schema.table(name).column(column)
        return key

    def gone(self, schema: Schema) -> bool:
        """Whether either table was dropped since."""
        referenced = parse_table(self.to)
        return super().gone(schema) or not any(each.name.name == referenced.table for each in schema)

    def locked_tables(self) -> tuple[str, ...]:
        """Both sides."""
        return self.table, self.to

    def label(self) -> str:
        """``orders.customer_id → customers.id``, as the migration writes it."""
        return f"{self.table}.{','.join(self.columns)} → {self.to}.{','.join(self.to_columns)}"


def by_partition(work: Alteration, schema: Schema, table: Table) -> bool:
    """Whether an unvalidated key must be added to each partition: PostgreSQL before 18."""
    major = int(schema.version.split(".")[0])
    return (
        not work.sqlite
        and table.kind is TableKind.PARTITIONED
        and major < ddl.FIRST_WITH_UNVALIDATED_ON_PARTITIONED
    )


def standing(schema: Schema, wanted: ForeignKey) -> ForeignKey | None:
    """Returns the foreign key that says what ``wanted`` says, by its name or another; None where
    there is none.

    Raises:
        SchemaFixRefused: when another key bears the name, or binds the same columns otherwise.
    """
    keys = schema.table(wanted.table).foreign_keys
    same = [key for key in keys if key.sides == wanted.sides and not differences(wanted, key)]
    if same:
        return max(same, key=lambda key: (key.enforced, key.validated, key.name == wanted.name))
    for key in keys:
        if key.name == wanted.name or key.sides == wanted.sides:
            raise _another(wanted, key)
    return None


def _another(wanted: ForeignKey, key: ForeignKey) -> SchemaFixRefused:
    named = f"foreign key {key.name}" if key.name else "a foreign key without a name"
    found = differences(wanted, key) or [
        f"it says {written(key.table, key.columns)} → {written(key.referenced_table, key.referenced_columns)}"
    ]
    return SchemaFixRefused(
        f"{written(key.table)} already has {named}, and it is another one: {'; '.join(found)}",
        where=f"{written(wanted.table, wanted.columns)}, {wanted.name}",
        hint="Drop it, or say in the catalog what it says, and make the migration again.",
    )


def differences(wanted: ForeignKey, key: ForeignKey) -> list[str]:
    """Returns in words what two keys between the same columns do differently."""
    if key.sides != wanted.sides:
        return []
    facts = (
        ("on delete", key.on_delete, wanted.on_delete),
        ("on update", key.on_update, wanted.on_update),
        ("match", key.match, wanted.match),
    )
    return [f"{what} is {has}, not {wants}" for what, has, wants in facts if has is not wants]


def refuse_impossible(schema: Schema, wanted: ForeignKey) -> None:
    """Raises SchemaFixRefused for a key that the database would refuse, or that would refuse writes."""
    table, referenced = schema.table(wanted.table), schema.table(wanted.referenced_table)
    place = f"{written(wanted.table, wanted.columns)}, {wanted.name}"
    for each in (table, referenced):
        if each.kind not in _ROWS:
            raise SchemaFixRefused(
                f"{written(each.name)} is a {each.kind}, which no foreign key can bind",
                where=place,
                hint="Name the table behind it.",
            )
    if referenced.key_on(wanted.referenced_columns) is None:
        raise SchemaFixRefused(
            f"{written(referenced.name, wanted.referenced_columns)} is no key, so it cannot be referenced",
            where=place,
            hint="Add a [[unique]] for these columns to the catalog first; integrity_makemigrations puts it "
            "before the foreign key.",
        )
    required = [name for name in wanted.columns if not table.column(name).nullable]
    if Action.SET_NULL in (wanted.on_delete, wanted.on_update) and required:
        raise SchemaFixRefused(
            f"SET NULL cannot be done: {written(table.name, tuple(required))} is NOT NULL",
            where=place,
            hint="Choose CASCADE or RESTRICT in the catalog, or let the column be NULL.",
        )
    if schema.vendor == "sqlite" and wanted.match is not Match.SIMPLE:
        raise SchemaFixRefused(
            f"SQLite does not enforce MATCH {wanted.match}",
            where=place,
            hint="Leave match out of the catalog.",
        )


def as_reference(key: ForeignKey) -> Reference:
    """Returns what a foreign key says as a rule, to look for its orphans."""
    return Reference(
        key.table, key.columns, key.referenced_table, key.referenced_columns,
        Source.CATALOG, key.name, key.match, key.on_delete, key.on_update,
    )  # fmt: skip


def on_partition(key: ForeignKey, partition: Table) -> ForeignKey:
    """Returns the same key for one partition."""
    return replace(key, table=partition.name)


def foreign_key_check(schema: Schema, wanted: ForeignKey, *, validated: bool = False) -> Check:
    """Returns whether a key stands as it should, after its migration; also partition by partition."""
    found = standing(schema, wanted)
    leaves = [standing(schema, on_partition(wanted, leaf)) for leaf in schema.leaves(wanted.table)]
    subject = str(as_reference(wanted))
    if found is None and leaves and None not in leaves and not validated:
        return Check(
            "foreign key", subject, message=f"{wanted.name} stands on each partition", moment=Moment.AFTER
        )
    message = f"{found.name if found else wanted.name} stands"
    verdict = Verdict.PASSED
    if found is None:
        verdict, message = Verdict.FAILED, f"There is no foreign key {wanted.name} of {subject}"
    elif validated and not found.validated:
        verdict, message = Verdict.FAILED, f"The foreign key {found.name} of {subject} is not validated"
    elif validated:
        message += " and speaks of every row"
    return Check("foreign key", subject, verdict, message, moment=Moment.AFTER)
