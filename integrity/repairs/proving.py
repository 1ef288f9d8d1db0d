"""The proof of a rollback: what the journal recorded before the run against what is there now."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from integrity.database.identifiers import TableName
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.database.structures import differences, fingerprint, without
from integrity.repairs.journal import RunRecord
from integrity.repairs.result import Proof, TableProof
from integrity.repairs.run import digest_of


def prove(session: Session, record: RunRecord, proof: Proof, names: Collection[str]) -> None:
    """Compares every touched table, and the structure without objects of these names, into ``proof``."""
    after = session.schema()
    structures = without(record.structure, names), without(as_recorded(after), names)
    proof.schema_before, proof.schema_after = map(fingerprint, structures)
    proof.schema_differences = differences(*structures)
    known = {str(name): name for name in after.tables}
    for text, digest in record.digests.items():
        if text in known:
            table = proof.tables.setdefault(known[text], TableProof())
            table.digest_before = digest
            table.digest_after = digest_of(session, in_order(after, known[text], record), known[text])


def in_order(schema: Schema, name: TableName, record: RunRecord) -> Schema:
    """The columns of a table as they stood before the run, where they are the same: one that was removed
    and put back stands last on PostgreSQL, and a digest is of whole rows."""
    before = [each["name"] for each in record.structure.get(str(name), {}).get("columns", ())]
    table = schema.table(name)
    if sorted(before) != sorted(table.column_names):
        return schema
    ordered = replace(table, columns=tuple(map(table.column, before)))
    return replace(schema, tables=schema.tables | {name: ordered})


def as_recorded(schema: Schema) -> dict[str, Any]:
    """A structure as it is after a trip through JSON, as the journal's is."""
    return dict(json.loads(json.dumps(schema.structure())))
