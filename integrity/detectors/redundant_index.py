"""Indexes that another index makes superfluous."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.database.redundancy import Redundant, redundant_indexes
from integrity.database.schema import Index, TableKind
from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding, Severity
from integrity.references.reference import written


class RedundantIndex(Detector):
    """It finds nothing that another does not find, and costs every write. Never one that a constraint, a
    foreign key or a unique of its own needs."""

    code = "redundant_index"
    severity = Severity.INFO

    def check_structure(self, inspection: Inspection) -> Iterator[Finding]:
        """Says which index makes it superfluous."""
        if inspection.narrowed:
            return
        for found in redundant_indexes(inspection.schema):
            yield self._finding(inspection, found)

    def _finding(self, inspection: Inspection, found: Redundant) -> Finding:
        index, target = found.index, inspection.session.target
        parted = inspection.schema.table(index.table).kind is TableKind.PARTITIONED
        return Finding(
            code=self.code,
            severity=self.severity,
            table=index.table,
            columns=index.columns,
            object=index.name,
            message=f"The index {index.name} on {written(index.table)} ({', '.join(index.terms)}) is "
            f"redundant: {_what(found.by)} "
            + ("is the same" if found.same else "begins with the same columns"),
            suggestion="Drop it by hand: it has a part in every partition"
            if parted
            else f"manage.py integrity_makemigrations {target} --drop-redundant",
            evidence={"by": found.by.name, "same": found.same, "definition": index.definition},
        )


def _what(index: Index) -> str:
    noun = "the unique" if index.unique else "the index"
    return f"{noun} {index.name} ({', '.join(index.terms)})"
