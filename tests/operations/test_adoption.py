"""Another tool's scripts become migrations: what was run is recorded, what was not is run, once."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from integrity.audit import audit
from integrity.database.session import Target
from integrity.exceptions import SchemaFixRefused
from integrity.operations.migration_states import migration_status
from integrity.references import load_catalog
from tests.commands import Ran, run, run_json
from tests.operations.conftest import Shop
from tests.references.test_ledgers import NUMBERED

pytest.importorskip("sqlglot")
pytestmark = [pytest.mark.newest_postgres_only, pytest.mark.django_db]

LEDGER = NUMBERED.split("INSERT", maxsplit=1)[0]
SCRIPTS = {
    "010_notes": "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, body TEXT);\n",
    "011_index": "CREATE INDEX IF NOT EXISTS notes_body_idx ON notes (body);\n",
    "012_tags": "CREATE TABLE tags (\n    id INTEGER PRIMARY KEY,\n    name TEXT NOT NULL DEFAULT '100%'\n);\n",
    "013_fill": "INSERT INTO tags (id) VALUES (1);\n",
}
CATALOG = '[ledger]\ntable = "schema_migrations"\nscripts = "scripts"\n'
WriteScripts = Callable[[dict[str, str]], Path]


@pytest.fixture
def write_scripts(shop: Shop) -> WriteScripts:
    """Return a function that writes scripts beside the catalog that names them."""
    folder = shop.root / shop.alias / "scripts"
    folder.mkdir(parents=True)
    (shop.root / shop.alias / "catalog.toml").write_text(CATALOG)

    def write(scripts: dict[str, str]) -> Path:
        for name, text in scripts.items():
            (folder / f"{name}.sql").write_text(text)
        return folder

    return write


@pytest.fixture
def half_run(shop: Shop, write_scripts: WriteScripts) -> Shop:
    """A shop whose other tool ran the first script, and forgot to note the second."""
    write_scripts(SCRIPTS)
    shop.execute(LEDGER + "INSERT INTO schema_migrations (migration_id, name) VALUES (10, '010_notes');")
    shop.execute(SCRIPTS["010_notes"] + SCRIPTS["011_index"])
    return shop


def said(shop: Shop) -> dict[str, str]:
    found = audit(Target(shop.alias), load_catalog(shop.alias))
    assert not [each for each in found.coverage.skipped if "ledger" in str(each)]
    return {each.object: each.evidence["standing"] for each in found.with_code("ledger_disagrees")}


def adopt(shop: Shop, *options: str) -> Ran:
    return run("makemigrations", shop.alias, "--adopt", *options)


def noted(shop: Shop) -> list[int]:
    return [row[0] for row in shop.target.rows("SELECT migration_id FROM schema_migrations ORDER BY 1")]


def test_everything_is_recorded_in_both_ledgers_and_nothing_is_run_twice(half_run: Shop) -> None:
    assert said(half_run) == {"011_index": "unrecorded"}

    assert adopt(half_run).code == 0
    assert run("migrate", half_run.alias, "--no-input").code == 0

    assert noted(half_run) == [10, 11, 12, 13]
    assert [str(each.state) for each in migration_status(Target(half_run.alias))] == ["applied"] * 4
    assert half_run.target.rows("SELECT id, name FROM tags") == [(1, "100%")]
    assert said(half_run) == {}
    assert run_json("migrate", half_run.alias)["migrations"] == []

    with pytest.raises(SchemaFixRefused, match="Nothing says how the script 013_fill is taken back"):
        half_run.run(to="0003")
    assert noted(half_run) == [10, 11, 12, 13]


def test_what_was_adopted_stays_when_it_is_reversed(shop: Shop, write_scripts: WriteScripts) -> None:
    write_scripts({name: SCRIPTS[name] for name in ("010_notes", "011_index", "012_tags")})
    shop.execute(LEDGER + "INSERT INTO schema_migrations (migration_id, name) VALUES (10, '010_notes');")
    shop.execute(SCRIPTS["010_notes"] + SCRIPTS["011_index"])
    before = shop.fingerprint()
    adopt(shop)
    shop.run()

    shop.run(to="zero")

    assert shop.fingerprint() == before
    assert noted(shop) == [10]


def test_the_files_can_be_shown_without_being_written(half_run: Shop) -> None:
    shown = adopt(half_run, "--dry-run")

    assert shown.code == 0
    assert 'script="012_tags"' in shown.out
    assert "DEFAULT '100%'" in shown.out
    assert not (half_run.root / half_run.alias / "migrations").exists()
    assert adopt(half_run, "--check").code == 1
    assert adopt(half_run).code == 0
    assert adopt(half_run, "--check").code == 0


def test_a_second_adoption_takes_only_what_is_new(half_run: Shop, write_scripts: WriteScripts) -> None:
    adopt(half_run)
    half_run.run()
    write_scripts({"014_more": "CREATE TABLE more (id INTEGER PRIMARY KEY);"})

    data = run_json("makemigrations", half_run.alias, "--adopt")

    assert {each["script"]: each["outcome"] for each in data["scripts"]} == {
        **dict.fromkeys(SCRIPTS, "adopted"),
        "014_more": "written",
    }
    half_run.run()
    assert noted(half_run) == [10, 11, 12, 13, 14]


def test_the_scripts_are_left_as_they_are(half_run: Shop) -> None:
    folder = half_run.root / half_run.alias / "scripts"
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    adopt(half_run)
    half_run.run()

    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_an_entry_that_lies_is_named_with_the_choice(shop: Shop, write_scripts: WriteScripts) -> None:
    write_scripts(SCRIPTS)
    shop.execute(
        LEDGER + "INSERT INTO schema_migrations (migration_id, name) VALUES (10, '010_notes'), (11, 'x');"
    )
    shop.execute(SCRIPTS["010_notes"])
    assert said(shop) == {"011_index": "lies"}

    refused = adopt(shop)

    assert refused.code == 1
    assert "011_index: its entry lies: index notes_body_idx is not there. --again 011_index" in refused.out
    assert run_json("makemigrations", shop.alias, "--adopt", "--again", "011_index")["files"]
    shop.run()
    assert shop.table("notes").index("notes_body_idx")
    assert noted(shop) == [10, 11, 12, 13]
    assert said(shop) == {}


def test_a_ledger_whose_rows_were_deleted_by_hand_is_found(half_run: Shop) -> None:
    adopt(half_run)
    half_run.run()

    half_run.execute("DELETE FROM schema_migrations WHERE migration_id >= 12;")

    assert said(half_run)["012_tags"] == "unrecorded"


def test_scripts_out_of_order_and_entries_without_a_script_are_found(half_run: Shop) -> None:
    half_run.execute(
        "INSERT INTO schema_migrations (migration_id, name) VALUES (13, '013_fill'), (99, '099_gone');"
    )

    assert said(half_run) == {"011_index": "unrecorded", "012_tags": "overtaken", "99 099_gone": "lost"}


def test_a_column_that_is_missing_is_a_lie_and_one_that_a_later_script_drops_is_none(
    shop: Shop, write_scripts: WriteScripts
) -> None:
    write_scripts({
        "010_a": "CREATE TABLE a (id INTEGER PRIMARY KEY, old TEXT, new TEXT); CREATE TABLE b (id INTEGER);",
        "011_b": "ALTER TABLE a DROP COLUMN old; DROP TABLE b;",
    })  # fmt: skip
    shop.execute(LEDGER + "INSERT INTO schema_migrations (migration_id, name) VALUES (10, 'a'), (11, 'b');")
    shop.execute("CREATE TABLE a (id INTEGER PRIMARY KEY, new TEXT);")
    assert said(shop) == {}

    shop.execute("ALTER TABLE a RENAME COLUMN new TO newer;")
    (finding,) = audit(Target(shop.alias), load_catalog(shop.alias)).with_code("ledger_disagrees")

    assert finding.evidence["missing"] == ["column a.new"]
    assert "says that 010_a was run, and column a.new is not there" in finding.message


def test_what_cannot_be_a_migration_is_refused_with_its_place(
    shop: Shop, write_scripts: WriteScripts
) -> None:
    write_scripts({
        "010_alone": "-- integrity: postgresql\nCREATE TABLE t (id INTEGER);\nVACUUM t;",
        "011_broken": "CREATE TABEL nonsense (;\n",
        "012_fine": "CREATE TABLE fine (id INTEGER PRIMARY KEY);",
    })  # fmt: skip
    shop.execute(LEDGER)

    ran = run("makemigrations", shop.alias, "--adopt", "--format", "json")

    assert ran.code == 1
    outcomes = {each["script"]: (each["outcome"], each["reason"]) for each in ran.json["scripts"]}
    assert outcomes["012_fine"] == ("written", "")
    assert "010_alone.sql:3:1: it cannot run in the transaction" in outcomes["010_alone"][1]
    assert outcomes["011_broken"][0] == "refused"
    assert "011_broken.sql:1:" in outcomes["011_broken"][1]


def test_a_broken_script_whose_results_stand_is_recorded_without_its_statements(
    shop: Shop, write_scripts: WriteScripts
) -> None:
    write_scripts({"010_fine": SCRIPTS["010_notes"], "011_broken": SCRIPTS["012_tags"] + "CREATE TABEL x (;"})
    shop.execute(LEDGER + SCRIPTS["012_tags"])

    data = run_json("makemigrations", shop.alias, "--adopt")

    assert [each["outcome"] for each in data["scripts"]] == ["written", "recorded"]
    assert "Only recorded: " in data["files"][-1]["text"]
    assert "CREATE" not in data["files"][-1]["text"]
    shop.run()
    assert noted(shop) == [10, 11]
    shop.run(to="zero")
    assert noted(shop) == []
    assert shop.table("tags")

    shop.execute("DROP TABLE tags;")
    with pytest.raises(SchemaFixRefused, match="011_broken is only recorded, and table tags"):
        shop.run()


def test_statements_keep_their_quotes_percents_and_backslashes(
    shop: Shop, write_scripts: WriteScripts
) -> None:
    text = "CREATE TABLE odd (id INTEGER PRIMARY KEY, body TEXT DEFAULT 'it''s 5% \"x\" \\n');"
    write_scripts({"010_odd": text, "011_row": "INSERT INTO odd (id) VALUES (1);"})
    shop.execute(LEDGER)

    assert adopt(shop).code == 0, adopt(shop).out
    shop.run()

    assert shop.value("SELECT body FROM odd") == 'it\'s 5% "x" \\n'


def test_a_reverse_beside_the_script_comes_with_it(shop: Shop, write_scripts: WriteScripts) -> None:
    write_scripts(
        {
            "010_row": "INSERT INTO customers (id) VALUES (77);",
            "010_row.down": "DELETE FROM customers WHERE id = 77;",
        }
    )
    shop.execute(LEDGER)
    adopt(shop)
    shop.run()
    assert shop.value("SELECT count(*) FROM customers") == 3

    shop.run(to="zero")

    assert shop.value("SELECT count(*) FROM customers") == 2
    assert noted(shop) == []


def test_a_transaction_of_the_script_is_that_of_its_entry(shop: Shop, write_scripts: WriteScripts) -> None:
    write_scripts({"010_framed": "BEGIN;\nCREATE TABLE framed (id INTEGER PRIMARY KEY);\nCOMMIT;"})
    shop.execute(LEDGER)

    adopt(shop)
    shop.run()

    assert shop.table("framed")
    shop.run(to="zero")
    assert noted(shop) == []


def test_without_a_ledger_there_is_nothing_to_adopt(shop: Shop, write_scripts: WriteScripts) -> None:
    write_scripts(SCRIPTS)
    assert "target has no table schema_migrations" in adopt(shop).err

    (shop.root / shop.alias / "catalog.toml").write_text("")
    assert "The catalog names no scripts" in adopt(shop).err
    assert adopt(shop).code == 2


def test_without_the_extra_the_coverage_says_so(half_run: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "integrity.scripts.ledger_comparison", None)

    found = audit(Target(half_run.alias), load_catalog(half_run.alias))

    assert not found.with_code("ledger_disagrees")
    assert "django-referential-integrity[scripts]" in str(found.coverage.skipped)
    assert "[scripts]" in adopt(half_run).err


class TestDrizzle:
    """Drizzle's ledger knows a script by the hash of its text, and runs by time alone."""

    @pytest.fixture
    def drizzle(self, shop: Shop, write_scripts: WriteScripts) -> Shop:
        """A shop whose Drizzle ran the first of three scripts."""
        scripts = {
            "0000_notes": "CREATE TABLE notes (id INTEGER PRIMARY KEY);\n--> statement-breakpoint\n"
            "CREATE INDEX notes_idx ON notes (id);",
            "0001_tags": "CREATE TABLE tags (id INTEGER PRIMARY KEY);",
            "0002_more": "CREATE TABLE more (id INTEGER PRIMARY KEY);",
        }
        folder = write_scripts(scripts)
        entries = [{"idx": at, "when": 1700000000000 + at, "tag": tag} for at, tag in enumerate(scripts)]
        (folder / "meta").mkdir()
        (folder / "meta" / "_journal.json").write_text(json.dumps({"version": "7", "entries": entries}))
        (folder / "0009_stray.sql").write_text("CREATE TABLE stray (id INTEGER);")
        catalog = shop.root / shop.alias / "catalog.toml"
        catalog.write_text(CATALOG.replace("schema_migrations", "__drizzle_migrations"))
        key = "integer" if shop.sqlite else "serial"
        known = hashlib.sha256(scripts["0000_notes"].encode()).hexdigest()
        shop.execute(
            f"CREATE TABLE __drizzle_migrations (id {key} PRIMARY KEY, hash text NOT NULL, created_at bigint);"
            f"INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('{known}', 1700000000000);"
            + scripts["0000_notes"].replace("--> statement-breakpoint", "")
        )
        return shop

    def test_it_is_adopted_in_its_own_order(self, drizzle: Shop) -> None:
        assert said(drizzle) == {}

        assert adopt(drizzle).code == 0
        drizzle.run()

        rows = drizzle.target.rows("SELECT hash, created_at FROM __drizzle_migrations ORDER BY created_at")
        folder = drizzle.root / drizzle.alias / "scripts"
        assert [row[1] for row in rows] == [1700000000000, 1700000000001, 1700000000002]
        assert rows[2][0] == hashlib.sha256((folder / "0002_more.sql").read_bytes()).hexdigest()
        assert "stray" not in {name.name for name in drizzle.schema().tables}

    def test_a_script_that_was_changed_is_found(self, drizzle: Shop) -> None:
        file = drizzle.root / drizzle.alias / "scripts" / "0000_notes.sql"
        file.write_text(file.read_text() + "\n")

        assert said(drizzle) == {"0000_notes": "changed"}

    def test_one_that_drizzle_never_runs_is_an_error(self, drizzle: Shop) -> None:
        text = (drizzle.root / drizzle.alias / "scripts" / "0002_more.sql").read_bytes()
        drizzle.execute(
            "INSERT INTO __drizzle_migrations (hash, created_at) "
            f"VALUES ('{hashlib.sha256(text).hexdigest()}', 1700000000002); CREATE TABLE more (id INTEGER);"
        )

        (finding,) = audit(Target(drizzle.alias), load_catalog(drizzle.alias)).with_code("ledger_disagrees")

        assert finding.object == "0001_tags"
        assert "its tool never runs it" in finding.message
        assert finding.severity == "error"

    def test_a_script_that_is_not_there_is_found(self, drizzle: Shop) -> None:
        (drizzle.root / drizzle.alias / "scripts" / "0001_tags.sql").unlink()

        assert said(drizzle) == {"0001_tags": "absent"}


def test_what_other_scripts_will_alter_is_no_reason_to_leave_its_statements_out(
    half_run: Shop, write_scripts: WriteScripts
) -> None:
    """Recorded alone, it could build no empty copy of the database."""
    write_scripts({"014_more": "ALTER TABLE notes ADD COLUMN title TEXT;"})

    data = run_json("makemigrations", half_run.alias, "--adopt", "--dry-run")

    assert {each["script"]: each["outcome"] for each in data["scripts"]}["010_notes"] == "written"


def test_what_differs_from_what_was_run_is_still_only_recorded(
    half_run: Shop, write_scripts: WriteScripts
) -> None:
    write_scripts({"014_more": "ALTER TABLE notes ADD COLUMN title TEXT;"})
    half_run.execute("DROP INDEX notes_body_idx; CREATE INDEX notes_body_idx ON notes (id);")

    data = run_json("makemigrations", half_run.alias, "--adopt", "--dry-run")

    outcomes = {each["script"]: each["outcome"] for each in data["scripts"]}
    assert outcomes["011_index"] == "recorded"
    assert outcomes["010_notes"] == "written"


def test_a_script_for_another_engine_is_neither_overtaken_nor_forgotten(
    shop: Shop, write_scripts: WriteScripts
) -> None:
    of_another = {
        "sqlite": "DO $$ BEGIN CREATE TYPE mood AS ENUM (); EXCEPTION WHEN others THEN NULL; END $$;",
        "postgresql": "CREATE TABLE moods (id INTEGER PRIMARY KEY AUTOINCREMENT);",
    }[shop.target.vendor]
    write_scripts({"009_mood": of_another, "010_notes": SCRIPTS["010_notes"]})
    shop.execute(LEDGER + "INSERT INTO schema_migrations (migration_id, name) VALUES (10, '010_notes');")
    shop.execute(SCRIPTS["010_notes"])

    assert said(shop) == {}

    data = run_json("makemigrations", shop.alias, "--adopt")
    assert [(each["standing"], each["outcome"]) for each in data["scripts"]] == [
        ("elsewhere", "written"),
        ("executed", "written"),
    ]
    shop.run()
    assert noted(shop) == [10]
    assert said(shop) == {}
    shop.run(to="zero")
    assert noted(shop) == [10]
