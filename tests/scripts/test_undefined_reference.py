"""What scripts use and nothing defines is found; what is defined anywhere, built in or not known is not."""

import pytest

from integrity.database.schema import Schema, did_you_mean
from integrity.scripts.checks import undefined_reference
from integrity.scripts.checks.base import LiveTarget
from tests.scripts.checking import Find, find

__all__ = ["find"]

CODE = "undefined_reference"
T = "CREATE TABLE t (id INT PRIMARY KEY, a TEXT, b TEXT);\n"
TOUCH = "CREATE FUNCTION touch() RETURNS trigger AS $$ BEGIN NEW.updated_at = now(); RETURN NEW; END $$ LANGUAGE plpgsql;\n"


def objects(find: Find, text: str, name: str = "a.sql") -> list[str]:
    return [each.object for each in find(CODE, {name: text})]


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("CREATE TABLE p (t_id INT REFERENCES gone(id));", "gone"),
        ("CREATE TABLE p (t_id INT REFERENCES t(key));", "t.key"),
        ("CREATE TABLE p (x INT, FOREIGN KEY (y) REFERENCES t);", "p.y"),
        ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES gone (id);", "gone"),
        ("ALTER TABLE gone ADD COLUMN c INT;", "gone"),
        ("ALTER TABLE t DROP COLUMN c;", "t.c"),
        ("ALTER TABLE t ALTER COLUMN c SET NOT NULL;", "t.c"),
        ("CREATE INDEX i ON gone(a);", "gone"),
        ("CREATE INDEX i ON t(a, c);", "t.c"),
        ("CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();", "f"),
        ("CREATE TRIGGER g AFTER UPDATE ON gone BEGIN DELETE FROM t; END;", "gone"),
        ("CREATE TRIGGER g AFTER UPDATE ON t BEGIN UPDATE gone SET a = 1; END;", "gone"),
        ("CREATE TRIGGER g AFTER UPDATE ON t BEGIN UPDATE t SET a = 1 WHERE id = NEW.key; END;", "t.key"),
        (TOUCH + "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();", "t.updated_at"),
        ("CREATE FUNCTION f() RETURNS int AS $$ BEGIN INSERT INTO gone (a) VALUES (1); RETURN 1; END $$ LANGUAGE plpgsql;", "gone"),
        ("CREATE FUNCTION f() RETURNS int AS $$ SELECT a FROM t JOIN gone g ON true $$ LANGUAGE sql;", "gone"),
        ("DO $$ BEGIN UPDATE gone SET a = 1; END $$;", "gone"),
        ("CREATE VIEW v AS SELECT t.a, g.x FROM t JOIN gone g ON g.id = t.id;", "gone"),
        ("CREATE VIEW v AS SELECT c FROM t;", "t.c"),
        ("INSERT INTO gone (a) VALUES (1);", "gone"),
        ("INSERT INTO t (id, c) VALUES (1, 2);", "t.c"),
        ("UPDATE t SET c = 1 WHERE id = 2;", "t.c"),
        ("DELETE FROM t WHERE t.c = 1;", "t.c"),
        ("SELECT x.c FROM t x WHERE x.a IN (SELECT a FROM t);", "t.c"),
        ("MERGE INTO t USING gone g ON g.id = t.id WHEN MATCHED THEN DELETE;", "gone"),
        ("MERGE INTO t USING t s ON s.id = t.id WHEN MATCHED THEN UPDATE SET a = s.c;", "t.c"),
        ("MERGE INTO t USING t s ON s.id = t.id WHEN NOT MATCHED THEN INSERT (id, a) VALUES (s.id, s.c);", "t.c"),
        ("DROP TABLE gone;", "gone"),
        ("DROP FUNCTION f();", "f"),
        ("DROP TRIGGER g ON t;", "g"),
        ("DROP INDEX i;", "i"),
        ("SELECT missing_one(a) FROM t;", "missing_one"),
    ],
)  # fmt: skip
def test_what_nothing_defines_is_found(find: Find, text: str, missing: str) -> None:
    assert objects(find, T + text) == [missing]


@pytest.mark.parametrize(
    "text",
    [
        "WITH x AS (SELECT a FROM t), y (b) AS (SELECT 1) SELECT x.a, y.b, x.anything FROM x, y;",
        "SELECT q.z, l.w FROM (SELECT a AS z FROM t) q, LATERAL (SELECT q.z AS w) l;",
        "SELECT upper(a) AS shout, count(*) n FROM t GROUP BY shout HAVING count(*) > 1 ORDER BY n;",
        "SELECT g, now(), extract(epoch FROM now()), jsonb_build_object('a', a) FROM t, generate_series(1, 2) g;",
        "SELECT value FROM t, json_each(t.a);",
        "SELECT row_to_json(t) FROM t; SELECT t FROM t; SELECT rowid, ctid FROM t;",
        "SELECT relname, nspname FROM pg_class JOIN pg_namespace ON true;",
        "SELECT table_name FROM information_schema.tables; SELECT name FROM sqlite_master;",
        "INSERT INTO t (id, a) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET a = excluded.a, b = t.b RETURNING id;",
        "UPDATE t AS x SET a = y.b FROM t y WHERE x.id = y.id AND x.a IS DISTINCT FROM y.a;",
        "CREATE TEMP TABLE scratch AS SELECT 1 AS n; SELECT n FROM scratch;",
        "CREATE TABLE p (t_id INT REFERENCES t); CREATE INDEX i ON p (lower(a));",
        "CREATE TABLE u (a INT, FOREIGN KEY (a) REFERENCES auth.users (id)); SELECT auth.uid(), u.a FROM u;",
        'SELECT a FROM t WHERE a = "a literal of sqlite";',
        "CREATE TABLE c (LIKE t); SELECT anything FROM c; CREATE TABLE d AS SELECT 1 AS one; SELECT one, two FROM d;",
        "ALTER TABLE t RENAME COLUMN a TO z; SELECT z FROM t; ALTER TABLE t RENAME TO u; SELECT z, b FROM u;",
        "CREATE TABLE new_t (id INT, n INT); DROP TABLE t; ALTER TABLE new_t RENAME TO t; SELECT n FROM t;",
        "DROP TABLE IF EXISTS gone; DROP TRIGGER IF EXISTS g ON t; ALTER TABLE IF EXISTS gone ADD COLUMN c INT; ALTER TABLE t DROP COLUMN IF EXISTS c;",
        "CREATE SEQUENCE s; SELECT last_value FROM s; SELECT nextval('s');",
        "CREATE FUNCTION f(n int) RETURNS int AS $$ DECLARE total int; BEGIN SELECT count(*) INTO total FROM t WHERE substring(a FROM 2) = 'x' AND trim(both FROM a) IS DISTINCT FROM b; FOR r IN SELECT * FROM t LOOP PERFORM f(1); END LOOP; WITH w AS (SELECT 1) INSERT INTO t SELECT * FROM w; RETURN total; END $$ LANGUAGE plpgsql;",
        "CREATE FUNCTION tf() RETURNS trigger AS $$ BEGIN INSERT INTO t SELECT * FROM fresh; RETURN NULL; END $$ LANGUAGE plpgsql; CREATE TRIGGER g AFTER INSERT ON t REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tf();",
        "CREATE TABLE u (updated_at TIMESTAMP);" + TOUCH + "CREATE TRIGGER g BEFORE UPDATE ON u FOR EACH ROW EXECUTE FUNCTION touch();",
        "CREATE TRIGGER g AFTER UPDATE ON t BEGIN UPDATE t SET a = OLD.a WHERE id = NEW.id AND rowid = NEW.rowid; END;",
        "SELECT st_distance(a, b), uuid_generate_v4() FROM t;",
        "CREATE EXTENSION pgroonga; SELECT pgroonga_score(a) FROM t;",
        "CREATE VIEW v AS SELECT a FROM t; SELECT x.anything FROM v x; DROP VIEW v;",
        "CREATE TABLE k (a INT UNIQUE); DROP INDEX k_a_key;",
        "MERGE INTO t x USING (SELECT 1 AS n) s ON x.id = s.n WHEN MATCHED AND s.n > 1 THEN UPDATE SET a = s.n, b = DEFAULT WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (n) RETURNING merge_action();",
        "CREATE TABLE p (a INT, v tstzrange, PRIMARY KEY (a, v WITHOUT OVERLAPS), FOREIGN KEY (a, PERIOD v) REFERENCES p (a, PERIOD v));",
        "SELECT a FROM t WHERE (ROW(1, 2)).f1 = id AND id IN t;",
        "SELECT current_user, session_user, user, current_date, localtimestamp FROM t;",
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM t u WHERE u.id = t.id AND b = 'x');",
        "SELECT a FROM t WINDOW w AS (PARTITION BY b); COMMENT ON TABLE t IS 'FROM gone'; GRANT SELECT ON t TO someone;",
    ],
)  # fmt: skip
def test_what_is_defined_or_not_to_be_known_is_no_alarm(find: Find, text: str) -> None:
    assert objects(find, T + text) == []


def test_what_a_script_dropped_before_is_found_with_the_place(find: Find) -> None:
    (finding,) = find(CODE, {"1_a.sql": T, "2_b.sql": "DROP TABLE t;", "3_c.sql": "SELECT a FROM t;"})
    assert finding.place.file.endswith("3_c.sql")
    assert "dropped at" in finding.message
    assert "2_b.sql:1:12" in finding.message


def test_a_name_that_is_nearly_right_is_offered(find: Find) -> None:
    (finding,) = find(CODE, {"a.sql": "CREATE TABLE customers (id INT); SELECT 1 FROM custmers;"})
    assert "Did you mean customers?" in finding.suggestion


def test_among_many_names_the_nearest_is_offered_and_none_is_looked_for_without_end(
    find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []

    def offer(name: str, names: list[str]) -> str:
        compared.append(len(names))
        return did_you_mean(name, names)

    monkeypatch.setattr(undefined_reference, "did_you_mean", offer)
    tables = "".join(f"CREATE TABLE table_{each} (id INT);" for each in range(400))
    missing = "".join(f"SELECT 1 FROM gone_{each};" for each in range(400))
    first, *_ = find(
        CODE, {"a.sql": tables + "CREATE TABLE customers (id INT); SELECT 1 FROM custmers;" + missing}
    )
    assert "Did you mean customers?" in first.suggestion
    assert max(compared) <= 100
    assert compared[-50:] == [0] * 50


def test_one_finding_a_file_tells_the_other_places(find: Find) -> None:
    (finding,) = find(CODE, {"a.sql": T + "SELECT 1 FROM gone;\n" * 9})
    assert finding.place.line == 2
    assert len(finding.related) == 5
    assert finding.details == ("3 more places of this file use it.",)


def test_sources_know_the_tables_of_their_orm_and_placeholders(find: Find) -> None:
    source = (
        "const posts = pgTable('posts', {});\n"
        "db.query(`SELECT id, title FROM posts WHERE ${column} = 1`);\n"
        "db.query(`SELECT * FROM ${table} WHERE id = $1`);\n"
        "db.query(`SELECT id FROM gone WHERE a = 1`);\n"
    )
    found = find(CODE, {"1_a.sql": T, "app.ts": source})
    assert [(each.object, str(each.severity), each.place.line) for each in found] == [("gone", "warning", 4)]


def test_of_queries_alone_nothing_can_be_said(find: Find) -> None:
    assert find(CODE, {"app.ts": "db.query(`SELECT id FROM users WHERE a = 1`)"}) == []


def test_scripts_that_take_back_are_not_looked_at(find: Find) -> None:
    assert find(CODE, {"1_a.sql": T, "1_a.down.sql": "DROP TABLE gone; DROP TABLE t;", "2_b.sql": "SELECT a FROM t;"}) == []  # fmt: skip


def test_what_a_live_target_has_counts_as_defined(find: Find) -> None:
    live = LiveTarget("shop", "postgresql", Schema("postgresql", "18", "public"), frozenset({"audit"}))
    files = {"a.sql": T + "SELECT audit(a) FROM t;"}
    assert find(CODE, files, live=live) == []
    assert len(find(CODE, files)) == 1
