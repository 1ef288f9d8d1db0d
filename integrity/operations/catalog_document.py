"""The text of a new ``catalog.toml``: what a target declares and what was said about it so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os.path import relpath
from pathlib import Path

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.items import AoT, Array, Table

from integrity.database.schema import Action, Match, Schema
from integrity.references.catalog import Catalog
from integrity.references.reference import Reference, Source, written


def catalog_text(
    alias: str, schema: Schema, catalog: Catalog, references: Sequence[Reference] = (), *, folder: Path
) -> str:
    """Returns a ``catalog.toml`` with every known reference, and all that ``catalog`` says, as it is written.

    Args:
        alias: the target.
        schema: its structure.
        catalog: the catalog that was lent, or an empty one.
        references: what is known.
        folder: where the text will stand; the paths in it are from there.
    """
    head = f"# What should hold in {alias}.\n\n"
    document = tomlkit.parse(catalog.file.read_text(encoding="utf-8")) if catalog.file else tomlkit.document()
    target = document.setdefault("target", tomlkit.table())
    target["vendor"] = schema.vendor
    if catalog.ledger and catalog.ledger.scripts:
        document["ledger"]["scripts"] = Path(relpath(catalog.ledger.scripts, folder.resolve())).as_posix()
    _keep_environments(document, catalog, folder)
    new = [_reference(each) for each in references if each.source is not Source.CATALOG]
    if isinstance(document.get("reference"), Array):  # written in line, where no [[reference]] may follow
        new = [*(_table(each) for each in document.pop("reference").unwrap()), *new]
    text = head + tomlkit.dumps(document)
    if new:
        return f"{text.rstrip()}\n\n{tomlkit.dumps({'reference': AoT(new)})}"
    return text if catalog.references else text + _EXAMPLE


_EXAMPLE = """
# [[reference]]
# from = "orders.customer_id"
# to = "customers.id"
# on_delete = "SET NULL"
# rationale = "Why it should hold, and why a deletion does this"
"""


def _keep_environments(document: TOMLDocument, catalog: Catalog, folder: Path) -> None:
    """A migration that is not in ``folder`` would be a mistake of the catalog: it becomes a comment."""
    for each in catalog.environments:
        there = [name for name in each.migrations if (folder / "migrations" / f"{name}.py").is_file()]
        if len(there) < len(each.migrations):
            entry = document["environment"][each.name]
            entry["migrations"] = there
            gone = [name for name in each.migrations if name not in there]
            entry["migrations"].comment(f"once they are here: {', '.join(gone)}")


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


def _table(facts: Mapping[str, str]) -> Table:
    table = tomlkit.table()
    for word, value in facts.items():
        if value:
            table[word] = value
    return table
