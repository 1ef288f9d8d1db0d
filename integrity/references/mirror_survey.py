"""How many rows of a mirror are equal, stale, alone, or cannot be read, with samples of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from integrity import conf
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.references.catalog import Catalog
from integrity.references.masking import MASKED, is_masked
from integrity.references.mirror import Mirror
from integrity.references.mirror_entry import OnlyInJson
from integrity.references.mirrored import DRIFTED, HELD, NULL_WITH_ROWS, MirrorSql, MirrorState

_LONGEST = 80


@dataclass(frozen=True)
class MirrorSample:
    """A row that is not equal: its key, what its JSON holds, and how many rows the table has."""

    state: MirrorState
    key: tuple[Any, ...]
    value: str | None
    in_json: int | None
    in_table: int

    def as_json(self) -> dict[str, Any]:
        """Returns the sample as plain values."""
        return {
            "key": [each if isinstance(each, (int, str, float)) else str(each) for each in self.key],
            "json": self.value,
            "in_json": self.in_json,
            "in_table": self.in_table,
        }


@dataclass(frozen=True)
class MirrorSurvey:
    """What a mirror's rows are.

    ``drifted`` say something else than the table; ``held`` of them have what only JSON knows, or what
    cannot be read; ``null_with_rows`` are NULL although the table has rows. ``elements_only_in_json``
    counts elements of lists, in however many rows.
    """

    mirror: Mirror
    states: dict[MirrorState, int]
    drifted: int = 0
    held: int = 0
    null_with_rows: int = 0
    elements_only_in_json: int = 0
    samples: tuple[MirrorSample, ...] = field(default=())

    @property
    def rows(self) -> int:
        """All rows of the table."""
        return sum(self.states.values())

    @property
    def spared(self) -> int:
        """Rows that are left alone because rewriting them would take something away."""
        return self.held if self.mirror.only_in_json is OnlyInJson.REFUSE else 0

    def as_json(self) -> dict[str, Any]:
        """Returns the survey as plain values; samples by their state."""
        samples: dict[str, list[dict[str, Any]]] = {}
        for each in self.samples:
            samples.setdefault(str(each.state), []).append(each.as_json())
        return {
            "repeats": self.mirror.reference.label,
            "rows": self.rows,
            "states": {str(state): self.states.get(state, 0) for state in MirrorState},
            "drifted": self.drifted,
            "held": self.held,
            "null_with_rows": self.null_with_rows,
            "elements_only_in_json": self.elements_only_in_json,
            "drift": str(self.mirror.drift or ""),
            "only_in_json": str(self.mirror.only_in_json),
            "samples": samples,
        }


def survey_mirror(
    session: Session, schema: Schema, catalog: Catalog, mirror: Mirror, *, samples: bool = True
) -> MirrorSurvey:
    """Counts the rows of a mirror by what they are; two queries at most, whatever their number.

    Raises:
        NotCheckable: when no honest answer can be given, with the reason.
    """
    sql = MirrorSql(session.engine, schema, mirror)
    sql.refuse_unreadable()
    states = sql.states()
    only = "CASE WHEN s.kind = 'list' THEN s.lost ELSE 0 END"
    counted = session.rows(
        f"SELECT s.state, count(*), {_number(DRIFTED)}, {_number(HELD)}, {_number(NULL_WITH_ROWS)}, "
        f"sum({only}) FROM ({states.sql}) AS s GROUP BY s.state",
        states.params,
    )
    drifted = sum(int(row[2]) for row in counted)
    return MirrorSurvey(
        mirror=mirror,
        states={MirrorState(row[0]): int(row[1]) for row in counted},
        drifted=drifted,
        held=sum(int(row[3]) for row in counted),
        null_with_rows=sum(int(row[4]) for row in counted),
        elements_only_in_json=sum(int(row[5] or 0) for row in counted),
        samples=_samples(session, sql, catalog) if samples and drifted else (),
    )


def _number(condition: str) -> str:
    return f"count(CASE WHEN {condition} THEN 1 END)"


def _samples(session: Session, sql: MirrorSql, catalog: Catalog) -> tuple[MirrorSample, ...]:
    keys = row_key(sql.table)
    states = sql.states(keys)
    named = [f"k{place}" for place in range(len(keys))]
    order = ", ".join(f"s.{name}" for name in named) or "s.n"
    listed = "".join(f"x.{name}, " for name in named)
    found = session.rows(
        f"SELECT {listed}x.state, x.value, x.j, x.n FROM (SELECT s.*, row_number() OVER "
        f"(PARTITION BY s.state ORDER BY {order}) AS place FROM ({states.sql}) AS s WHERE {DRIFTED}) AS x "
        "WHERE x.place <= %s ORDER BY x.state, x.place",
        [*states.params, conf.sample_rows()],
    )
    masks = [is_masked(catalog, sql.table.name, name) for name in (*keys, sql.mirror.column)]
    return tuple(_sample(row, len(keys), masks) for row in found)


def _sample(row: tuple[Any, ...], keys: int, masks: list[bool]) -> MirrorSample:
    key = tuple(MASKED if hidden else value for value, hidden in zip(row[:keys], masks, strict=False))
    state, value, in_json, in_table = row[keys:]
    return MirrorSample(
        MirrorState(state),
        key,
        MASKED if masks[-1] and value is not None else _shown(value),
        None if in_json is None else int(in_json),
        int(in_table),
    )


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def row_key(table: Table) -> tuple[str, ...]:
    """The columns by which a row is known: the primary key, else a unique that has no NULLs; none
    where there is neither."""
    if table.primary_key:
        return table.primary_key.columns
    for key in table.keys:
        if key.referenceable and not any(table.column(name).nullable for name in key.columns):
            return key.columns
    return ()
