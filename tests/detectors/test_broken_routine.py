"""Functions, triggers and views that refer to what is gone are found; what is fine is left in peace."""

from pathlib import Path

import pytest
from django.db import connections

from integrity.audit import AuditResult, audit
from integrity.database.session import Target
from integrity.detectors import Finding, Severity
from integrity.references.catalog import Catalog, load_catalog
from tests.servers import EmptyTarget, RegisterTarget

pytestmark = pytest.mark.newest_postgres_only

TABLES = """
CREATE TABLE orders (id integer PRIMARY KEY, status varchar(20), note varchar(20));
CREATE TABLE notes (id integer PRIMARY KEY, said varchar(20));
"""


def audited(target: EmptyTarget, script: str, catalog: Catalog | None = None) -> AuditResult:
    target.execute_script(TABLES + script)
    return audit(Target("target"), catalog or Catalog())


def broken(target: EmptyTarget, script: str) -> list[tuple[str, str, str]]:
    found = audited(target, script).with_code("broken_routine")
    return [(each.evidence["routine"], each.evidence["missing"], each.evidence["name"]) for each in found]


def only(result: AuditResult, code: str = "broken_routine") -> Finding:
    (found,) = result.with_code(code)
    return found


SQLITE_TRIGGER = "CREATE TRIGGER t AFTER {event} ON orders BEGIN {body}; END;"


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize("event", ["INSERT", "UPDATE", "DELETE", "UPDATE OF status"])
@pytest.mark.parametrize(
    ("body", "missing", "name"),
    [
        ("INSERT INTO gone VALUES (1)", "table", "gone"),
        ("DELETE FROM gone WHERE id = 1", "table", "gone"),
        ("INSERT INTO notes (id, absent) VALUES (1, 2)", "column", "absent"),
        ("UPDATE notes SET absent = 1", "column", "absent"),
        ("SELECT CASE WHEN (SELECT count(*) FROM gone) > 1 THEN RAISE(ABORT, 'no') END", "table", "gone"),
    ],
)
def test_a_trigger_in_a_file_that_refers_to_what_is_gone_is_found(
    empty_target: EmptyTarget, event: str, body: str, missing: str, name: str
) -> None:
    script = SQLITE_TRIGGER.format(event=event, body=body)
    assert broken(empty_target, script) == [("trigger t on orders", missing, name)]


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize(
    "script",
    [
        SQLITE_TRIGGER.format(event="INSERT", body="INSERT INTO notes VALUES (new.id, upper(new.status))"),
        SQLITE_TRIGGER.format(event="UPDATE OF note", body="UPDATE orders SET status = old.status"),
        "CREATE VIEW v AS SELECT id, status FROM orders; CREATE TRIGGER t INSTEAD OF INSERT ON v "
        "BEGIN INSERT INTO orders (id, status) VALUES (new.id, new.status); END;",
        "CREATE VIEW v AS SELECT id, status FROM orders; CREATE TRIGGER t INSTEAD OF UPDATE OF status ON v "
        "BEGIN UPDATE orders SET status = new.status WHERE id = new.id; END;",
        "CREATE VIEW v AS SELECT id FROM orders; CREATE TRIGGER t INSTEAD OF DELETE ON v "
        "BEGIN DELETE FROM orders WHERE id = old.id; END;",
        "CREATE TABLE g (a integer, b integer AS (a * 2) STORED, c AS (a + 1)); "
        "CREATE TRIGGER t AFTER UPDATE ON g BEGIN INSERT INTO notes VALUES (new.b, new.c); END;",
        "CREATE TABLE w (a text PRIMARY KEY, b text NOT NULL) WITHOUT ROWID, STRICT; "
        "CREATE TRIGGER t BEFORE INSERT ON w BEGIN SELECT RAISE(IGNORE) WHERE new.b = 'x'; END;",
        """CREATE TABLE "odd ""table" ("a b" integer, "%s" text); CREATE TRIGGER "odd trigger"
        AFTER UPDATE ON "odd ""table" BEGIN UPDATE "odd ""table" SET "%s" = new."a b" || '%'; END;""",
        "CREATE VIRTUAL TABLE search USING fts5(said); "
        "CREATE TRIGGER t AFTER INSERT ON notes BEGIN INSERT INTO search(said) VALUES (new.said); END;",
        "CREATE VIEW a AS SELECT * FROM orders; CREATE VIEW b AS SELECT a.id FROM a JOIN notes USING (id);",
        "CREATE VIEW today AS SELECT django_date_trunc('day', note, NULL, NULL) FROM orders;",
        SQLITE_TRIGGER.format(
            event="INSERT", body="INSERT INTO notes (said) SELECT n FROM (SELECT max(id) AS n FROM orders)"
        ),
    ],
)
def test_what_works_in_a_file_is_left_in_peace(empty_target: EmptyTarget, script: str) -> None:
    result = audited(empty_target, script)
    assert result.with_code("broken_routine") == []
    assert result.coverage.unread == []


@pytest.mark.engine("sqlite")
def test_a_view_over_what_is_gone_is_found(empty_target: EmptyTarget) -> None:
    assert broken(empty_target, "CREATE VIEW v AS SELECT gone.id FROM gone;") == [("view v", "table", "gone")]


@pytest.mark.engine("sqlite")
def test_a_function_that_clients_may_register_is_a_warning(empty_target: EmptyTarget) -> None:
    script = SQLITE_TRIGGER.format(event="INSERT", body="INSERT INTO notes (said) VALUES (our_own(new.id))")
    found = only(audited(empty_target, script))
    assert found.severity is Severity.WARNING
    assert "unless every client registers it" in found.message


FUNCTION = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$;"
TRIGGER = "CREATE TRIGGER t BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION f();"


@pytest.mark.engine("postgresql")
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("BEGIN INSERT INTO gone VALUES (new.id); RETURN new; END", ("function f()", "table", "gone")),
        ("BEGIN NEW.updated_at = now(); RETURN new; END", ("trigger t on orders", "column", "updated_at")),
        ("BEGIN IF old.gone > 1 THEN RETURN new; END IF; RETURN old; END", ("trigger t on orders", "column", "gone")),
        ("BEGIN PERFORM gone(new.id); RETURN new; END", ("function f()", "function", "gone")),
        ("DECLARE n int; BEGIN SELECT count(*) INTO n FROM gone; RETURN new; END", ("function f()", "table", "gone")),
        ("BEGIN UPDATE notes SET absent = 1; RETURN new; END", ("function f()", "column", "absent")),
        ("BEGIN IF EXISTS (SELECT 1 FROM app.gone) THEN NULL; END IF; RETURN new; END",
         ("function f()", "table", "app.gone")),
    ],
)  # fmt: skip
def test_a_trigger_function_that_refers_to_what_is_gone_is_found(
    empty_target: EmptyTarget, body: str, expected: tuple[str, str, str]
) -> None:
    assert broken(empty_target, FUNCTION.format(body=body) + TRIGGER) == [expected]


@pytest.mark.engine("postgresql")
def test_a_broken_function_is_named_with_the_triggers_that_call_it(empty_target: EmptyTarget) -> None:
    body = "BEGIN\n  INSERT INTO gone VALUES (new.id);\n  RETURN new;\nEND"
    found = only(audited(empty_target, FUNCTION.format(body=body) + TRIGGER))
    assert found.severity is Severity.ERROR
    assert found.evidence["triggers"] == ["t on orders"]
    assert found.evidence["line"] == 2
    assert "called by the trigger t on orders" in found.message


@pytest.mark.engine("postgresql")
def test_a_broken_trigger_that_is_switched_off_is_only_told(empty_target: EmptyTarget) -> None:
    script = FUNCTION.format(body="BEGIN NEW.gone = 1; RETURN new; END") + TRIGGER
    found = only(audited(empty_target, script + "ALTER TABLE orders DISABLE TRIGGER t"))
    assert found.severity is Severity.INFO


@pytest.mark.engine("postgresql")
@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("CREATE FUNCTION g() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM gone'", "gone"),
        ("CREATE FUNCTION g() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN gone(1); END'", "gone"),
        ("CREATE PROCEDURE g() LANGUAGE plpgsql AS 'BEGIN DELETE FROM gone; COMMIT; END'", "gone"),
        ("CREATE FUNCTION g() RETURNS SETOF orders LANGUAGE plpgsql AS "
         "'BEGIN RETURN QUERY SELECT o.* FROM orders o JOIN gone g ON g.id = o.id; END'", "gone"),
        ("CREATE FUNCTION g() RETURNS void LANGUAGE plpgsql AS "
         "'DECLARE r record; BEGIN FOR r IN SELECT * FROM gone LOOP NULL; END LOOP; END'", "gone"),
        ("CREATE FUNCTION g(status text) RETURNS bigint LANGUAGE sql AS "
         "'SELECT count(*) FROM orders WHERE gone = g.status'", "gone"),
    ],
)  # fmt: skip
def test_a_function_that_refers_to_what_is_gone_is_found(
    empty_target: EmptyTarget, script: str, expected: str
) -> None:
    found = only(audited(empty_target, f"SET check_function_bodies = off; {script}"))
    assert (found.object.split(": ")[0], found.evidence["name"]) == (found.evidence["routine"], expected)


@pytest.mark.engine("postgresql")
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("BEGIN CALL gone(1, 'x'); END", "gone"),
        ("BEGIN TRUNCATE TABLE ONLY orders, public.gone CASCADE; END", "public.gone"),
        ("BEGIN LOCK TABLE gone IN SHARE MODE NOWAIT; END", "gone"),
        ("BEGIN REFRESH MATERIALIZED VIEW CONCURRENTLY gone; END", "gone"),
        ("BEGIN RAISE NOTICE '% %', (SELECT count(*) FROM orders), (SELECT count(*) FROM gone); END", "gone"),
        ("BEGIN RAISE EXCEPTION 'no' USING DETAIL = 'x', HINT = (SELECT said FROM gone); END", "gone"),
        ("BEGIN RAISE EXCEPTION '%', CASE WHEN true THEN gone(1) ELSE 2 END; END", "gone"),
        ("BEGIN LOOP EXIT WHEN EXISTS (SELECT FROM gone); END LOOP; END", "gone"),
        ("BEGIN CASE WHEN EXISTS (SELECT FROM gone) THEN NULL; ELSE NULL; END CASE; END", "gone"),
        ("BEGIN CASE 1 WHEN 1 THEN NULL; WHEN (SELECT 2 FROM gone) THEN NULL; END CASE; END", "gone"),
        ("BEGIN CASE WHEN 1 = 2 THEN DELETE FROM gone; END CASE; END", "gone"),
        ("BEGIN FOR i IN REVERSE (SELECT max(id) FROM gone)..1 BY 2 LOOP NULL; END LOOP; END", "gone"),
        ("DECLARE i integer; BEGIN FOREACH i IN ARRAY gone(1) LOOP NULL; END LOOP; END", "gone"),
        ("DECLARE c CURSOR (low int) FOR SELECT * FROM gone WHERE id > low; BEGIN OPEN c(1); END", "gone"),
        ("DECLARE c CURSOR (low int) FOR SELECT low; BEGIN OPEN c(low := gone(1)); END", "gone"),
        ("DECLARE c CURSOR (low int) FOR SELECT low; BEGIN FOR r IN c(gone(1)) LOOP NULL; END LOOP; END", "gone"),
        ("DECLARE x orders.gone%TYPE; BEGIN NULL; END", "gone"),
        ("DECLARE x gone%ROWTYPE; BEGIN NULL; END", "gone"),
        ("DECLARE x gone; BEGIN NULL; END", "gone"),
    ],
)  # fmt: skip
def test_every_statement_of_a_body_is_looked_at(empty_target: EmptyTarget, body: str, expected: str) -> None:
    script = f"SET check_function_bodies = off; CREATE PROCEDURE g() LANGUAGE plpgsql AS $b$ {body} $b$"
    assert [each[2] for each in broken(empty_target, script)] == [expected]


@pytest.mark.engine("postgresql")
@pytest.mark.parametrize(
    "statement", ["ALTER TABLE gone ADD x int", "DROP TABLE gone", "GRANT ALL ON gone TO x"]
)
def test_a_statement_that_cannot_be_looked_at_is_listed_as_unread(
    empty_target: EmptyTarget, statement: str
) -> None:
    script = f"CREATE FUNCTION g() RETURNS void LANGUAGE plpgsql AS $b$ BEGIN {statement}; END $b$"
    result = audited(empty_target, script)
    assert result.with_code("broken_routine") == []
    reason = f"{statement.split()[0]}: such statements are not looked into"
    assert result.coverage.unread == [{"routine": "function g()", "reason": reason}]


PLAIN = """
CREATE PROCEDURE did(IN a integer, INOUT b text) LANGUAGE plpgsql AS $$ BEGIN b := a::text; END $$;
CREATE MATERIALIZED VIEW mv AS SELECT id FROM orders WITH NO DATA; REFRESH MATERIALIZED VIEW mv;
CREATE PROCEDURE done(a integer) LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
CREATE FUNCTION g(p integer) RETURNS SETOF integer LANGUAGE plpgsql AS $b$
#variable_conflict use_variable
<<outer_block>>
DECLARE
  said notes.said%TYPE NOT NULL := 'x'; again said%TYPE; whole public.orders%ROWTYPE; row_of orders; ids integer[];
  at timestamp with time zone := now(); price numeric(10, 2); many CONSTANT text[] := ARRAY['a'];
  c NO SCROLL CURSOR (low integer, high integer) FOR SELECT id FROM orders WHERE id BETWEEN low AND high;
BEGIN
  CALL done(p); CALL done(a => p + 1); CALL public.done(length(said));
  LOCK TABLE ONLY orders, public.notes IN ACCESS EXCLUSIVE MODE; TRUNCATE orders, notes RESTART IDENTITY;
  REFRESH MATERIALIZED VIEW public.mv; SET LOCAL work_mem = '4MB'; NOTIFY orders, 'done';
  RAISE; RAISE unique_violation; RAISE SQLSTATE '22012'; RAISE INFO 'nothing'; RAISE division_by_zero USING MESSAGE = said;
  RAISE EXCEPTION '% of %: %', p, whole.status, CASE p WHEN 1 THEN 'one' ELSE said END USING ERRCODE = 'P0001';
  OPEN c(1, high := p); FETCH NEXT FROM c INTO row_of; MOVE c; CLOSE c;
  FOREACH p SLICE 0 IN ARRAY ids LOOP NULL; END LOOP;
  <<around>> FOR i IN 1..array_length(ids, 1) BY 2 LOOP
    CONTINUE around WHEN ids[i] = p; EXIT WHEN i > 3; RETURN NEXT i;
  END LOOP around;
  CASE p WHEN 1, 2 THEN NULL; WHEN length(said) THEN NULL; ELSE NULL; END CASE;
  CASE WHEN p = 1 THEN NULL; WHEN EXISTS (SELECT FROM orders WHERE id = p) THEN p := 2; END CASE;
  RETURN QUERY (SELECT id FROM orders); RETURN QUERY SELECT 1; COMMIT;
  BEGIN NULL; EXCEPTION WHEN unique_violation OR SQLSTATE '22012' THEN GET STACKED DIAGNOSTICS said = MESSAGE_TEXT; RAISE; END;
END $b$;
"""


@pytest.mark.engine("postgresql")
def test_a_body_of_all_statements_is_read_wholly_and_left_in_peace(empty_target: EmptyTarget) -> None:
    result = audited(empty_target, PLAIN)
    assert [each.message for each in result.with_code("broken_routine")] == []
    assert result.coverage.unread == []


FINE = """
CREATE SCHEMA app; CREATE TABLE app.far (id integer, kept text);
CREATE TYPE mood AS ENUM ('good', 'bad');
SET check_function_bodies = off;
CREATE FUNCTION far_ones() RETURNS bigint LANGUAGE sql SET search_path = app AS 'SELECT count(*) FROM far';
CREATE FUNCTION far_too() RETURNS void LANGUAGE plpgsql SET search_path = app, public AS $$
  BEGIN UPDATE far SET kept = (SELECT said FROM notes LIMIT 1); END $$;
CREATE FUNCTION many(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION many(a text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN many(length(a))::text; END $$;
CREATE FUNCTION named(p integer, rest text) RETURNS void LANGUAGE sql AS 'SELECT';
CREATE TABLE orders_past (LIKE orders);
CREATE FUNCTION past() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO orders_past VALUES (OLD.*); INSERT INTO orders_past SELECT NEW.*;
  INSERT INTO notes (said) VALUES (to_jsonb(NEW) ->> 'status'), (hashtext(NEW::text)::text), ((NEW).note);
  RETURN NULL;
END $$;
CREATE TRIGGER past AFTER UPDATE ON orders FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
  EXECUTE FUNCTION past();
CREATE FUNCTION everything(p integer, OUT total bigint, VARIADIC rest text[]) LANGUAGE plpgsql AS $f$
<<outer_block>>
DECLARE
  r record; o orders%ROWTYPE; s orders.status%TYPE := 'x'; m mood DEFAULT 'good'; n numeric(10, 2) := 1.5;
  c CURSOR (low integer) FOR SELECT * FROM orders WHERE id > low; other ALIAS FOR $1; "odd name" integer;
  ids integer[] := ARRAY[1, 2]; j jsonb := '{"a": 1}';
BEGIN
  -- SELECT * FROM nowhere;
  SELECT o2.* INTO STRICT o FROM orders AS o2 WHERE o2.id = p AND o2.status LIKE '%x' LIMIT 1;
  FOR r IN SELECT id, status FROM orders WHERE status = s ORDER BY 1 LOOP
    total := total + r.id; o.status := r.status;
    CONTINUE WHEN r.id > other;
  END LOOP;
  FOR i IN REVERSE 10..1 LOOP "odd name" := i; total = total + i; END LOOP;
  FOREACH p IN ARRAY ids LOOP total := total + p; END LOOP;
  FOR r IN c (5) LOOP NULL; END LOOP;
  IF j ->> 'a' = '1' AND NOT FOUND THEN
    INSERT INTO notes (id, said) VALUES (outer_block.p, CASE WHEN p > 1 THEN s ELSE rest[1] END)
    ON CONFLICT (id) DO UPDATE SET said = excluded.said RETURNING id INTO "odd name";
  ELSIF EXISTS (SELECT FROM notes WHERE id = everything.p) THEN
    WITH gone AS (DELETE FROM notes WHERE id = p RETURNING *) SELECT count(*) INTO total FROM gone;
  ELSE
    CREATE TEMP TABLE scratch (id integer) ON COMMIT DROP;
    INSERT INTO scratch SELECT id FROM orders;
  END IF;
  CASE m WHEN 'good' THEN total := 1; ELSE total := 2; END CASE;
  WHILE total < 10 LOOP total := total + 1; EXIT WHEN total = 5; END LOOP;
  PERFORM named(p => p, rest := 'x') FROM notes JOIN orders USING (id) WHERE orders.status = s;
  UPDATE orders SET status = s, note = (SELECT max(n.said) FROM notes n WHERE n.id = p) WHERE id = ANY (ids);
  INSERT INTO notes (said) SELECT string_agg(status, ', ' ORDER BY id) FROM orders GROUP BY note HAVING count(*) > 1;
  GET DIAGNOSTICS p = ROW_COUNT;
  RAISE NOTICE 'said %', total USING HINT = 'none';
EXCEPTION
  WHEN unique_violation OR foreign_key_violation THEN RAISE WARNING '%: %', SQLSTATE, SQLERRM;
END $f$;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN INSERT INTO notes (said) VALUES (OLD.status); RETURN OLD; END IF;
  NEW.status := coalesce(NEW.status, 'new'); NEW.note = TG_TABLE_NAME || TG_ARGV[0];
  IF ROW(NEW.*) IS DISTINCT FROM ROW(OLD.*) THEN INSERT INTO notes (said) SELECT (NEW).status; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION stamp('x');
CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO notes (said) SELECT status FROM added; RETURN NULL; END $$;
CREATE TRIGGER counted AFTER INSERT ON orders REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION counted();
CREATE FUNCTION by_table() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF TG_TABLE_NAME = 'notes' THEN NEW.said := 'x'; ELSE NEW.status := 'y'; END IF; RETURN NEW; END $$;
CREATE TRIGGER by_table BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION by_table();
CREATE TRIGGER by_table BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION by_table();
CREATE FUNCTION prepared() RETURNS void LANGUAGE plpgsql AS $$
BEGIN IF to_regclass('later') IS NOT NULL THEN DELETE FROM later; END IF; END $$;
CREATE FUNCTION caught() RETURNS void LANGUAGE plpgsql AS $$
BEGIN DELETE FROM later; EXCEPTION WHEN undefined_table THEN NULL; END $$;
CREATE FUNCTION from_elsewhere() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM far; END $$;
CREATE VIEW v AS SELECT far_ones() AS n; CREATE MATERIALIZED VIEW mv AS SELECT id FROM orders;
CREATE RULE r AS ON UPDATE TO v DO INSTEAD NOTHING;
"""
DYNAMIC = """
CREATE FUNCTION composed(t text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN EXECUTE format('DELETE FROM %I', t); EXECUTE 'DROP TABLE gone'; END $$;
"""


@pytest.mark.engine("postgresql")
def test_what_works_on_a_server_is_left_in_peace(empty_target: EmptyTarget) -> None:
    result = audited(empty_target, FINE)
    assert [each.message for each in result.with_code("broken_routine")] == []
    unread = {each["routine"]: each["reason"] for each in result.coverage.unread}
    assert "caught()" in " ".join(unread)
    read = {
        "function stamp()",
        "function past()",
        "trigger past on orders",
        "function far_too()",
        "function far_ones()",
        "function many(text)",
    }
    assert {each: unread[each] for each in read & set(unread)} == {}
    assert result.coverage.complete


@pytest.mark.engine("postgresql")
def test_sql_that_a_function_composes_is_not_read_and_said_so(empty_target: EmptyTarget) -> None:
    result = audited(empty_target, DYNAMIC)
    assert result.with_code("broken_routine") == []
    assert result.coverage.unread == [
        {"routine": "function composed(text)", "reason": "it runs SQL that it composes"}
    ]
    assert result.coverage.complete


@pytest.mark.engine("postgresql")
@pytest.mark.newest_postgres_only
@pytest.mark.parametrize(
    "body",
    [
        "BEGIN PERFORM (1; COMMIT; DROP TABLE orders; --) ; END",
        "BEGIN PERFORM 1 /* /* */ ; COMMIT; DROP TABLE orders; */; END",
        "BEGIN PERFORM 'a\\'; COMMIT; DROP TABLE orders; --'; END",
        "BEGIN PERFORM 1E'a\\'; COMMIT; DROP TABLE orders; --'; END",
        "ANALYZE SELECT; BEGIN WITH x AS (DELETE FROM orders RETURNING 1) SELECT 1; END",
    ],
)
def test_a_hostile_body_is_not_run(empty_target: EmptyTarget, body: str) -> None:
    script = f"""
    INSERT INTO orders VALUES (1); SET check_function_bodies = off;
    CREATE FUNCTION g() RETURNS void LANGUAGE plpgsql AS $hostile$ {body} $hostile$"""
    audited(empty_target, script)
    assert empty_target.rows("SELECT count(*) FROM orders") == [(1,)]


@pytest.mark.engine("postgresql")
@pytest.mark.newest_postgres_only
def test_looking_runs_nothing_and_leaves_nothing(empty_target: EmptyTarget) -> None:
    script = """
    CREATE SEQUENCE counted;
    CREATE FUNCTION g() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN nextval('counted'); END $$;
    CREATE FUNCTION h() RETURNS void LANGUAGE plpgsql AS $$
    BEGIN DELETE FROM orders; INSERT INTO notes VALUES (1, g()::text); END $$;
    INSERT INTO orders VALUES (1)"""
    assert broken(empty_target, script) == []
    assert empty_target.rows("SELECT is_called FROM counted") == [(False,)]
    assert empty_target.rows("SELECT count(*) FROM orders") == [(1,)]


@pytest.mark.engine("postgresql")
@pytest.mark.newest_postgres_only
def test_a_materialized_view_that_was_never_filled_is_a_warning(empty_target: EmptyTarget) -> None:
    found = only(audited(empty_target, "CREATE MATERIALIZED VIEW mv AS SELECT 1 AS x WITH NO DATA"))
    assert found.severity is Severity.WARNING
    assert found.suggestion == "REFRESH MATERIALIZED VIEW mv"


CATALOG = """
[[routine]]
kind = "function"
name = "touch"
create.postgresql = "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note = 'x'; RETURN NEW; END $$"

[[routine]]
kind = "view"
name = "open_orders"
create = "CREATE VIEW open_orders AS SELECT id, status FROM orders WHERE status = 'open'"

[[routine]]
kind = "trigger"
name = "touch_orders"
table = "orders"
[routine.create]
postgresql = "CREATE TRIGGER touch_orders BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch()"
sqlite = "CREATE TRIGGER touch_orders AFTER UPDATE OF status ON orders BEGIN UPDATE orders SET note = 'x' WHERE id = new.id; END"
"""


@pytest.fixture
def routines(tmp_path: Path) -> Catalog:
    """A catalog with one routine of each kind."""
    file = tmp_path / "catalog.toml"
    file.write_text(CATALOG)
    return load_catalog("target", file)


def made(catalog: Catalog, vendor: str) -> str:
    return "".join(f"{each.create.get(vendor, each.create.get('', ''))};\n" for each in catalog.routines)


def test_a_routine_of_the_catalog_that_is_not_there_is_found(
    empty_target: EmptyTarget, routines: Catalog
) -> None:
    result = audited(empty_target, "", routines)
    expected = ["trigger touch_orders on orders", "view open_orders"]
    expected += ["function touch"] if empty_target.vendor == "postgresql" else []
    assert sorted(each.object for each in result.with_code("missing_routine")) == sorted(expected)


def test_a_routine_that_stands_as_the_catalog_says_is_left_in_peace(
    empty_target: EmptyTarget, routines: Catalog
) -> None:
    script = (
        made(routines, empty_target.vendor).replace("SELECT id", "select  id").replace("BEGIN", "begin\n ")
    )
    result = audited(empty_target, script, routines)
    assert result.with_code("missing_routine") == result.with_code("routine_differs") == []


@pytest.mark.parametrize(
    ("old", "new", "which"),
    [
        ("'open'", "'closed'", "view open_orders"),
        ("'x'", "'y'", "function touch"),
        ("UPDATE O", "INSERT O", "trigger touch_orders on orders"),
    ],
)
def test_a_routine_that_stands_in_another_form_is_a_warning(
    empty_target: EmptyTarget, routines: Catalog, old: str, new: str, which: str
) -> None:
    script = made(routines, empty_target.vendor).replace(
        "UPDATE OF status", "UPDATE ON orders".replace(" ON orders", "")
    )
    result = audited(empty_target, script.replace(old, new), routines)
    found = {each.object: each.severity for each in result.with_code("routine_differs")}
    if which.startswith("function") and empty_target.vendor == "sqlite":
        which = "trigger touch_orders on orders"
    assert found[which] is Severity.WARNING


@pytest.mark.engine("postgresql")
@pytest.mark.newest_postgres_only
def test_what_a_role_may_not_look_into_is_unread_and_never_broken(
    empty_target: EmptyTarget, register_target: RegisterTarget
) -> None:
    name = "looks_" + empty_target.url.rsplit("_", 1)[-1]
    empty_target.execute_script(
        TABLES
        + f"""CREATE ROLE {name} LOGIN; GRANT USAGE ON SCHEMA public TO {name}; CREATE SCHEMA closed;
        CREATE TABLE closed.t (id integer);
        CREATE FUNCTION f() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN DELETE FROM orders; RETURN 1; END $$;
        CREATE FUNCTION g() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM orders';
        CREATE FUNCTION h() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT 1 FROM closed.t); END $$;
        REVOKE ALL ON FUNCTION g() FROM PUBLIC"""
    )
    connections.databases[register_target("limited", empty_target.url)]["USER"] = name
    try:
        result = audit(Target("limited"), Catalog())
    finally:
        empty_target.execute_script(f"DROP OWNED BY {name}; DROP ROLE {name}")
    assert result.with_code("broken_routine") == []
    assert {each["routine"] for each in result.coverage.unread} == {
        "function f()",
        "function g()",
        "function h()",
    }
    assert "permission denied" in str(result.coverage.unread)


@pytest.mark.engine("postgresql")
@pytest.mark.newest_postgres_only
def test_the_number_of_questions_depends_on_bodies_and_not_on_tables(empty_target: EmptyTarget) -> None:
    def questions() -> int:
        with Target("target").reading() as session:
            known = session.engine.routines(session)
            session.connection.force_debug_cursor = True
            session.engine.examine_routines(session, known, known)
            return len(session.connection.queries_log)

    empty_target.execute_script(
        TABLES + FUNCTION.format(body="BEGIN NEW.note = 'x'; RETURN new; END") + TRIGGER
    )
    before = questions()
    empty_target.execute_script("".join(f"CREATE TABLE t{n} (id integer PRIMARY KEY);" for n in range(50)))
    assert questions() == before
