"""Tables and columns that the catalog requires: what is missing, other, or one too many."""

import pytest
from django.db import connections

from integrity.audit import AuditResult, audit
from integrity.database.identifiers import parse_path
from integrity.database.session import Target
from integrity.detectors import Severity
from integrity.diagnosis import diagnose
from integrity.exceptions import CatalogError, UnknownReference
from integrity.operations.fixes import FixKind, schema_fixes
from integrity.plans import Request, make_plan
from integrity.references.resolve import known_references
from integrity.verification import verify
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

CATALOG = """
[target]
tables = [2, 3]

[[required_table]]
table = "presets"
primary_key = ["id"]
rationale = "Everything trades by them"
columns = [
    { name = "id", type = "text", default = { postgresql = "gen_random_uuid()::text", sqlite = "lower(hex(randomblob(16)))" } },
    { name = "title", type = "varchar(40)", null = false },
    { name = "state", type = "text", null = false, default = "'new'" },
    { name = "made_at", type = { postgresql = "timestamptz", sqlite = "DATETIME" }, default = "CURRENT_TIMESTAMP" },
]

[[required_table]]
table = "trades"
columns = ["id", { name = "preset_id", type = "text" }]

[[reference]]
from = "trades.preset_id"
to = "presets.id"

[[index]]
table = "trades"
columns = ["preset_id"]

[[unique]]
table = "presets"
columns = ["title"]
"""
WHOLE = {
    "postgresql": """
CREATE TABLE presets (id text PRIMARY KEY DEFAULT gen_random_uuid()::text, title varchar(40) NOT NULL,
    state text NOT NULL DEFAULT 'new'::text, made_at timestamp with time zone DEFAULT now());
CREATE TABLE trades (id integer PRIMARY KEY, preset_id text);
""",
    SQLITE: """
CREATE TABLE presets (id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(16)))), title VARCHAR(40) NOT NULL,
    state TEXT NOT NULL DEFAULT 'new', made_at DATETIME DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE trades (id INTEGER PRIMARY KEY, preset_id TEXT);
""",
}
CODES = ("missing_table", "missing_column", "column_differs", "table_count")


def audited(lend: LendCatalog, text: str = CATALOG) -> AuditResult:
    return audit(Target("target"), lend(text))


def found(result: AuditResult) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(each.code, each.table.name, each.columns) for each in result.findings if each.code in CODES]


def test_what_is_as_the_catalog_says_is_no_finding(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(WHOLE[empty_target.vendor])
    result = audited(lend_catalog)

    assert found(result) == []
    assert result.coverage.complete


def test_a_missing_table_is_an_error_with_its_reason_and_the_command(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script("CREATE TABLE trades (id integer PRIMARY KEY, preset_id text)")
    (finding,) = audited(lend_catalog).with_code("missing_table")

    assert (finding.table.name, finding.severity) == ("presets", Severity.ERROR)
    assert finding.message == "The table presets is missing: Everything trades by them"
    assert finding.suggestion == "manage.py integrity_makemigrations target"


def test_what_speaks_of_a_missing_table_waits_and_nothing_else_fails(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script("CREATE TABLE trades (id integer PRIMARY KEY, preset_id text)")
    result = audited(lend_catalog)

    assert result.coverage.skipped == [
        {
            "reference": "trades.preset_id",
            "reason": "waits for the table presets: manage.py integrity_makemigrations target",
        },
        {
            "unique": "presets.title",
            "reason": "waits for the table presets: manage.py integrity_makemigrations target",
        },
    ]
    assert [each.object for each in result.with_code("missing_index") if each.source == "catalog"] == [""]


def test_a_missing_column_is_an_error_and_what_speaks_of_it_waits(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(WHOLE[empty_target.vendor])
    empty_target.execute_script("ALTER TABLE trades DROP COLUMN preset_id")
    result = audited(lend_catalog)

    assert found(result) == [("missing_column", "trades", ("preset_id",))]
    assert [next(iter(each)) for each in result.coverage.skipped] == ["reference", "index"]
    assert all("the column trades.preset_id" in each["reason"] for each in result.coverage.skipped)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('CREATE TABLE "Presets" (id text)', "The table presets is missing (there is Presets): "),
        ("CREATE VIEW presets AS SELECT 1 AS id", "The table presets is missing (presets is a view): "),
    ],
)
def test_what_is_nearly_the_table_is_named(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, table: str, said: str
) -> None:
    empty_target.execute_script(f"CREATE TABLE trades (id integer PRIMARY KEY, preset_id text); {table}")
    (finding,) = audited(lend_catalog).with_code("missing_table")

    assert finding.message.startswith(said)


@pytest.mark.parametrize(
    ("tables", "suggestions"),
    [
        (
            'CREATE TABLE "Presets" (id text); CREATE TABLE trades (id integer PRIMARY KEY, "Preset_Id" text)',
            {"Write Presets in its [[", "Write Preset_Id in its [["},
        ),
        (
            "CREATE VIEW presets AS SELECT 1 AS id; CREATE TABLE trades (id integer, preset_id text)",
            {"Rename the view, or take"},
        ),
    ],
)
def test_what_cannot_be_made_beside_what_is_there_is_not_suggested_and_not_written(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, tables: str, suggestions: set[str]
) -> None:
    empty_target.execute_script(tables)
    catalog = lend_catalog(CATALOG)
    found = [each for each in audited(lend_catalog).findings if each.code.startswith("missing_")]
    with Target("target").reading() as session:
        schema = session.schema()
    fixes = [
        fix
        for fix in schema_fixes(schema, catalog, known_references(schema, catalog))
        if fix.kind in (FixKind.TABLE, FixKind.COLUMN)
    ]
    suggested = [each.suggestion for each in found]

    if "VIEW" in tables or empty_target.vendor == SQLITE:
        assert all(any(said.startswith(each) for said in suggested) for each in suggestions)
        assert [fix.name for fix in fixes] == []
    else:
        assert len(fixes) == 2


def test_a_column_of_another_type_default_or_nullability_is_a_warning(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    whole = WHOLE[empty_target.vendor].replace("NOT NULL,\n", ",\n").replace("'new'", "'old'")
    empty_target.execute_script(
        whole.replace("preset_id text", "preset_id integer").replace("preset_id TEXT", "preset_id INTEGER")
    )
    differing = audited(lend_catalog).with_code("column_differs")

    assert [(each.columns, sorted(each.evidence)) for each in differing] == [
        (("state",), ["default"]),
        (("title",), ["null"]),
        (("preset_id",), ["type"]),
    ]
    assert {each.severity for each in differing} == {Severity.WARNING}
    assert "type INTEGER instead of text" in differing[2].message.replace("integer", "INTEGER")


def test_a_difference_that_a_conversion_mends_says_so(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script("CREATE TABLE trades (id integer PRIMARY KEY, preset_id integer)")
    catalog = CATALOG + '[[column]]\ncolumn = "trades.preset_id"\nfrom = "integer"\nto = "text"\n'
    (finding,) = audited(lend_catalog, catalog).with_code("column_differs")

    assert finding.message.endswith("; its [[column]] converts the type")


PENDING = """
[[column]]
column = "presets.id"
from = { postgresql = "integer", sqlite = "INTEGER" }
to = { postgresql = "text", sqlite = "TEXT" }
default = { postgresql = "gen_random_uuid()::text", sqlite = "(lower(hex(randomblob(16))))" }
rationale = "One key of text"

[[column]]
column = "presets.state"
default = "'new'"

[[column]]
column = "presets.owner"
remove = true
"""


def test_a_column_that_its_entry_has_not_changed_yet_is_found_without_a_required_table(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(
        "CREATE TABLE presets (id integer PRIMARY KEY, state text DEFAULT 'old', owner integer)"
    )
    key, owner, state = audited(lend_catalog, PENDING).with_code("column_differs")

    assert (key.columns, sorted(key.evidence)) == (("id",), ["default", "type"])
    assert key.message.endswith("; its [[column]] is not applied yet: One key of text")
    assert (state.columns, sorted(state.evidence)) == (("state",), ["default"])
    assert owner.message == "presets.owner is still there, and the catalog wants it to be gone"
    assert {each.suggestion for each in (key, owner, state)} == {"manage.py integrity_makemigrations target"}
    problems = verify(Target("target"), lend_catalog(PENDING)).problems
    assert [each.columns for each in problems if each.code == "column_differs"] == [
        ("id",), ("owner",), ("state",),
    ]  # fmt: skip


def test_a_column_that_its_entry_has_changed_is_no_finding(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    key = (
        "text PRIMARY KEY DEFAULT (lower(hex(randomblob(16))))"
        if empty_target.vendor == SQLITE
        else "text PRIMARY KEY DEFAULT gen_random_uuid()::text"
    )
    empty_target.execute_script(f"CREATE TABLE presets (id {key}, state text DEFAULT 'new')")
    assert audited(lend_catalog, PENDING).with_code("column_differs") == []


def test_a_column_whose_entry_is_for_another_engine_is_left(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    other = "postgresql" if empty_target.vendor == SQLITE else "sqlite"
    empty_target.execute_script("CREATE TABLE presets (id integer PRIMARY KEY)")
    text = (
        f'[[column]]\ncolumn = "presets.id"\nfrom = {{ {other} = "integer" }}\n'
        f'to = {{ {other} = "text" }}\ndefault = "\'x\'"\n'
    )
    assert audited(lend_catalog, text).with_code("column_differs") == []


def test_one_column_has_one_finding_whichever_entries_speak_of_it(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script("CREATE TABLE trades (id integer PRIMARY KEY, preset_id integer)")
    entry = '[[column]]\ncolumn = "trades.preset_id"\nfrom = "integer"\nto = "text"\n'
    assert len(audited(lend_catalog, CATALOG + entry).with_code("column_differs")) == 1


def test_an_entry_for_a_column_that_is_not_there_is_a_mistake_of_the_catalog(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script("CREATE TABLE presets (id integer PRIMARY KEY, state text)")
    with pytest.raises(CatalogError, match="statte") as error:
        audited(lend_catalog, PENDING.replace("presets.state", "presets.statte"))
    assert "[[column]] 2" in error.value.where


@pytest.mark.parametrize(("more", "tables"), [(0, 1), (3, 4)])
def test_too_few_and_too_many_tables_are_counted(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, more: int, tables: int
) -> None:
    empty_target.execute_script(
        "CREATE TABLE one (id integer PRIMARY KEY); CREATE VIEW seen AS SELECT 1 AS x"
    )
    for number in range(more):
        empty_target.execute_script(f"CREATE TABLE more_{number} (id integer PRIMARY KEY)")
    empty_target.execute_script("CREATE TABLE django_migrations (id integer PRIMARY KEY)")
    (finding,) = audited(lend_catalog, "[target]\ntables = [2, 3]\n").with_code("table_count")

    assert finding.evidence["tables"] == tables
    assert "the catalog expects 2 to 3" in finding.message


def test_a_name_that_nothing_will_ever_make_is_still_a_mistake_of_the_catalog(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(WHOLE[empty_target.vendor])
    with pytest.raises(CatalogError, match="presset"):
        audited(lend_catalog, CATALOG.replace('to = "presets.id"', 'to = "pressets.id"'))


def test_verifying_finds_what_somebody_dropped_since(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(WHOLE[empty_target.vendor])
    empty_target.execute_script("ALTER TABLE trades DROP COLUMN preset_id; DROP TABLE presets")
    result = verify(Target("target"), lend_catalog(CATALOG))

    codes = {each.code for each in result.problems}
    assert {"missing_table", "missing_column", "table_count"} <= codes
    assert not result.coverage.complete


def test_a_reference_that_waits_says_so_when_it_is_asked_for(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script("CREATE TABLE trades (id integer PRIMARY KEY, preset_id text)")
    catalog, only = lend_catalog(CATALOG), [parse_path("trades.preset_id")]
    for look in (audit, verify, diagnose):
        with pytest.raises(UnknownReference, match="trades.preset_id cannot be looked at: it waits for the"):
            look(Target("target"), catalog, only=only)
    with pytest.raises(UnknownReference, match="waits for the table presets"):
        make_plan(Target("target"), catalog, [Request(reference=only[0])])
    assert make_plan(Target("target"), catalog).changing_steps == ()


@pytest.mark.engine("postgresql")
def test_what_numbers_rows_and_what_may_not_be_looked_at_is_not_said_to_differ(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(
        "CREATE TABLE logs (id serial PRIMARY KEY, level text DEFAULT 'info');"
        "DROP ROLE IF EXISTS c_reader; CREATE ROLE c_reader; GRANT USAGE ON SCHEMA public TO c_reader"
    )
    text = """
[[required_table]]
table = "logs"
columns = [{ name = "id", type = "integer", null = false }, { name = "level", type = "text", default = "'in' || 'fo'" }]
"""
    assert audited(lend_catalog, text).with_code("column_differs") == []
    connections.databases["target"]["OPTIONS"] = {"assume_role": "c_reader"}
    try:
        assert audited(lend_catalog, text).with_code("column_differs") == []
    finally:
        connections.databases["target"]["OPTIONS"] = {}
        empty_target.execute_script("DROP OWNED BY c_reader; DROP ROLE c_reader")


def test_a_default_that_no_database_can_read_is_said_to_differ(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script("CREATE TABLE logs (level text DEFAULT 'info')")
    text = '[[required_table]]\ntable = "logs"\ncolumns = [{ name = "level", type = "text", default = "nobody(" }]'
    (finding,) = audited(lend_catalog, text).with_code("column_differs")
    assert finding.evidence == {"default": {"is": finding.evidence["default"]["is"], "catalog": "nobody("}}
