"""A script is run once, whichever tool comes first, and both ledgers say so."""

from collections.abc import Sequence
from typing import Any

import pytest

from integrity.database.session import Target
from integrity.exceptions import ChecksFailed, SchemaFixRefused
from integrity.operations import RunScript
from integrity.operations.migration_states import migration_status
from integrity.tasks import migrate_and_store
from tests.commands import run
from tests.operations.conftest import Shop
from tests.references.test_ledgers import NUMBERED

pytestmark = pytest.mark.newest_postgres_only

NOTES = "CREATE TABLE notes (id integer PRIMARY KEY, body text)"
INDEX = "CREATE INDEX notes_body_idx ON notes (body)"
MAKES = ("table notes", "column notes.id", "column notes.body", "index notes_body_idx")
LEDGER = NUMBERED.split("INSERT", maxsplit=1)[0]


def both(*statements: str) -> dict[str, Sequence[str]]:
    return {"postgresql": statements, "sqlite": statements}


def script(**options: Any) -> RunScript:
    given: dict[str, Any] = {"ledger": "schema_migrations", "key": "40", "makes": MAKES, "drops": True}
    return RunScript(script="040_notes", sql=both(NOTES, INDEX), **given | options)


def noted(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.target.rows("SELECT migration_id, name FROM schema_migrations ORDER BY 1")


@pytest.fixture
def followed(shop: Shop) -> Shop:
    """A shop with another tool's ledger, empty."""
    shop.execute(LEDGER)
    return shop


def test_it_is_run_and_both_ledgers_say_so(followed: Shop) -> None:
    before = followed.fingerprint()

    followed.apply(script())

    assert noted(followed) == [(40, "040_notes")]
    assert followed.table("notes").index("notes_body_idx")
    assert followed.run().steps == ()

    followed.run(to="zero")
    assert noted(followed) == []
    assert followed.fingerprint() == before


def test_what_the_other_tool_ran_is_not_run_again_and_stays(followed: Shop) -> None:
    followed.execute(f"{NOTES}; {INDEX}; INSERT INTO notes VALUES (1, 'x');")
    followed.execute("INSERT INTO schema_migrations (migration_id, name) VALUES (40, 'notes');")
    before = followed.fingerprint()

    followed.apply(script())
    assert noted(followed) == [(40, "notes")]
    followed.run(to="zero")

    assert noted(followed) == [(40, "notes")]
    assert followed.value("SELECT body FROM notes") == "x"
    assert followed.fingerprint() == before


def test_what_stands_without_an_entry_gets_one(followed: Shop) -> None:
    followed.execute(f"{NOTES}; {INDEX};")

    followed.apply(script())
    assert noted(followed) == [(40, "040_notes")]
    followed.run(to="zero")

    assert noted(followed) == []
    assert followed.table("notes")


def test_an_entry_that_lies_stops_it_and_says_the_choice(followed: Shop) -> None:
    followed.execute("INSERT INTO schema_migrations (migration_id, name) VALUES (40, '040_notes');")

    with pytest.raises(
        SchemaFixRefused, match=r"says that 040_notes was run, and table notes, index notes_body_idx are"
    ):
        followed.apply(script())


@pytest.mark.django_db
def test_an_entry_that_lies_is_seen_before_anything_is_begun(followed: Shop) -> None:
    followed.execute("INSERT INTO schema_migrations (migration_id, name) VALUES (40, '040_notes');")
    followed.migration("0001_script", script())

    with pytest.raises(ChecksFailed, match=r"again=True.*DELETE FROM"):
        migrate_and_store(followed.alias)


def test_it_is_run_again_where_somebody_says_so(followed: Shop) -> None:
    followed.execute("INSERT INTO schema_migrations (migration_id, name) VALUES (40, '040_notes');")

    followed.apply(script(again=True))

    assert followed.table("notes").index("notes_body_idx")
    assert noted(followed) == [(40, "040_notes")]
    followed.run(to="zero")
    assert noted(followed) == [(40, "040_notes")]


def test_a_statement_that_fails_leaves_nothing_in_either_ledger(followed: Shop) -> None:
    with pytest.raises(SchemaFixRefused):
        followed.apply(
            script(sql=None)
            if False
            else RunScript(
                script="040_notes",
                sql=both(NOTES, "CREATE INDEX i ON nowhere (x)"),
                ledger="schema_migrations",
                key="40",
            )
        )

    assert noted(followed) == []
    assert [str(each.state) for each in migration_status(Target(followed.alias))] == ["pending"]
    assert "notes" not in {name.name for name in followed.schema().tables}


def test_an_engine_that_it_was_not_written_for_has_nothing_to_run(followed: Shop) -> None:
    other = "postgresql" if followed.sqlite else "sqlite"
    before = followed.fingerprint()

    followed.apply(
        RunScript(script="040_odd", sql={other: ("NONSENSE",)}, ledger="schema_migrations", key="40")
    )

    assert noted(followed) == []
    followed.run(to="zero")
    assert followed.fingerprint() == before


def test_tables_with_rows_are_not_dropped(followed: Shop) -> None:
    followed.apply(script())
    followed.execute("INSERT INTO notes VALUES (1, 'x');")

    with pytest.raises(SchemaFixRefused, match="notes has 1 row, "):
        followed.run(to="zero")

    assert followed.value("SELECT count(*) FROM notes") == 1
    assert noted(followed) == [(40, "040_notes")]


@pytest.mark.django_db
def test_a_script_that_nothing_takes_back_says_so(followed: Shop) -> None:
    followed.apply(script(drops=False))

    assert "Nothing says how" in run("migrate", followed.alias, "zero", "--no-input").err

    listed = run("migrate", followed.alias, "--list").out
    assert "0001_step failed when it was last reversed: Nothing says how" in listed
    assert "040_notes.down.sql" in run("log", followed.alias, "--migration", "0001_step").out


def test_a_reverse_that_was_written_takes_it_back(followed: Shop) -> None:
    before = followed.fingerprint()
    followed.apply(script(drops=False, reverse=both("DROP TABLE notes")))
    followed.execute("INSERT INTO notes VALUES (1, 'x');")

    followed.run(to="zero")

    assert followed.fingerprint() == before
    assert noted(followed) == []


def test_drizzles_ledger_is_followed(shop: Shop) -> None:
    key = "serial" if not shop.sqlite else "integer"
    shop.execute(
        f"CREATE TABLE __drizzle_migrations (id {key} PRIMARY KEY, hash text NOT NULL, created_at bigint);"
    )

    shop.apply(
        RunScript(
            script="0000_notes", sql=both(NOTES), ledger="__drizzle_migrations", key="abc", when="1700000000000",
            makes=("table notes",), drops=True,
        )
    )  # fmt: skip

    assert shop.target.rows("SELECT hash, created_at FROM __drizzle_migrations") == [("abc", 1700000000000)]
    shop.run(to="zero")
    assert shop.target.rows("SELECT hash FROM __drizzle_migrations") == []


def test_without_a_ledger_it_is_run_all_the_same(shop: Shop) -> None:
    shop.apply(script())
    assert shop.table("notes")
    shop.run(to="zero")
    assert "notes" not in {name.name for name in shop.schema().tables}


def test_a_ledger_with_columns_of_its_own_is_written_rightly(shop: Shop) -> None:
    shop.execute(
        "CREATE TABLE schema_migrations (migration_id varchar(20) PRIMARY KEY, name varchar(200) NOT NULL, "
        "executed_at timestamp NOT NULL);"
    )

    shop.apply(script())

    assert shop.value("SELECT migration_id FROM schema_migrations") == "40"
    assert shop.value("SELECT executed_at FROM schema_migrations")


def test_a_ledger_that_counts_by_itself_keeps_its_numbers(shop: Shop) -> None:
    shop.execute(NUMBERED.replace("16,", "1,").replace("36,", "2,"))
    if not shop.sqlite:
        shop.execute(
            "CREATE SEQUENCE n START 3; ALTER TABLE schema_migrations ALTER migration_id SET DEFAULT nextval('n');"
        )

    shop.apply(script())

    assert noted(shop)[-1] == (3, "040_notes")


def test_the_sql_is_shown_with_its_entry(followed: Shop) -> None:
    followed.migration("0001_script", script())

    sql = "\n".join(followed.run(with_sql=True).sql)

    assert INDEX in sql
    assert "INSERT INTO \"schema_migrations\" (migration_id, name) VALUES (40, '040_notes')" in sql


def test_rows_do_not_come_twice_when_a_process_is_killed_before_django_knows(shop: Shop) -> None:
    shop.migration("0001_row", RunScript(script="row", sql=both("INSERT INTO customers (id) VALUES (77)")))
    shop.run()
    shop.execute("DELETE FROM django_migrations WHERE app = 'catalog_target';")

    shop.run()

    assert shop.value("SELECT count(*) FROM customers WHERE id = 77") == 1


def test_odd_names_are_no_trouble(shop: Shop) -> None:
    shop.execute(
        'CREATE TABLE "our ""odd"" 100%.log" (migration_id integer PRIMARY KEY, name text NOT NULL);'
    )
    sql = 'CREATE TABLE "Odd Table" ("a ""b"" %" integer PRIMARY KEY)'
    odd = RunScript(
        script="001 odd 100% 'name'", sql=both(sql), ledger='"our ""odd"" 100%.log"', key="1",
        makes=('table "odd table"', 'column "odd table"."a ""b"" %"'), drops=True,
    )  # fmt: skip

    shop.apply(odd)
    assert shop.value('SELECT name FROM "our ""odd"" 100%.log"') == "001 odd 100% 'name'"
    shop.run(to="zero")

    assert shop.value('SELECT count(*) FROM "our ""odd"" 100%.log"') == 0
    assert "Odd Table" not in {name.name for name in shop.schema().tables}
