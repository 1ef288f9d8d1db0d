"""A routine that is another one than the catalog's, in its signature, options, columns or WHEN too."""

from pathlib import Path

import pytest

from integrity.audit import AuditResult, audit
from integrity.database.session import Target
from integrity.references.catalog import load_catalog
from tests.servers import EmptyTarget

pytestmark = [pytest.mark.engine("postgresql"), pytest.mark.newest_postgres_only]
TABLES = """
CREATE TABLE orders (id integer PRIMARY KEY, status varchar(20), note text);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
"""
FUNCTION = (
    "CREATE FUNCTION f(a int, rest text DEFAULT 'x', at timestamp with time zone = now()) RETURNS varchar "
    "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$ SELECT 'x' $$"
)
PAIRS = "CREATE FUNCTION p(VARIADIC ids bigint[]) RETURNS TABLE (a int, b decimal(10, 2)) LANGUAGE sql AS 'SELECT 1, 2'"
VIEW = "CREATE VIEW v (number, state) WITH (security_barrier) AS SELECT id, status FROM orders WHERE note LIKE '%x'"
TRIGGER = (
    "CREATE TRIGGER t BEFORE UPDATE OF status, note ON orders FOR EACH ROW "
    "WHEN (OLD.status <> NEW.status AND NEW.status IN ('a', 'b')) EXECUTE FUNCTION touch('one', 'two')"
)
KINDS = {FUNCTION: "function", PAIRS: "function", VIEW: "view", TRIGGER: "trigger"}


def audited(target: EmptyTarget, folder: Path, standing: str, wanted: str) -> AuditResult:
    kind, name = KINDS[wanted], wanted.split("(")[0].split()[2]
    table = 'table = "orders"' if kind == "trigger" else ""
    file = folder / "catalog.toml"
    file.write_text(f'[[routine]]\nkind = \'{kind}\'\nname = \'{name}\'\n{table}\ncreate = """{wanted}"""\n')
    target.execute_script(f"{TABLES}{standing};")
    return audit(Target("target"), load_catalog("target", file))


@pytest.mark.parametrize(
    ("wanted", "old", "new"),
    [
        (FUNCTION, "", ""),
        (FUNCTION, "a int", "IN a integer"),
        (FUNCTION, "timestamp with time zone", "timestamptz"),
        (FUNCTION, "STABLE SECURITY", "PARALLEL UNSAFE COST 100 CALLED ON NULL INPUT STABLE EXTERNAL SECURITY"),
        (FUNCTION, "varchar", "character varying"),
        (FUNCTION, "search_path = public, pg_temp", "search_path TO 'public', 'pg_temp'"),
        (PAIRS, "", ""),
        (PAIRS, "decimal", "pg_catalog.numeric"),
        (VIEW, "(number, state) WITH (security_barrier) AS SELECT id, status",
         "WITH (security_barrier = true) AS SELECT id AS number, status AS state"),
        (TRIGGER, "", ""),
        (TRIGGER, "NEW.status IN ('a', 'b')", "(new.status = ANY (ARRAY['a', 'b']))"),
    ],
)  # fmt: skip
def test_what_means_the_same_is_left_in_peace(
    empty_target: EmptyTarget, tmp_path: Path, wanted: str, old: str, new: str
) -> None:
    result = audited(empty_target, tmp_path, wanted.replace(old, new) if old else wanted, wanted)
    assert [each.message for each in result.with_code("routine_differs")] == []
    assert [each.message for each in result.with_code("missing_routine")] == []
    assert result.coverage.unread in ([], [{"routine": "function touch()", "reason": UNCALLED}])


UNCALLED = "it is for triggers, and none calls it"


@pytest.mark.parametrize(
    ("wanted", "old", "new"),
    [
        (FUNCTION, "a int", "a bigint"),
        (FUNCTION, "a int", "b int"),
        (FUNCTION, "rest text DEFAULT 'x', at timestamp with time zone = now()", "rest text"),
        (FUNCTION, "rest text DEFAULT 'x'", "INOUT rest text DEFAULT 'x'"),
        (FUNCTION, "RETURNS varchar", "RETURNS text"),
        (FUNCTION, "RETURNS varchar", "RETURNS SETOF varchar"),
        (FUNCTION, "STABLE", "IMMUTABLE"),
        (FUNCTION, "STABLE", "STABLE STRICT"),
        (FUNCTION, "STABLE", "STABLE PARALLEL SAFE"),
        (FUNCTION, "SECURITY DEFINER", ""),
        (FUNCTION, "public, pg_temp", "pg_temp, public"),
        (FUNCTION, "SET search_path = public, pg_temp", ""),
        (PAIRS, "b decimal", "c decimal"),
        (PAIRS, "VARIADIC ids", "ids"),
        (VIEW, "state", "status"),
        (VIEW, "status FROM", "status::text FROM"),
        (VIEW, "WITH (security_barrier)", ""),
        (VIEW, "'%x'", "'%x' WITH CASCADED CHECK OPTION"),
        (VIEW, "VIEW v (number, state) WITH (security_barrier)", "MATERIALIZED VIEW v (number, state)"),
        (TRIGGER, "OLD.status <> NEW.status AND", ""),
        (TRIGGER, "'b')", "'c')"),
        (TRIGGER, "WHEN (OLD.status <> NEW.status AND NEW.status IN ('a', 'b'))", ""),
        (TRIGGER, "'one', 'two'", "'two', 'one'"),
    ],
)  # fmt: skip
def test_what_means_something_else_is_found(
    empty_target: EmptyTarget, tmp_path: Path, wanted: str, old: str, new: str
) -> None:
    standing = wanted.replace(old, new)
    if "INOUT" in new:
        standing = standing.replace("RETURNS varchar", "RETURNS text")
    result = audited(empty_target, tmp_path, standing, wanted)
    assert len(result.with_code("routine_differs")) == 1
    assert result.coverage.complete


def test_what_cannot_be_compared_is_unread_and_the_audit_goes_on(
    empty_target: EmptyTarget, tmp_path: Path
) -> None:
    wanted = VIEW.replace("id, status FROM orders", "gone, status FROM orders")
    KINDS[wanted] = "view"
    result = audited(empty_target, tmp_path, VIEW, wanted)
    assert "gone" in str(result.coverage.unread)
    assert result.coverage.complete
    assert result.with_code("routine_differs") == []


def test_a_script_that_is_compared_runs_nothing(empty_target: EmptyTarget, tmp_path: Path) -> None:
    wanted = VIEW.replace("status FROM orders", "1); COMMIT; DROP TABLE orders; --") + "\n"
    KINDS[wanted] = "view"
    audited(
        empty_target,
        tmp_path,
        VIEW.replace("orders", "notes_of").replace(
            "CREATE VIEW", "CREATE TABLE notes_of AS SELECT * FROM orders; CREATE VIEW"
        ),
        wanted,
    )
    assert empty_target.rows("SELECT count(*) FROM orders") == [(0,)]
