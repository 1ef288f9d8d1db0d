"""The text of a new ``catalog.toml``: what a target declares and what was said about it so far."""

from __future__ import annotations

from collections.abc import Sequence

import tomlkit
from tomlkit.items import AoT, Table

from integrity.database.schema import Action, Match, Schema
from integrity.references.catalog import Catalog
from integrity.references.entries import CatalogIndex, CatalogUnique
from integrity.references.reference import Reference, written


def catalog_text(alias: str, schema: Schema, catalog: Catalog, references: Sequence[Reference] = ()) -> str:
    """Returns a ``catalog.toml`` with every known reference, and the indexes and uniques of ``catalog``."""
    document = tomlkit.document()
    document.add(tomlkit.comment(f"What should hold in {alias}."))
    document.add(tomlkit.nl())
    target = tomlkit.table()
    target["vendor"] = schema.vendor
    if catalog.description:
        target["description"] = catalog.description
    document["target"] = target
    entries = {
        "reference": [_reference(each) for each in references],
        "index": [_index(each) for each in catalog.indexes],
        "unique": [_unique(each) for each in catalog.uniques],
    }
    for word, tables in entries.items():
        if tables:
            document[word] = AoT(tables)
    text = tomlkit.dumps(document)
    return text if references else text + _EXAMPLE


_EXAMPLE = """
# [[reference]]
# from = "orders.customer_id"
# to = "customers.id"
# on_delete = "SET NULL"
# rationale = "Why it should hold, and why a deletion does this"
"""


def _reference(reference: Reference) -> Table:
    facts = {
        "from": reference.label,
        "to": written(reference.referenced_table, reference.referenced_columns),
        "name": reference.name,
        "match": "" if reference.match is Match.SIMPLE else str(reference.match),
        "on_delete": "" if reference.on_delete is Action.NO_ACTION else str(reference.on_delete),
        "on_update": "" if reference.on_update is Action.NO_ACTION else str(reference.on_update),
        "rationale": reference.rationale,
        "orphans": str(reference.policy or ""),
    }
    return _table(facts)


def _index(index: CatalogIndex) -> Table:
    table = _table({"table": ".".join(_part(part) for part in index.table.parts)})
    table["columns"] = list(index.columns)
    for word, value in (("name", index.name), ("where", index.where), ("rationale", index.rationale)):
        if value:
            table[word] = value
    return table


def _unique(unique: CatalogUnique) -> Table:
    table = _index(unique)
    facts = {
        "nulls": "" if unique.nulls_distinct else "not distinct",
        "case": "insensitive" if unique.ignores_case else "",
        "duplicates": str(unique.duplicates or ""),
        "survivor": unique.survivor,
        "rename": unique.rename,
    }
    for word, value in facts.items():
        if value:
            table[word] = value
    return table


def _part(name: str) -> str:
    plain = not any(mark in name for mark in '.," ')
    return name if plain else '"' + name.replace('"', '""') + '"'


def _table(facts: dict[str, str]) -> Table:
    table = tomlkit.table()
    for word, value in facts.items():
        if value:
            table[word] = value
    return table
