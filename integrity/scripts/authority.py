"""Who decides what a table should be like, where scripts define it more than once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from integrity.database.identifiers import TableName
from integrity.database.schema import Schema, Table
from integrity.references.catalog import Catalog
from integrity.references.required_table import RequiredTable
from integrity.scripts.cursor import ObjectName, object_name
from integrity.scripts.definitions import Definition, Kind
from integrity.scripts.shapes import Shape, differences, live_shape, required_shape, shape_of

if TYPE_CHECKING:
    from integrity.scripts.checks.base import ScriptInspection


@dataclass(frozen=True)
class Authority:
    """What decides: ``name`` as it stands in a sentence, ``title`` as it begins one."""

    name: str
    title: str
    shape: Shape

    def differences(self, definition: Definition) -> list[str]:
        """Returns how a definition differs from it, seen from the definition."""
        return differences(shape_of(definition), self.shape)


def authority_for(inspection: ScriptInspection, definition: Definition) -> Authority | None:
    """Returns what decides about a table: the catalog's ``[[required_table]]``, else the live database,
    else None."""
    if definition.kind is not Kind.TABLE:
        return None
    vendor = inspection.live.vendor if inspection.live else inspection.catalog.vendor
    table = required_table(inspection.catalog, definition.name)
    if table is not None and any(each.type for each in table.columns):
        title = f"The catalog ({table.entry})"
        return Authority(f"the catalog ({table.entry})", title, required_shape(table, vendor))
    if inspection.live is None:
        return None
    live = live_table(inspection.live.schema, definition.name)
    if live is None:
        return None
    name = f"the live database {inspection.live.alias}"
    return Authority(name, name.capitalize(), live_shape(live, inspection.live.vendor))


def required_table(catalog: Catalog, name: ObjectName) -> RequiredTable | None:
    """Returns the catalog's entry for a table of the scripts, None where it has none."""
    return next((table for table in catalog.tables if object_name(table.table.parts) == name), None)


def live_table(schema: Schema, name: ObjectName) -> Table | None:
    """Returns the table of a database that a script's name means, None where there is none."""
    for table in schema:
        if live_name(table.name) == name:
            return table
    if name.schema:
        return None
    wanted = TableName(schema.default_schema, name.name)
    return schema.tables.get(wanted)


def live_name(name: TableName) -> ObjectName:
    """Returns the name of a table of a database as scripts' names are compared."""
    return object_name([name.schema, name.name])
