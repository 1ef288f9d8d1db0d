"""Functions, triggers and views are made, replaced and dropped, and come back as they were."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from integrity import tasks
from integrity.audit import audit
from integrity.database.session import Target
from integrity.exceptions import SchemaFixRefused
from integrity.operations import CreateRoutine, DropRoutine
from integrity.references.catalog import load_catalog
from tests.operations.conftest import Shop

TRIGGER = {
    "postgresql": "CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touched()",
    "sqlite": "CREATE TRIGGER touch AFTER UPDATE OF total ON orders BEGIN "
    "UPDATE orders SET status = 'touched' WHERE id = new.id; END",
}
FUNCTION = {
    "postgresql": "CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN NEW.status := 'touched'; RETURN NEW; END $$"
}
VIEW = {"": "CREATE VIEW open_orders AS SELECT id, total FROM orders WHERE status LIKE 'open%'"}


def routines(shop: Shop) -> list[tuple[Any, ...]]:
    """Everything that tells one routine from another, read by the database's own means."""
    if shop.sqlite:
        return shop.target.rows(
            "SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'view') ORDER BY 1, 2"
        )
    return shop.target.rows(
        "SELECT 'f', p.oid::regprocedure::text, pg_get_functiondef(p.oid), p.proowner::regrole::text, "
        "p.proacl::text, obj_description(p.oid, 'pg_proc'), '' FROM pg_proc p "
        "WHERE pronamespace = 'public'::regnamespace "
        "UNION ALL SELECT 't', tgname, pg_get_triggerdef(oid), tgenabled::text, '', "
        "obj_description(oid, 'pg_trigger'), '' FROM pg_trigger WHERE NOT tgisinternal "
        "UNION ALL SELECT 'v', relname, pg_get_viewdef(oid), relowner::regrole::text, relacl::text, "
        "obj_description(oid, 'pg_class'), reloptions::text FROM pg_class WHERE relkind IN ('v', 'm') "
        "AND relnamespace = 'public'::regnamespace ORDER BY 1, 2, 3"
    )


def create_all() -> tuple[CreateRoutine, ...]:
    return (
        CreateRoutine(routine="function", name="touched", create=FUNCTION),
        CreateRoutine(routine="view", name="open_orders", create=VIEW),
        CreateRoutine(routine="trigger", name="touch", table="orders", create=TRIGGER),
    )


def made(shop: Shop) -> str:
    vendor = shop.target.vendor
    statements = [FUNCTION.get(vendor, ""), VIEW[""], TRIGGER[vendor]]
    return ";\n".join(filter(None, statements)) + ";"


def test_what_the_catalog_has_is_made_and_acts_and_goes_again(shop: Shop) -> None:
    before, structure = routines(shop), shop.fingerprint()

    shop.apply(*create_all())
    shop.execute("UPDATE orders SET total = 5 WHERE id = 1")
    assert shop.value("SELECT status FROM orders WHERE id = 1") == "touched"
    assert shop.target.rows("SELECT * FROM open_orders") == []
    shop.apply(*create_all())
    shop.run(to="zero")

    assert routines(shop) == before
    assert shop.fingerprint() == structure


def test_what_stands_already_is_adopted_and_stays(shop: Shop) -> None:
    shop.execute(made(shop))
    before = routines(shop)

    shop.apply(*create_all())
    assert routines(shop) == before
    shop.run(to="zero")

    assert routines(shop) == before


@pytest.mark.engine("postgresql")
@pytest.mark.newest_postgres_only
def test_a_function_that_returns_something_else_is_made_anew_with_its_rights_and_comes_back(
    shop: Shop,
) -> None:
    shop.execute(
        "CREATE FUNCTION worth(a int) RETURNS int LANGUAGE sql AS 'SELECT a'; "
        "REVOKE ALL ON FUNCTION worth(int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION worth(int) TO pg_monitor; "
        "COMMENT ON FUNCTION worth(int) IS 'kept'"
    )
    before = routines(shop)
    create = {"postgresql": "CREATE FUNCTION worth(b int) RETURNS bigint STRICT LANGUAGE sql AS 'SELECT b'"}

    shop.apply(CreateRoutine(routine="function", name="worth", create=create))
    ((_, _, definition, _, rights, comment, _),) = routines(shop)
    assert "RETURNS bigint" in definition
    assert (rights, comment) == (before[0][4], "kept")
    shop.run(to="zero")

    assert routines(shop) == before


def test_what_stands_in_another_form_is_replaced_and_comes_back(shop: Shop) -> None:
    shop.execute(
        made(shop).replace("touched'", "other'").replace("'open%'", "'done%'").replace("BEFORE", "AFTER")
    )
    before = routines(shop)

    shop.apply(*create_all())
    after = routines(shop)
    assert after != before
    assert "'done%'" not in str(after)
    assert "other'" not in str(after)
    shop.run(to="zero")

    assert routines(shop) == before


def test_a_view_with_other_columns_is_made_anew_and_comes_back(shop: Shop) -> None:
    shop.execute("CREATE VIEW open_orders AS SELECT customer_id, id, total, status FROM orders")
    before = routines(shop)

    shop.apply(create_all()[1])
    assert shop.table("open_orders").column_names == ("id", "total")
    shop.run(to="zero")

    assert routines(shop) == before


def decorated(shop: Shop) -> list[tuple[Any, ...]]:
    """One routine of each kind with everything that hangs on one."""
    shop.execute(
        made(shop).replace("touched'", "other'").replace("'open%'", "'done%'").replace("BEFORE", "AFTER")
        + """
        DO $$ BEGIN CREATE ROLE "odd reader"; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        GRANT SELECT ON open_orders TO "odd reader" WITH GRANT OPTION; GRANT SELECT ON open_orders TO PUBLIC;
        REVOKE ALL ON FUNCTION touched() FROM PUBLIC; GRANT EXECUTE ON FUNCTION touched() TO "odd reader";
        COMMENT ON FUNCTION touched() IS 'it''s ours: 100%'; COMMENT ON VIEW open_orders IS 'open';
        COMMENT ON TRIGGER touch ON orders IS 'a trigger'; ALTER TABLE orders ENABLE ALWAYS TRIGGER touch;
        ALTER VIEW open_orders SET (security_barrier = true);"""
    )
    return routines(shop)


def test_owner_rights_comments_and_firing_of_what_was_replaced_come_back(postgres_shop: Shop) -> None:
    before = decorated(postgres_shop)
    postgres_shop.apply(*create_all())
    postgres_shop.run(to="zero")
    assert routines(postgres_shop) == before


def test_owner_rights_comments_and_firing_of_what_was_dropped_come_back(postgres_shop: Shop) -> None:
    shop, before = postgres_shop, decorated(postgres_shop)
    function, trigger, view = (next(each for each in before if each[0] == kind) for kind in "ftv")
    drops = [
        DropRoutine(
            routine="view", name="open_orders", vendor="postgresql",
            definition=f'CREATE VIEW "public"."open_orders" WITH (security_barrier=true) AS {view[2].strip().rstrip(";")}',
        ),
        DropRoutine(routine="trigger", name="touch", table="orders", vendor="postgresql", definition=trigger[2]),
        DropRoutine(
            routine="function", name="touched", vendor="postgresql",
            definition=function[2],
        ),
    ]  # fmt: skip
    shop.apply(*drops)
    assert routines(shop) == []
    shop.run(to="zero")
    assert routines(shop) == before


def test_one_form_of_an_overloaded_function_is_made_beside_the_others(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.execute("CREATE FUNCTION twice(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a * 2'")
    before = routines(shop)
    create = {"postgresql": "CREATE FUNCTION twice(a text) RETURNS text LANGUAGE sql AS 'SELECT a || a'"}

    shop.apply(CreateRoutine(routine="function", name="twice", create=create))
    assert shop.value("SELECT twice('a') || twice(2)") == "aa4"
    shop.run(to="zero")

    assert routines(shop) == before


def test_a_routine_that_was_changed_since_is_not_taken_away(shop: Shop) -> None:
    shop.apply(create_all()[1])
    shop.execute("DROP VIEW open_orders; CREATE VIEW open_orders AS SELECT id FROM orders")
    with pytest.raises(SchemaFixRefused, match="was changed since"):
        shop.run(to="zero")
    assert shop.table("open_orders").column_names == ("id",)


def test_a_trigger_that_is_another_one_by_now_is_not_dropped(shop: Shop) -> None:
    shop.execute(made(shop))
    operation = DropRoutine(
        routine="trigger",
        name="touch",
        table="orders",
        vendor=shop.target.vendor,
        definition="CREATE TRIGGER x",
    )
    before = routines(shop)
    with pytest.raises(SchemaFixRefused, match="is another one by now"):
        shop.apply(operation)
    assert routines(shop) == before


def test_a_statement_that_the_database_refuses_leaves_nothing(shop: Shop) -> None:
    before = routines(shop)
    create = {"": "CREATE VIEW broken AS SELEC id FROM orders"}
    with pytest.raises(SchemaFixRefused, match="SELEC"):
        shop.apply(CreateRoutine(routine="view", name="broken", create=create))
    assert routines(shop) == before


def test_a_definition_of_another_engine_is_left_alone(shop: Shop) -> None:
    other = "sqlite" if not shop.sqlite else "postgresql"
    create = {other: "this is not SQL"}
    before = routines(shop)
    shop.apply(
        CreateRoutine(routine="view", name="v", create=create),
        DropRoutine(routine="view", name="v", vendor=other, definition="nor this"),
    )
    shop.run(to="zero")
    assert routines(shop) == before


def test_the_sql_can_be_read_before(shop: Shop) -> None:
    shop.migration("0001_step", *create_all())
    sql = "\n".join(shop.run(with_sql=True).sql)
    assert "CREATE VIEW open_orders" in sql
    assert TRIGGER[shop.target.vendor] in sql


# -- written by integrity_makemigrations ---------------------------------------------------


BROKEN = {
    "sqlite": "CREATE TRIGGER broken AFTER INSERT ON orders BEGIN INSERT INTO gone VALUES (new.id); END;",
    "postgresql": "CREATE FUNCTION breaks() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN INSERT INTO gone VALUES (new.id, '100%'); RETURN new; END $$; "
    "CREATE TRIGGER broken AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION breaks();",
}
INSERT = "INSERT INTO orders (id, customer_id) VALUES (77, 1)"


def catalog(shop: Shop, text: str) -> None:
    folder = shop.root / shop.alias
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalog.toml").write_text(text)


def codes(shop: Shop) -> set[str]:
    found = audit(Target(shop.alias), load_catalog(shop.alias)).findings
    return {each.code for each in found if "routine" in each.code}


@pytest.mark.django_db
def test_a_trigger_that_nothing_can_repair_is_dropped_by_a_migration_and_comes_back(shop: Shop) -> None:
    catalog(shop, "")
    shop.execute(BROKEN[shop.target.vendor])
    before = routines(shop)
    assert codes(shop) == {"broken_routine"}
    with pytest.raises((psycopg.Error, Exception), match="gone"):
        shop.execute(INSERT)

    written = tasks.make_migrations(shop.alias)
    (file,) = [each for each in written.files if each.path.name == "0001_routines.py"]
    assert "INSERT INTO gone VALUES" in file.text or not shop.sqlite
    assert "It fails whenever it fires: table gone is gone" in file.text
    shop.run()
    shop.execute(INSERT)
    assert not any(each.startswith("trigger") for each in said(shop))
    shop.run(to="zero")

    assert routines(shop) == before
    assert tasks.make_migrations(shop.alias).files == []


def said(shop: Shop) -> list[str]:
    found = audit(Target(shop.alias), load_catalog(shop.alias)).with_code("broken_routine")
    return [
        each.evidence["routine"]
        for each in found
        if each.evidence["kind"] == "trigger" or each.evidence["triggers"]
    ]


@pytest.mark.django_db
def test_a_trigger_whose_missing_table_the_catalog_makes_stays(shop: Shop) -> None:
    catalog(shop, '[[required_table]]\ntable = "gone"\ncolumns = ["id"]\n')
    shop.execute(BROKEN[shop.target.vendor])
    written = tasks.make_migrations(shop.alias)
    assert not any("DropRoutine" in each.text for each in written.files)


@pytest.mark.django_db
def test_what_the_catalog_has_is_written_and_makes_the_findings_go(shop: Shop) -> None:
    entries = "".join(
        f"[[routine]]\nkind = {kind!r}\nname = {name!r}\n{on}rationale = 'because'\n[routine.create]\n"
        + "".join(f"{vendor} = '''{sql}'''\n" for vendor, sql in create.items())
        for kind, name, on, create in (
            ("trigger", "touch", "table = 'orders'\n", TRIGGER),
            ("function", "touched", "", FUNCTION),
            ("view", "open_orders", "", {"postgresql": VIEW[""], "sqlite": VIEW[""]}),
        )
    )
    catalog(shop, entries)
    before = routines(shop)
    assert codes(shop) == {"missing_routine"}

    tasks.make_migrations(shop.alias)
    shop.run()
    assert codes(shop) == set()
    assert tasks.make_migrations(shop.alias).files == []
    shop.run(to="zero")

    assert routines(shop) == before


@pytest.mark.django_db
def test_a_broken_function_that_the_catalog_has_is_replaced_not_dropped(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.execute(
        made(shop).replace("NEW.status", "NEW.gone").replace("CREATE VIEW", "CREATE OR REPLACE VIEW")
    )
    catalog(
        shop,
        "[[routine]]\nkind = 'function'\nname = 'touched'\n[routine.create]\n"
        f"postgresql = '''{FUNCTION['postgresql']}'''\n",
    )
    assert codes(shop) == {"broken_routine", "routine_differs"}

    tasks.make_migrations(shop.alias)
    shop.run()
    assert codes(shop) == set()


def test_the_way_back_is_there_for_every_definition(shop: Shop, tmp_path: Path) -> None:
    odd = 'CREATE VIEW "odd ""view" AS SELECT id AS "a %s b", \'100%\' AS "c" FROM orders'
    before = routines(shop)
    shop.apply(CreateRoutine(routine="view", name='"odd ""view"', create={"": odd}))
    assert shop.value('SELECT "c" FROM "odd ""view"') == "100%"
    shop.run(to="zero")
    assert routines(shop) == before
