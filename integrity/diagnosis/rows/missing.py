"""Missing keys of the live target, the commonest first, page by page."""

from __future__ import annotations

from dataclasses import dataclass

from integrity.database.identifiers import column
from integrity.diagnosis.rows.looking import Orphans
from integrity.diagnosis.rows.pages import sayable

KEYS_A_PAGE = 50
MOST_PAGES = 200
"""Beyond, a page tells nobody anything: ten thousand keys were seen by then."""


@dataclass(frozen=True)
class MissingKey:
    """A referenced value that does not exist, as texts (none where it must not be shown), and its orphans."""

    key: tuple[str, ...]
    rows: int


@dataclass(frozen=True)
class KeyPage:
    """A page of missing keys; ``more`` says whether another follows."""

    keys: tuple[MissingKey, ...]
    page: int = 1
    more: bool = False


def missing_keys(orphans: Orphans, *, page: int = 1, limit: int = KEYS_A_PAGE) -> KeyPage:
    """Returns a page of the missing keys of a reference, the commonest first, exactly counted.

    Args:
        orphans: an open look at the reference.
        page: which page, from 1 to :data:`MOST_PAGES`.
        limit: how many keys it has.

    Raises:
        TimedOut: when counting takes too long.
    """
    page = max(1, min(page, MOST_PAGES))
    where, engine = orphans.where, orphans.engine
    texts = [engine.key_text([name]) for name in orphans.reference.columns]
    places = ", ".join(str(place) for place in range(1, len(texts) + 1))
    some = " AND ".join(f"{column(name, 'c')} IS NOT NULL" for name in orphans.reference.columns)
    sql = (
        f"SELECT {', '.join(texts)}, count(*) FROM {engine.source(orphans.table)} c "
        f"WHERE {where.sql} AND {some} GROUP BY {places} "
        f"ORDER BY {len(texts) + 1} DESC, {places} LIMIT %s OFFSET %s"
    )
    found = orphans.session.rows(sql, [*where.params, limit + 1, (page - 1) * limit])
    keys = [MissingKey(() if orphans.hides_keys else sayable(texts), int(rows)) for *texts, rows in found]
    return KeyPage(tuple(keys[:limit]), page, len(keys) > limit and page < MOST_PAGES)
