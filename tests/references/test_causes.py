"""Orphans are explained where the evidence is strong, and left unexplained where it is weak."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from integrity.audit import audit
from integrity.database.session import Target
from integrity.detectors.finding import Finding
from integrity.references.causes import Cause, Confidence, Kind, attribute
from integrity.references.resolve import known_references
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

REFERENCE = '[[reference]]\nfrom = "c.p"\nto = "p.k"\n'
BEGUN = datetime(2024, 1, 1, tzinfo=UTC)
Orphans = Iterable[tuple[object, float]]
"""Keys and the days after the beginning on which their rows were created."""


def literal(value: object) -> str:
    return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)


def created(day: float) -> str:
    return f"{BEGUN + timedelta(days=day):%Y-%m-%d %H:%M:%S}"


def fill(
    target: EmptyTarget,
    kind: str,
    parents: Iterable[object],
    rows: Orphans,
    *,
    parent_kind: str = "",
    extra: str = "",
) -> None:
    """Make ``p(k)`` and ``c(p, created_at)``."""
    target.execute_script(
        f"CREATE TABLE p (k {parent_kind or kind} PRIMARY KEY);"
        f"CREATE TABLE c (p {kind}, created_at timestamp);"
    )
    keys = ", ".join(f"({literal(each)})" for each in parents)
    values = ", ".join(f"({literal(key)}, '{created(day)}')" for key, day in rows)
    target.execute_script(f"INSERT INTO p VALUES {keys}; INSERT INTO c VALUES {values}; {extra}")


def found(lend_catalog: LendCatalog, text: str = REFERENCE) -> dict[Kind, Cause]:
    catalog = lend_catalog(text)
    with Target("target").reading() as session, session.look():
        schema = session.schema()
        (reference,) = known_references(schema, catalog)
        return {cause.kind: cause for cause in attribute(session, schema, reference)}


def counts(lend_catalog: LendCatalog) -> dict[str, tuple[int, int]]:
    return {str(kind): (each.rows, each.missing_keys) for kind, each in found(lend_catalog).items()}


def finding(lend_catalog: LendCatalog) -> Finding:
    result = audit(Target("target"), lend_catalog(REFERENCE))
    (one,) = result.with_code("orphaned_rows")
    return one


def key(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))


def spread(value: object, rows: int, over: float = 300) -> list[tuple[object, float]]:
    """Rows of one key, evenly over some days."""
    return [(value, 10 + number * over / rows) for number in range(rows)]


VALID = [(key(1), day * 3.5) for day in range(100)]
"""Rows of a parent that exists, over most of a year."""


# -- another spelling ------------------------------------------------------------------------


def test_uuids_in_other_spellings_are_no_plain_orphans(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    spelled = [key(1).upper(), f"{{{key(1)}}}", key(1).replace("-", ""), f" {key(1)} ", f" {key(1)} "]
    native = "" if empty_target.vendor == SQLITE else "uuid"
    fill(empty_target, "text", [key(1)], [(each, 5) for each in [*spelled, key(9)]], parent_kind=native)
    cause = found(lend_catalog)[Kind.FORMAT_MISMATCH]

    assert (cause.rows, cause.missing_keys, cause.confidence) == (5, 4, Confidence.CERTAIN)
    assert cause.evidence["differences"] == {"white space": 2, "braces": 1, "case": 1, "hyphens": 1}
    assert cause.evidence["examples"]["case"] == {"orphan": key(1).upper(), "parent": key(1)}


def test_a_finding_says_that_rows_differ_only_in_spelling(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    fill(empty_target, "text", ["anna", "bert"], [("Anna", 5), ("Anna", 6), ("carl", 7)])
    one = finding(lend_catalog)

    assert one.message.endswith("; 2 of 3 differ only in spelling from one that it has")
    assert "relink rows that differ only in spelling instead of deleting them" in one.suggestion
    assert [each["kind"] for each in one.evidence["causes"]] == ["format_mismatch", "unexplained"]


def test_numbers_as_text_are_another_spelling(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    rows = [("007", 1), ("12.0", 2), ("12.5", 3), ("7th", 4)]
    fill(empty_target, "text", ["7", "12"], rows)

    assert counts(lend_catalog) == {"format_mismatch": (2, 2), "unexplained": (2, 2)}


def test_integers_against_text_are_another_spelling(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    fill(empty_target, "integer", ["007", "12.0"], [(7, 1), (12, 2), (13, 3)], parent_kind="text")

    assert counts(lend_catalog) == {"format_mismatch": (2, 2), "unexplained": (1, 1)}


def test_a_value_that_merely_resembles_a_parent_is_not_one(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    fill(empty_target, "text", ["ab-1", key(1)], [("ab1", 1), ("{ab-1}", 2), (key(1)[:-1], 3)])

    assert counts(lend_catalog) == {"unexplained": (3, 3)}


# -- sentinels -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sentinel", ["", "   ", "-", "NULL", "undefined", "default-user", str(uuid.UUID(int=0))]
)
def test_what_programs_write_for_nothing_is_a_sentinel(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, sentinel: str
) -> None:
    fill(empty_target, "varchar(50)", ["u-1"], [(sentinel, 1), (sentinel, 2), ("u-9", 3)])

    assert counts(lend_catalog) == {"sentinel": (2, 1), "unexplained": (1, 1)}
    assert "2 of 3 hold a sentinel" in finding(lend_catalog).message


def test_zero_is_a_sentinel_where_keys_begin_above_it(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    fill(empty_target, "integer", [1, 2, 4], [(0, 1), (0, 2), (-1, 3), (900, 3)])

    assert counts(lend_catalog) == {"sentinel": (3, 2), "unexplained": (1, 1)}


def test_zero_is_none_where_keys_go_below_it(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    fill(empty_target, "integer", [-1000, 1000], [(0, 1), (0, 2)])

    assert counts(lend_catalog) == {"unexplained": (2, 1)}


def test_a_constant_in_words_among_keys_that_are_none_is_a_sentinel(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    fill(empty_target, "text", ["u-1", "u-2"], [*spread("web-visitor", 8), ("u-1", 0), ("u-1", 400)] * 2)

    assert counts(lend_catalog) == {"sentinel": (16, 1)}


def test_a_word_among_words_is_no_sentinel(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    fill(
        empty_target,
        "text",
        ["france", "spain"],
        [*spread("kosovo", 8), *[("spain", 4 * d) for d in range(99)]],
    )

    assert counts(lend_catalog) == {"parent_deleted": (8, 1)}


# -- kept elsewhere --------------------------------------------------------------------------


def test_an_archive_that_has_the_key_is_named(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    archive = "CREATE TABLE p_archive (k integer); INSERT INTO p_archive VALUES (5), (5), (77);"
    other = "CREATE TABLE pq_archive (k integer); INSERT INTO pq_archive VALUES (900);"
    fill(empty_target, "integer", [1, 2], [(5, 1), (5, 2), (900, 3)], extra=archive + other)
    causes = found(lend_catalog)

    assert causes[Kind.ARCHIVED_PARENT].evidence["tables"] == {"p_archive": 2}
    assert causes[Kind.UNEXPLAINED].rows == 1


# -- parents that were deleted ---------------------------------------------------------------


def test_numbers_inside_the_range_once_used_were_deleted(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    fill(empty_target, "integer", [1, 2, 4, 5, 7], [(3, 1), (3, 2), (6, 3), (99, 4)])
    cause = found(lend_catalog)[Kind.PARENT_DELETED]

    assert (cause.rows, cause.missing_keys, cause.evidence["inside_range"]) == (3, 2, 3)
    assert (cause.evidence["first"], cause.evidence["last"]) == (1, 7)


def test_what_a_sequence_gave_out_was_once_there(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    serial = (
        "INTEGER PRIMARY KEY AUTOINCREMENT"
        if empty_target.vendor == SQLITE
        else "integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"
    )
    empty_target.execute_script(
        f"CREATE TABLE p (k {serial}, t text); CREATE TABLE c (p integer);"
        "INSERT INTO p (t) VALUES ('a'), ('b'), ('c'), ('d'); DELETE FROM p WHERE k > 1;"
        "INSERT INTO c VALUES (4), (4), (5)"
    )

    assert counts(lend_catalog) == {"parent_deleted": (2, 1), "unexplained": (1, 1)}


def test_numbers_that_are_drawn_at_random_have_no_range(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    fill(empty_target, "integer", [1000, 900_000_000], [(5000, 1), (6000, 2)])

    assert counts(lend_catalog) == {"unexplained": (2, 2)}


def test_a_uuid_that_many_rows_had_over_time_was_deleted(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    fill(empty_target, "text", [key(1)], [*VALID, *spread(key(8), 12), *spread(key(9), 3), (key(7), 1)])

    assert counts(lend_catalog) == {"parent_deleted": (15, 2), "unexplained": (1, 1)}


def test_a_uuid_that_many_rows_have_at_one_time_proves_nothing(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    fill(empty_target, "text", [key(1)], [*VALID, *[(key(9), 100)] * 12])

    assert counts(lend_catalog) == {"unexplained": (12, 1)}


def test_a_reference_that_hardly_a_row_keeps_is_not_explained_by_deletions(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    wrong = [row for number in range(2, 12) for row in spread(key(number), 8)]
    fill(empty_target, "text", [key(1)], [*wrong, (key(1), 0), (key(1), 340)])

    assert "parent_deleted" not in counts(lend_catalog)


# -- an import -------------------------------------------------------------------------------


def test_rows_created_together_with_keys_of_their_own_were_imported(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    imported = [(key(100 + number), 200 + number / 1000) for number in range(30)]
    fill(empty_target, "text", [key(1)], [*VALID, *imported, *spread(key(9), 12), (key(7), 3), (key(6), 340)])
    causes = found(lend_catalog)

    assert counts(lend_catalog) == {"parent_deleted": (12, 1), "import": (30, 30), "unexplained": (2, 2)}
    assert causes[Kind.IMPORT].evidence["first"] == created(200)
    assert causes[Kind.IMPORT].sentence.startswith("30 rows: created together on 2024-07-19 between 00:00")


def test_numbers_beyond_the_range_that_came_together_were_imported(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    imported = [(70_000 + number // 2, 100 + number / 1000) for number in range(20)]
    rows = [*imported, (3, 50), *[(1, day * 3.5) for day in range(100)]]
    fill(empty_target, "integer", [1, 2, 4, 5], rows)

    assert counts(lend_catalog) == {"parent_deleted": (1, 1), "import": (20, 10)}


def test_rows_that_came_one_by_one_were_not_imported(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    fill(empty_target, "text", [key(1)], [*VALID, *[(key(100 + n), n * 3.4) for n in range(100)]])

    assert counts(lend_catalog) == {"unexplained": (100, 100)}


def test_a_table_that_is_a_day_old_came_together_as_a_whole(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    fill(empty_target, "text", [key(1)], [(key(100 + n), n / 100) for n in range(60)])

    assert counts(lend_catalog) == {"unexplained": (60, 60)}


# -- from before a constraint ----------------------------------------------------------------


def test_the_oldest_rows_of_a_table_are_from_before_a_constraint(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    oldest = [(key(100 + number % 3), number / 2) for number in range(24)]
    younger = [(key(1), 14 + day * 3.3) for day in range(100)]
    fill(empty_target, "text", [key(1)], [*oldest, *younger, *spread(key(9), 12, over=320)])
    causes = found(lend_catalog)

    assert counts(lend_catalog) == {"parent_deleted": (12, 1), "before_constraint": (24, 3)}
    assert causes[Kind.BEFORE_CONSTRAINT].confidence is Confidence.LIKELY


def test_old_rows_among_others_that_are_right_are_from_a_deleted_parent(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    oldest = [(key(9), number / 2) for number in range(24)]
    fill(empty_target, "text", [key(1)], [*oldest, *[(key(1), day * 0.5) for day in range(700)]])

    assert counts(lend_catalog) == {"parent_deleted": (24, 1)}


@pytest.mark.parametrize(
    ("days", "kind"), [(range(5, 155, 10), "before_constraint"), (range(5, 345, 20), "unexplained")]
)
def test_rows_of_which_none_is_young_are_possibly_from_before_a_constraint(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, days: range, kind: str
) -> None:
    fill(empty_target, "text", [key(1)], [*VALID, *[(key(100 + day), day) for day in days]])
    (cause,) = found(lend_catalog).values()

    assert str(cause.kind) == kind
    assert cause.confidence in (Confidence.POSSIBLE, Confidence.NONE)


def test_a_constraint_that_binds_new_rows_dates_what_breaks_it(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    if empty_target.vendor == SQLITE:
        return
    bound = "ALTER TABLE c ADD CONSTRAINT bound FOREIGN KEY (p) REFERENCES p NOT VALID;"
    fill(empty_target, "text", [key(1)], [*VALID, (key(7), 50), (key(8), 90)], extra=bound)
    cause = found(lend_catalog)[Kind.BEFORE_CONSTRAINT]

    assert (cause.rows, cause.evidence["binds_new_rows"]) == (2, True)


# -- when ------------------------------------------------------------------------------------


def test_a_finding_says_when_its_orphans_were_created(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    fill(empty_target, "text", [key(1)], [*VALID, (key(7), 61), (key(7), 62), (key(8), 5)])
    when = finding(lend_catalog).evidence["created"]

    assert (when["column"], when["first"], when["last"]) == ("created_at", created(5), created(62))
    assert when["months"] == [{"month": "2024-03", "rows": 2}, {"month": "2024-01", "rows": 1}]
    assert (when["newest_tenth"], when["still_growing"]) == (0, False)
    assert when["timeline"]["unit"] == "day"
    weekly = [(each["start"], each["rows"]) for each in when["timeline"]["stretches"] if each["rows"]]
    assert weekly == [(created(day)[:10], 1) for day in (5, 61, 62)]


def test_orphans_among_the_newest_rows_are_still_growing(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    fill(empty_target, "text", [key(1)], [*VALID, (key(7), 61), (key(7), 340), (key(8), 345)])
    when = finding(lend_catalog).evidence["created"]

    assert (when["newest_tenth"], when["still_growing"]) == (2, True)


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000])
def test_moments_that_are_numbers_are_read_by_their_size(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, unit: int
) -> None:
    if empty_target.vendor != SQLITE:
        return
    moments = [int((BEGUN + timedelta(days=day)).timestamp() * unit) for day in (0, 100)]
    empty_target.execute_script(
        "CREATE TABLE p (k INTEGER PRIMARY KEY); CREATE TABLE c (p INTEGER, createdAt INTEGER);"
        f"INSERT INTO c VALUES (1, {moments[0]}), (2, {moments[1]})"
    )

    assert finding(lend_catalog).evidence["created"]["last"] == created(100)


def test_a_table_that_says_no_time_is_counted_all_the_same(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(
        "CREATE TABLE p (k text PRIMARY KEY); CREATE TABLE c (p text, updated_at timestamp, created_at text);"
        "INSERT INTO c (p, created_at) VALUES ('a-1', 'yesterday'), ('a-2', '')"
    )

    assert counts(lend_catalog) == {"unexplained": (2, 2)}
    assert finding(lend_catalog).evidence["created"] == {}


def test_infinite_moments_are_passed_over(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    if empty_target.vendor == SQLITE:
        return
    rows = "INSERT INTO c VALUES ('x-9', '-infinity'), ('x-9', 'infinity'), ('x-8', NULL);"
    fill(empty_target, "text", ["x-1"], [("x-1", 1)], extra=rows)

    assert counts(lend_catalog) == {"unexplained": (3, 2)}


def test_each_orphan_has_one_cause(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    archive = "CREATE TABLE deleted_p (k text); INSERT INTO deleted_p VALUES ('a-9'), ('A-1'), ('');"
    rows = [("A-1", 1), ("", 2), ("a-9", 3), *spread("a-7", 9), ("a-8", 4), ("a-1", 5), (None, 6)]
    fill(empty_target, "text", ["a-1"], [*rows, *[("a-1", 4 * day) for day in range(90)]], extra=archive)
    one = finding(lend_catalog)

    assert {each["kind"]: each["rows"] for each in one.evidence["causes"]} == {
        "format_mismatch": 1, "sentinel": 1, "archived_parent": 1, "parent_deleted": 9, "unexplained": 1,
    }  # fmt: skip
    assert sum(each["rows"] for each in one.evidence["causes"]) == one.rows
    assert sum(each["missing_keys"] for each in one.evidence["causes"]) == one.missing_keys


def test_a_composite_reference_is_explained_by_its_archive(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(
        "CREATE TABLE p (a integer, b integer, PRIMARY KEY (a, b)); CREATE TABLE c (x integer, y integer);"
        "CREATE TABLE p_history (a integer, b integer); INSERT INTO p_history VALUES (1, 2), (1, 2);"
        "INSERT INTO c VALUES (1, 2), (2, 2), (NULL, 3)"
    )
    causes = found(lend_catalog, '[[reference]]\nfrom = "c.x,y"\nto = "p.a,b"\n')

    assert {str(kind): each.rows for kind, each in causes.items()} == {"archived_parent": 1, "unexplained": 1}


def test_a_parent_that_belongs_to_somebody_else_is_told_from_one_that_is_gone(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(
        "CREATE TABLE p (tenant integer, id integer PRIMARY KEY, UNIQUE (tenant, id));"
        "CREATE TABLE c (tenant integer, p_id integer); INSERT INTO p VALUES (1, 10), (2, 20), (NULL, 30);"
        "INSERT INTO c VALUES (1, 10), (1, 20), (1, 20), (2, 30), (1, 99), (NULL, 20), (1, NULL)"
    )
    causes = found(lend_catalog, '[[reference]]\nfrom = "c.tenant,p_id"\nto = "p.tenant,id"\n')

    assert {str(kind): (each.rows, each.missing_keys) for kind, each in causes.items()} == {
        "another_owner": (3, 2), "unexplained": (1, 1),
    }  # fmt: skip
    owner = causes[Kind.ANOTHER_OWNER]
    assert owner.confidence is Confidence.CERTAIN
    assert "the parent exists (p_id), with another tenant" in owner.sentence


def test_columns_that_know_no_parent_alone_explain_nothing(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(
        "CREATE TABLE p (a integer, b integer, PRIMARY KEY (a, b)); CREATE TABLE c (x integer, y integer);"
        "INSERT INTO p VALUES (1, 2); INSERT INTO c VALUES (3, 2)"
    )
    causes = found(lend_catalog, '[[reference]]\nfrom = "c.x,y"\nto = "p.a,b"\n')

    assert {str(kind) for kind in causes} == {"unexplained"}


def test_no_orphans_need_no_cause(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    fill(empty_target, "text", ["a"], [("a", 1), (None, 2)])

    assert found(lend_catalog) == {}
