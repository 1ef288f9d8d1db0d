"""Explains an error: finds where it belongs, counts, and says what to run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import DatabaseError, IntegrityError, connections

from integrity import conf
from integrity.database.session import Target
from integrity.exceptions import (
    AmbiguousError,
    NotFoundInTargets,
    ReferentialIntegrityError,
    UnsupportedVendor,
)
from integrity.explaining.caught import read_exception
from integrity.explaining.counting import counted
from integrity.explaining.explanation import Explanation
from integrity.explaining.place import Place, known_in, place_of
from integrity.explaining.reported import ErrorKind, Reported
from integrity.explaining.wording import read
from integrity.references.catalog import Catalog

PATIENCE_MS = 2_000
"""How long one count may take while a service waits for the answer."""


def explain(
    error: IntegrityError | str,
    using: str | None = None,
    *,
    catalog: Catalog | None = None,
    statement_timeout_ms: int | None = None,
) -> Explanation:
    """Says what an error means: which rows, how many more like them, and what to do.

    Looks on a connection of its own, so that it works where the caller's transaction is broken; what that
    transaction wrote is not seen. An exception is always answered, at least with what it says itself:
    ``gaps`` tells why no more is known. Nothing is changed.

    Args:
        error: the exception that was caught, or the text that was copied.
        using: the alias of the database that it came from; without it, every target is asked.
        catalog: a catalog lent for this answer (only with ``using``).
        statement_timeout_ms: how long one count may take (default: two seconds for an exception, the
            setting for a text); a count that takes longer is None.

    Raises:
        NotExplainable: a text that is no error about a reference or a duplicate.
        NotFoundInTargets, AmbiguousError: a text that fits no target, or several.
        UnknownTarget, TargetUnreachable, CatalogError: a text for a target that cannot be asked.
    """
    if isinstance(error, str):
        return _look_up(read(error), using, catalog, statement_timeout_ms)
    reported = read_exception(error)
    if reported.kind is ErrorKind.UNKNOWN:
        return Explanation(reported.kind, reported.message, gaps=("It is about another rule.",))
    patience = PATIENCE_MS if statement_timeout_ms is None else statement_timeout_ms
    try:
        return _look_up(reported, using, catalog, patience)
    except (ReferentialIntegrityError, DatabaseError) as refusal:
        return said_by_itself(reported, using or "", str(refusal).strip())


def said_by_itself(reported: Reported, target: str = "", gap: str = "") -> Explanation:
    """Returns what an error says without looking at any database."""
    return Explanation(
        kind=reported.kind,
        message=reported.message,
        target=target,
        constraint=reported.constraint,
        schema=reported.schema,
        table=reported.table,
        columns=reported.columns,
        referenced_table=reported.referenced_table,
        gaps=(gap,) if gap else (),
    )


def _look_up(
    reported: Reported, using: str | None, catalog: Catalog | None, timeout_ms: int | None
) -> Explanation:
    timeout = conf.statement_timeout_ms() if timeout_ms is None else timeout_ms
    found, silent = _asked([Target(using)] if using else _targets(), reported, catalog, timeout, bool(using))
    chosen = _chosen(found, reported, silent)
    with chosen.target.reading(statement_timeout_ms=timeout) as session:
        answer = counted(reported, known_in(session, catalog), chosen.place, said_by_itself(reported))
    return replace(answer, gaps=(*answer.gaps, *silent))


@dataclass(frozen=True)
class _Fit:
    """A target that an error can have come from."""

    target: Target
    place: Place


def _targets() -> list[Target]:
    """Every database that can be read, each once: not the alias that reaches it past its pooler."""
    direct = {
        conf.direct_alias(alias) for alias in connections.databases if conf.direct_alias(alias) != alias
    }
    found = []
    for alias in connections.databases:
        target = Target(alias)
        try:
            supported = bool(target.vendor)
        except UnsupportedVendor:
            supported = False
        if supported and alias not in direct:
            found.append(target)
    return found


def _asked(
    targets: Sequence[Target], reported: Reported, catalog: Catalog | None, timeout: int, strict: bool
) -> tuple[list[_Fit], list[str]]:
    """Returns the targets that fit, and why others could not be asked."""
    found, silent = [], []
    for target in targets:
        if reported.vendor and target.vendor != reported.vendor:
            continue
        try:
            with target.reading(statement_timeout_ms=timeout) as session:
                place = place_of(reported, known_in(session, catalog))
        except (ReferentialIntegrityError, DatabaseError) as error:
            if strict:
                raise
            silent.append(f"{target} could not be asked: {str(error).strip()}")
            continue
        if place is not None:
            found.append(_Fit(target, place))
    return found, silent


def _chosen(found: Sequence[_Fit], reported: Reported, silent: Sequence[str]) -> _Fit:
    """The one that knows the constraint by its name, else the one that has the tables."""
    fitting = [each for each in found if each.place.sure] or list(found)
    if len(fitting) == 1:
        return fitting[0]
    subject = _subject(reported)
    if not fitting:
        raise NotFoundInTargets(
            f"No target has {subject}",
            where=reported.message,
            hint=" ".join([*silent, "Is its database in DATABASES? manage.py integrity_targets lists them."]),
        )
    names = ", ".join(str(each.target) for each in fitting)
    raise AmbiguousError(
        f"The error fits {len(fitting)} targets: {names}",
        where=reported.message,
        hint=f"Say which it came from: manage.py integrity_explain {fitting[0].target} …",
    )


def _subject(reported: Reported) -> str:
    if reported.constraint:
        table = f" on table {reported.table}" if reported.table else ""
        return f"the constraint {reported.constraint}{table}, nor tables that it fits"
    if reported.table or reported.referenced_table:
        return f"a rule on {reported.table or reported.referenced_table} that the error fits"
    return "a foreign key that the error fits"
