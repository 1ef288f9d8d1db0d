"""Whether the values of a finding's columns may be shown at all."""

from __future__ import annotations

from integrity import models
from integrity.database.identifiers import TableName
from integrity.exceptions import ReferentialIntegrityError
from integrity.references import load_catalog
from integrity.references.masking import any_masked


def is_shown(finding: models.Finding) -> bool:
    """Whether the catalog masks no column of either side; a catalog that cannot be read shows nothing."""
    sides = [(finding.schema_name, finding.table_name, finding.columns)]
    if finding.referenced_table:
        sides.append((finding.referenced_schema, finding.referenced_table, finding.referenced_columns))
    try:
        catalog = load_catalog(finding.target.alias)
    except ReferentialIntegrityError:
        return False
    return not any(any_masked(catalog, TableName(schema, table), columns) for schema, table, columns in sides)
