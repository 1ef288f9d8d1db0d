"""What the operations on a JSON column that repeats a table have in common."""

from __future__ import annotations

from shlex import quote
from zlib import crc32

from integrity.database.identifiers import TableName, parse_path, parse_table
from integrity.database.schema import Schema, Table, TableKind
from integrity.database.session import Session
from integrity.exceptions import NotCheckable, SchemaFixRefused
from integrity.operations.operation import CatalogOperation
from integrity.references.mirror import Mirror, resolved_elements
from integrity.references.mirror_entry import DriftRule, ListOf, OnlyInJson, Shape
from integrity.references.mirror_survey import row_key
from integrity.references.mirrored import MirrorSql
from integrity.references.reference import Reference, written

MANY = 10_000
"""From so many rows on, what looks them up one by one needs an index."""


class MirrorOperation(CatalogOperation):
    """An operation on ``column``, which repeats the rows that refer to its row by ``repeats``.

    The arguments say what a ``[[mirror]]`` of a catalog says.
    """

    def __init__(
        self,
        *,
        table: str,
        column: str,
        repeats: str = "",
        to: tuple[str, ...] = (),
        count: str = "count",
        elements: tuple[tuple[str, str], ...] = (),
        shape: str = "count",
        list_of: str = "objects",
        drift: str = "",
        only_in_json: str = "refuse",
    ) -> None:
        self.table = table
        self.column = column
        self.repeats = repeats
        self.to = tuple(to)
        self.count = count
        self.elements = tuple((key, name) for key, name in elements)
        self.shape = Shape(shape)
        self.list_of = ListOf(list_of)
        self.drift = DriftRule(drift) if drift else None
        self.only_in_json = OnlyInJson(only_in_json)

    @property
    def label(self) -> str:
        """The column as it is written."""
        path = parse_table(self.table)
        return written(TableName(path.schema or "public", path.table), (self.column,))

    @property
    def repeated(self) -> str:
        """The repeated table as it is written."""
        path = parse_path(self.repeats)
        return written(TableName(path.schema or "public", path.table))

    def locking(self) -> str:
        """What it locks on PostgreSQL, and what that keeps others from doing."""
        raise NotImplementedError

    def mirror(self, schema: Schema, table: TableName) -> Mirror:
        """Returns what the arguments mean in a schema."""
        path = parse_path(self.repeats)
        repeated = schema.table(schema.resolve(path))
        elements, identity = resolved_elements(repeated, self.elements)
        reference = Reference(
            table=repeated.name,
            columns=path.columns,
            referenced_table=table,
            referenced_columns=self.to,
        )
        return Mirror(
            table=table,
            column=self.column,
            reference=reference,
            elements=elements,
            identity=identity,
            count=self.count,
            shape=self.shape,
            list_of=self.list_of,
            drift=self.drift,
            only_in_json=self.only_in_json,
        )

    def sql(self, session: Session, schema: Schema, table: Table) -> MirrorSql:
        """Returns the statements about the mirror.

        Raises:
            SchemaFixRefused: where they cannot be made.
        """
        sql = MirrorSql(session.engine, schema, self.mirror(schema, table.name))
        try:
            sql.refuse_unreadable()
        except NotCheckable as error:
            raise self.refuse(error.what, error.hint, error.where) from error
        return sql

    def refuse_without_index(self, sql: MirrorSql, doing: str) -> None:
        """Raises SchemaFixRefused where a look at one row would read the whole repeated table."""
        columns = sql.mirror.reference.columns
        if sql.repeated.estimated_rows >= MANY and sql.repeated.index_serving(columns) is None:
            raise self.refuse(
                f"No index serves {sql.mirror.reference.label}: {doing} would read all rows for each one",
                "Add an [[index]] to the catalog, and apply its migration first.",
            )

    def stored_table(self, schema: Schema) -> Table:
        """Returns the table, which must hold rows itself."""
        table = schema.table(schema.resolve(self.table))
        if table.kind not in (TableKind.TABLE, TableKind.PARTITIONED):
            raise self.refuse(f"{self.table} is a {table.kind}", "Name the table behind it.")
        return table

    def key(self, table: Table) -> tuple[str, ...]:
        """The columns by which a row is known again.

        Raises:
            SchemaFixRefused: where there are none, or the column is one of them.
        """
        key = row_key(table)
        if not key or self.column in key:
            why = f"{self.column} is in its key" if key else "it has no primary key"
            raise self.refuse(
                f"The values of {self.label} could not be given back: {why}",
                "Give the table a primary key first.",
            )
        return key


def journal_name(session: Session, prefix: str, table: TableName, column: str) -> TableName:
    """A table of the journal for one column: at most 63 bytes, and shared with no other column."""
    short = f"{prefix}_{column}".encode()[:48].decode(errors="ignore")
    return session.engine.journal_table(f"{short}_{crc32(f'{table}.{column}'.encode()):08x}")


def held_rows(label: str, rows: int, alias: str) -> SchemaFixRefused:
    """The refusal for rows that have what the table does not have."""
    one = rows == 1
    return SchemaFixRefused(
        f"{rows:,} {'row' if one else 'rows'} of {label} {'has' if one else 'have'} what the table does not "
        "have, or cannot be read",
        where=alias,
        hint=f"See them with: manage.py integrity_diagnose {alias} --column {quote(label)}. Insert what is "
        'missing into the table, or say only_in_json = "journal": the journal then has it.',
    )
