"""A schema editor for files in which rows break foreign keys already.

Django's own checks the whole file when it is left, so that not even ``django_migrations`` can be
made in such a file. This one compares before and after, where rows are changed at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from django.db import DatabaseError, IntegrityError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.sqlite3.schema import DatabaseSchemaEditor

REMEMBER = """
CREATE TEMP TABLE integrity_violations AS
SELECT v."table" AS child, v.rowid AS place, v.parent AS parent,
       (SELECT group_concat(f."from") FROM pragma_foreign_key_list(v."table") f
        WHERE f.id = v.fkid) AS columns
FROM pragma_foreign_key_check v
"""
REMEMBER_KEYS = """
CREATE TEMP TABLE integrity_keys AS
SELECT m.name AS child, f."table" AS parent, group_concat(f."from") AS columns
FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f
WHERE m.type = 'table' GROUP BY m.name, f.id, f."table"
"""
NEW = """
WITH now AS (
  SELECT v."table" AS child, v.rowid AS place, v.parent AS parent,
         (SELECT group_concat(f."from") FROM pragma_foreign_key_list(v."table") f
          WHERE f.id = v.fkid) AS columns
  FROM pragma_foreign_key_check v)
SELECT child, columns, parent, count(*) FROM now
WHERE (child, parent, columns) IN (SELECT child, parent, columns FROM integrity_keys)
  AND (place IS NULL OR NOT EXISTS (
    SELECT 1 FROM integrity_violations b
    WHERE b.child = now.child AND b.place = now.place AND b.parent = now.parent AND b.columns = now.columns))
GROUP BY 1, 2, 3
HAVING count(*) > (SELECT count(*) FROM integrity_violations b WHERE b.place IS NULL
                   AND b.child = now.child AND b.parent = now.parent AND b.columns = now.columns)
"""
FORGET = ("DROP TABLE IF EXISTS temp.integrity_violations", "DROP TABLE IF EXISTS temp.integrity_keys")


class TolerantSchemaEditor(DatabaseSchemaEditor):
    """Django's schema editor, but violations that stood before are none of its business.

    Args:
        changes_rows: whether to look for new violations at the end.
    """

    def __init__(self, *args: Any, changes_rows: bool = True, **options: Any) -> None:
        super().__init__(*args, **options)
        self.changes_rows = changes_rows and not self.collect_sql
        self.compares = False

    def __enter__(self) -> Self:
        """Switches enforcement off and takes note of the violations that stand."""
        super().__enter__()
        if self.changes_rows:
            self.compares = self._remember()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the transaction, whatever happened, and switches enforcement on again."""
        try:
            if error is None and self.compares:
                self._refuse_new()
        except BaseException as new:
            BaseDatabaseSchemaEditor.__exit__(self, type(new), new, new.__traceback__)
            raise
        else:
            BaseDatabaseSchemaEditor.__exit__(self, kind, error, trace)
        finally:
            self._forget()
            self.connection.enable_constraint_checking()

    def _run(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def _remember(self) -> bool:
        """Whether the check could be made: a key whose parent is no key makes it fail."""
        self._forget()
        try:
            self._run(REMEMBER)
            self._run(REMEMBER_KEYS)
        except DatabaseError:
            return False
        return True

    def _refuse_new(self) -> None:
        for child, columns, parent, rows in self._run(NEW):
            raise IntegrityError(
                f"{rows} more rows of {child} would refer by {columns} to rows of {parent} that do not exist"
            )

    def _forget(self) -> None:
        if self.connection.connection is not None:
            for statement in FORGET:
                self._run(statement)


@contextmanager
def tolerant(connection: BaseDatabaseWrapper, *, changes_rows: bool = True) -> Iterator[None]:
    """Lets every schema editor of ``connection`` be a tolerant one; nothing on other engines."""
    if connection.vendor != "sqlite":
        yield
        return

    def editor(*args: Any, **options: Any) -> TolerantSchemaEditor:
        return TolerantSchemaEditor(*args, changes_rows=changes_rows, **options)

    before = connection.SchemaEditorClass
    connection.SchemaEditorClass = editor  # type: ignore[assignment]
    try:
        yield
    finally:
        connection.SchemaEditorClass = before
