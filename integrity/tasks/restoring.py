"""Looking before a rollback, with all that the site knows of the target."""

from __future__ import annotations

from integrity.database.session import Target
from integrity.operations.catalog_migrations import foreign_keys_made_by, uniques_made_by
from integrity.references import load_catalog
from integrity.repairs import Selection
from integrity.repairs.preview import RollbackPreview, preview_rollback
from integrity.repairs.quarantine import nothing_masked
from integrity.repairs.values import IsMasked
from integrity.tasks.reading import others_of


def look_before_rollback(
    alias: str,
    run: int,
    *,
    selection: Selection | None = None,
    with_relatives: bool = False,
    is_masked: IsMasked = nothing_masked,
) -> RollbackPreview:
    """Looks at what a rollback would meet; see :func:`integrity.repairs.preview.preview_rollback`.

    Args:
        alias: the target.
        run: the number of the run in the target's journal.
        selection: only some of its rows; all when None or empty.
        with_relatives: choose also what belongs to the chosen rows.
        is_masked: whose values are not shown.

    Raises:
        UnknownRun: no such run, or nothing of it can be taken back.
        TargetUnreachable: when the target cannot be read.
    """
    target = Target(alias)
    return preview_rollback(
        target,
        run,
        catalog=load_catalog(alias),
        selection=selection,
        made_by=foreign_keys_made_by(alias) | uniques_made_by(alias),
        others=others_of(target),
        is_masked=is_masked,
        with_relatives=with_relatives,
    )
