"""Scripts are followed in their order."""

from pathlib import Path

from integrity.scripts.cursor import ObjectName
from integrity.scripts.definitions import Definition, Kind
from integrity.scripts.statement import Dialect, Place, Script, Statement
from integrity.scripts.survey import Survey, survey


def script(name: str, *statements: str) -> Script:
    head = name.partition("_")[0]
    number = int(head) if head.isdigit() else None
    made = tuple(
        Statement(text, Place(name, line, 1), Dialect.SHARED) for line, text in enumerate(statements, start=1)
    )
    return Script(Path(name), name, Dialect.SHARED, made, number)


def grown(surveyed: Survey) -> list[list[str]]:
    tables = surveyed.definitions(Kind.TABLE)
    return [[each.name for each in surveyed.grown(step, table).columns] for step, table in tables]


def test_a_table_grows_by_what_later_statements_alter() -> None:
    found = survey(
        [
            script("001_a.sql", "CREATE TABLE t (a INT, b INT)", "ALTER TABLE t ADD COLUMN c INT"),
            script("002_b.sql", "ALTER TABLE t DROP COLUMN a", "ALTER TABLE t RENAME COLUMN b TO d"),
        ]
    )
    assert grown(found) == [["d", "c"]]


def test_what_came_before_a_table_was_made_again_is_not_its_own() -> None:
    found = survey(
        [
            script("001_a.sql", "CREATE TABLE t (a INT)", "ALTER TABLE t ADD COLUMN b INT"),
            script("002_b.sql", "DROP TABLE t", "CREATE TABLE t (a INT)", "ALTER TABLE t ADD COLUMN c INT"),
        ]
    )
    assert grown(found) == [["a", "b"], ["a", "c"]]


def test_a_drop_between_two_definitions_is_seen() -> None:
    found = survey(
        [
            script("001_a.sql", "CREATE TABLE t (a INT)"),
            script("002_b.sql", "DROP TABLE IF EXISTS t", "CREATE TABLE t (a INT)"),
            script("lib.ts", "CREATE TABLE t (a INT)"),
        ]
    )
    one, two, other = (each for each in found.placed if isinstance(each.event, Definition))
    assert found.replaced(one, two)
    assert not found.replaced(two, other)
    assert not found.replaced(one, other)


def test_what_follows_a_search_path_is_made_there() -> None:
    found = survey([script("a.sql", "SET search_path = shop, public", "CREATE TABLE t (a INT)")])
    assert [each.event.name for each in found.placed] == [ObjectName("shop", "t")]
    found = survey([script("a.sql", "SET search_path TO public", "CREATE TABLE t (a INT)")])
    assert [each.event.name for each in found.placed] == [ObjectName("", "t")]
