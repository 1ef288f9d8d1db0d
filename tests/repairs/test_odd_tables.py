"""Databases that nobody here designed: odd names, odd keys, odd types; each comes back exactly."""

import pytest

from tests.repairs.world import World, tallies, there_and_back

pytestmark = pytest.mark.newest_postgres_only

ODD = """
CREATE TABLE "Order ""Details"" 100%" ("select" integer PRIMARY KEY, "from %s" integer, "c" text, "p" text);
CREATE TABLE "Group" ("seq" integer, "j" integer, "loc" integer, "m" text, PRIMARY KEY ("seq", "j"));
CREATE TABLE "oid rows" ("ID" integer, "Seq" integer, "J" integer, "a.b" text);
INSERT INTO "Order ""Details"" 100%" VALUES (1, 1, 'c', '%s'), (2, 99, '%', 'p'), (3, 98, '%(x)s', NULL);
INSERT INTO "Group" VALUES (1, 1, 1, 'x'), (1, 2, 2, '%'), (2, 2, 77, '"');
INSERT INTO "oid rows" VALUES (1, 1, 1, 'a'), (1, 1, 2, 'b'), (2, 9, 9, 'c'), (2, 9, 9, 'c'),
    (NULL, NULL, 3, 'd'), (5, 2, 2, 'e'), (5, 2, 2, 'e');
"""


@pytest.mark.parametrize("resolution", ["delete", "set_null"])
def test_names_with_quotes_percents_spaces_and_reserved_words(world: World, resolution: str) -> None:
    world.given(
        ODD,
        '"Order ""Details"" 100%"."from %s" -> "Group"."loc"',
        '"Group"."loc" -> "Order ""Details"" 100%"."select" CASCADE',
        '"oid rows"."Seq","J" -> "Group"."seq","j" CASCADE',
    )

    there_and_back(world, world.ask(resolution))


def test_rows_without_a_key_come_back_with_all_their_doubles(world: World) -> None:
    world.given(
        """
        CREATE TABLE p (id integer PRIMARY KEY);
        CREATE TABLE c (p integer, note text);
        INSERT INTO p VALUES (1);
        INSERT INTO c VALUES (1, 'a'), (9, 'a'), (9, 'a'), (9, 'a'), (NULL, 'a'), (NULL, 'a'),
            (8, 'b'), (8, NULL);
        """,
        "c.p -> p.id SET NULL",
    )

    assert tallies(there_and_back(world).rows) == {"c": (0, 5, 0)}
    assert tallies(there_and_back(world, world.ask("delete")).rows) == {"c": (5, 0, 0)}
    assert tallies(there_and_back(world, world.ask("reassign", to=("1",))).rows) == {"c": (0, 5, 0)}


def test_columns_named_like_hidden_ones(world: World) -> None:
    hidden = "rowid integer, oid integer" if world.sqlite else '"rowid" integer, "oid" integer'
    world.given(
        f"""
        CREATE TABLE p (id integer PRIMARY KEY);
        CREATE TABLE c ({hidden}, p integer);
        INSERT INTO p VALUES (1);
        INSERT INTO c VALUES (5, 5, 1), (5, 5, 9), (5, 5, 9), (6, NULL, 9);
        """,
        "c.p -> p.id CASCADE",
    )

    assert tallies(there_and_back(world).rows) == {"c": (3, 0, 0)}


def test_a_composite_reference_with_nulls(world: World) -> None:
    world.given(
        """
        CREATE TABLE p (a integer, b integer, PRIMARY KEY (b, a));
        CREATE TABLE c (id integer PRIMARY KEY, x integer, y integer, k integer NOT NULL);
        INSERT INTO p VALUES (1, 2), (2, 1);
        INSERT INTO c VALUES (1, 1, 2, 0), (2, 2, 2, 0), (3, 2, NULL, 0), (4, NULL, 9, 0), (5, 9, 9, 0);
        """,
        "c.x,y -> p.a,b SET NULL",
    )

    assert tallies(there_and_back(world).rows) == {"c": (0, 2, 0)}
    assert tallies(there_and_back(world, world.ask("reassign", to=("1", "2"))).rows) == {"c": (0, 2, 0)}


def test_a_reassignment_that_breaks_a_unique_is_seen_before(world: World) -> None:
    from integrity.exceptions import PlanRefused  # noqa: PLC0415

    world.given(
        """
        CREATE TABLE p (a integer, b integer, PRIMARY KEY (a, b));
        CREATE TABLE c (id integer PRIMARY KEY, x integer, y integer, n integer, UNIQUE (x, y, n));
        INSERT INTO p VALUES (1, 2), (1, 3);
        INSERT INTO c VALUES (1, 1, 3, 5), (2, 7, 7, 5), (3, 8, 8, NULL), (4, 9, 9, NULL);
        """,
        "c.x,y -> p.a,b",
    )
    there_and_back(world, world.ask("reassign", to=("1", "2")))

    with pytest.raises(PlanRefused, match="2 rows would be alike"):
        world.ask("reassign", to=("1", "3"))


def test_a_value_that_others_refer_to_is_not_changed(world: World) -> None:
    world.given(
        """
        CREATE TABLE tenant (id integer PRIMARY KEY);
        CREATE TABLE doc (tenant integer, n integer, PRIMARY KEY (tenant, n));
        CREATE TABLE page (id integer PRIMARY KEY, tenant integer, n integer);
        INSERT INTO tenant VALUES (1);
        INSERT INTO doc VALUES (1, 1), (9, 2), (9, 3);
        INSERT INTO page VALUES (1, 9, 2);
        """,
        "doc.tenant -> tenant.id",
        "page.tenant,n -> doc.tenant,n",
    )
    before = world.rows()

    result = world.repair(world.ask("reassign", "doc.tenant", to=("1",)))

    assert [
        (each.key, "refer to the value that would change" in each.reason) for each in result.refusals
    ] == [({"tenant": 9, "n": 2}, True)]
    assert world.value("SELECT count(*) FROM doc WHERE tenant = 1") == 2
    world.roll_back(result.run)
    assert world.rows() == before


def test_a_key_that_is_the_reference_itself(world: World) -> None:
    world.given(
        """
        CREATE TABLE u (id integer PRIMARY KEY);
        CREATE TABLE profile (u integer PRIMARY KEY, bio text);
        INSERT INTO u VALUES (1), (2);
        INSERT INTO profile VALUES (1, 'one'), (9, 'nine');
        """,
        "profile.u -> u.id",
    )

    there_and_back(world, world.ask("reassign", to=("2",)))
    there_and_back(world, world.ask("delete"))


def test_generated_columns_are_computed_again(world: World) -> None:
    virtual = world.sqlite or world.target.server.installation.major >= 18  # type: ignore[union-attr]
    world.given(
        f"""
        CREATE TABLE p (id integer PRIMARY KEY);
        CREATE TABLE c (id integer PRIMARY KEY, p integer, n integer,
            twice integer GENERATED ALWAYS AS (n * 2) STORED
            {", sign text GENERATED ALWAYS AS (n - 1) VIRTUAL" if world.sqlite else ""}
            {", less integer GENERATED ALWAYS AS (n - 1) VIRTUAL" if virtual and not world.sqlite else ""});
        INSERT INTO p VALUES (1);
        INSERT INTO c (id, p, n) VALUES (1, 1, 5), (2, 9, 6), (3, 9, NULL);
        """,
        "c.p -> p.id SET NULL",
    )

    there_and_back(world)
    there_and_back(world, world.ask("delete"))


def test_a_generated_reference_is_not_set_to_null(world: World) -> None:
    from integrity.exceptions import PlanRefused  # noqa: PLC0415

    world.given(
        """
        CREATE TABLE p (id integer PRIMARY KEY);
        CREATE TABLE c (id integer PRIMARY KEY, n integer, p integer GENERATED ALWAYS AS (n * 2) STORED);
        INSERT INTO p VALUES (2);
        INSERT INTO c (id, n) VALUES (1, 1), (2, 6);
        """,
        "c.p -> p.id",
    )

    with pytest.raises(PlanRefused, match="computed"):
        world.ask("set_null")
    with pytest.raises(PlanRefused, match="computed"):
        world.ask("reassign", to=("2",))
    there_and_back(world, world.ask("delete"))


def test_values_of_every_postgresql_type_come_back(postgres_world: World) -> None:
    world = postgres_world.given(
        """
        CREATE TYPE mood AS ENUM ('so "so"', 'fine, thanks', '');
        CREATE DOMAIN email AS varchar(40) CHECK (VALUE LIKE '%@%');
        CREATE TYPE pair AS (a integer, b text);
        CREATE TABLE p (id integer PRIMARY KEY);
        CREATE TABLE c (
            p integer, id bigint GENERATED ALWAYS AS IDENTITY, e mood, es mood[], d email, ds email[],
            a integer[][], j json, jb jsonb, pt point, b bytea, n numeric, iv interval, tz timestamptz,
            t timetz, r int4range, f float8, ch char(5), bits bit(4), net inet, tsv tsvector, u uuid, pr pair,
            prs pair[], m money, bx box);
        INSERT INTO p VALUES (1);
        """
        + "".join(
            f"""
        INSERT INTO c (p, e, es, d, ds, a, j, jb, pt, b, n, iv, tz, t, r, f, ch, bits, net, tsv, u, pr, prs,
            m, bx)
        VALUES ({p}, 'so "so"', '{{"so \\"so\\"",""}}', 'a@b', '{{a@b}}', '{{{{1,NULL}},{{3,4}}}}',
            '{{"b": 1,   "a": [1, 2]}}', '{{"b": 1.10}}', '(1,2.5)', '\\x00ff00', {n}, '24 hours',
            '2024-01-01 12:00:00.123456+05', '12:00+03', '[1,5)', {f}, 'ab', '0101', '10.0.0.1/8',
            'a:1 b:2', '00000000-0000-0000-0000-0000000000ab', '(1,"x,y")', ARRAY['(1,a)'::pair],
            12.5, '(1,1),(0,0)');"""
            for p, n, f in (
                (1, "1.0", "0.1"),
                (9, "1.00", "'-0'"),
                (9, "1.000", "'NaN'"),
                (8, "1.00", "1e300"),
            )
        ),
        "c.p -> p.id SET NULL",
    )

    there_and_back(world)
    there_and_back(world, world.ask("delete"))


def test_equal_is_not_the_same_when_somebody_changed_a_row_since(postgres_world: World) -> None:
    world = postgres_world.given(
        """
        CREATE TABLE p (id integer PRIMARY KEY);
        CREATE TABLE c (id integer PRIMARY KEY, p integer, name interval, n numeric);
        INSERT INTO c VALUES (1, 9, '24 hours', 1.0), (2, 9, '24 hours', 1.0), (3, 9, '24 hours', 1.0);
        """,
        "c.p -> p.id SET NULL",
    )
    result = world.repair()
    world.target.execute_script(
        "UPDATE c SET name = '1 day' WHERE id = 1; UPDATE c SET n = 1.00 WHERE id = 2"
    )

    back = world.roll_back(result.run)

    assert {tuple(each.key.values()) for each in back.refusals} == {(1,), (2,)}
    assert world.target.rows("SELECT id FROM c WHERE p = 9") == [(3,)]
    assert not back.proof.rows_equal


def test_several_schemas_with_tables_of_one_name(postgres_world: World) -> None:
    world = postgres_world.given(
        """
        CREATE SCHEMA "Sales 2%"; CREATE SCHEMA auth;
        CREATE TABLE auth.t (id integer PRIMARY KEY);
        CREATE TABLE "Sales 2%".t (id integer PRIMARY KEY, t integer);
        CREATE TABLE t (id integer PRIMARY KEY, t integer);
        INSERT INTO auth.t VALUES (1);
        INSERT INTO "Sales 2%".t VALUES (1, 1), (2, 9);
        INSERT INTO t VALUES (1, 1), (2, 2), (3, 8);
        """,
        '"Sales 2%".t.t -> auth.t.id CASCADE',
        'public.t.t -> "Sales 2%".t.id CASCADE',
    )

    result = there_and_back(world)

    assert {str(name): each.deleted for name, each in result.rows.items()} == {"Sales 2%.t": 1, "public.t": 2}


def test_partitions_whose_rows_stand_in_the_same_places(postgres_world: World) -> None:
    world = postgres_world.given(
        """
        CREATE TABLE p (id integer PRIMARY KEY);
        CREATE TABLE c (p integer, k integer, d integer) PARTITION BY LIST (k);
        CREATE TABLE c1 PARTITION OF c FOR VALUES IN (1);
        CREATE TABLE c2 PARTITION OF c FOR VALUES IN (2) PARTITION BY RANGE (d);
        CREATE TABLE c2a PARTITION OF c2 FOR VALUES FROM (0) TO (10);
        CREATE TABLE c2b PARTITION OF c2 DEFAULT;
        CREATE TABLE l (id integer PRIMARY KEY, c integer);
        INSERT INTO p VALUES (1);
        INSERT INTO c VALUES (1, 1, 1), (9, 1, 1), (1, 2, 1), (9, 2, 1), (9, 2, 20), (1, 2, 20),
            (8, 2, 20), (9, 1, 1);
        """,
        "c.p -> p.id SET NULL",
    )

    assert tallies(there_and_back(world).rows) == {"c": (0, 5, 0)}
    assert tallies(there_and_back(world, world.ask("delete")).rows) == {"c": (5, 0, 0)}


def test_inheritance_children_have_rows_of_their_own(postgres_world: World) -> None:
    world = postgres_world.given(
        """
        CREATE TABLE p (id integer PRIMARY KEY);
        CREATE TABLE p2 () INHERITS (p);
        CREATE TABLE c (id integer, p integer);
        CREATE TABLE c2 (more text) INHERITS (c);
        INSERT INTO p VALUES (1); INSERT INTO p2 VALUES (2);
        INSERT INTO c VALUES (1, 1), (2, 2), (3, 9);
        INSERT INTO c2 VALUES (4, 9, 'not bound');
        """,
        "c.p -> p.id CASCADE",
    )

    assert tallies(there_and_back(world).rows) == {"c": (1, 0, 0)}


def test_values_of_every_sqlite_storage_class_come_back(sqlite_world: World) -> None:
    world = sqlite_world.given(
        """
        CREATE TABLE p (id INTEGER PRIMARY KEY);
        CREATE TABLE c (p, a TEXT COLLATE NOCASE, b BLOB, n NUMERIC, r REAL, i INTEGER);
        INSERT INTO p VALUES (1);
        INSERT INTO c VALUES (1, 'a', x'00', 1, 1.0, 1), (9, CAST(x'ff00fe' AS TEXT), x'0061', '1.50', 1e999,
            'text'),
            (9.5, 'A' || char(0) || 'b', zeroblob(10), 9223372036854775807, -0.0, x'01'),
            ('9', '', NULL, NULL, NULL, NULL),
            ('x', 'é', 'text', 0.1, 0.1, 0.1), (x'39', NULL, NULL, NULL, 1, 1);
        """,
        "c.p -> p.id",
    )

    there_and_back(world, world.ask("set_null"))
    there_and_back(world, world.ask("delete"))


@pytest.mark.parametrize("key", ["a TEXT, b TEXT, PRIMARY KEY (a, b)", "a REAL, b BLOB, PRIMARY KEY (b, a)"])
@pytest.mark.parametrize("options", ["", "WITHOUT ROWID", "STRICT", "STRICT, WITHOUT ROWID"])
def test_sqlite_tables_of_every_kind(sqlite_world: World, key: str, options: str) -> None:
    text = "TEXT" in key
    one, two, three = ("'it''s'", "'%,'", "'é'") if text else ("0.1", "1e300", "3.0000000000000004")
    four, five, six = ("''", "'x'", "'y'") if text else ("x'00'", "x'27'", "x'ff'")
    world = sqlite_world.given(
        f"""
        CREATE TABLE p (id INTEGER PRIMARY KEY);
        CREATE TABLE c ({key.replace(", PRIMARY", ", p INTEGER, PRIMARY")}) {options};
        INSERT INTO p VALUES (1);
        INSERT INTO c VALUES ({one}, {four}, 9), ({two}, {five}, 9), ({three}, {six}, 9), ({one}, {six}, 1);
        """,
        "c.p -> p.id",
    )

    there_and_back(world, world.ask("set_null"))
    there_and_back(world, world.ask("delete"))
    there_and_back(world, world.ask("reassign", to=("1",)))


def test_sqlite_keys_that_hold_nulls(sqlite_world: World) -> None:
    world = sqlite_world.given(
        """
        CREATE TABLE p (id INTEGER PRIMARY KEY);
        CREATE TABLE c (k TEXT PRIMARY KEY, p INTEGER);
        INSERT INTO c VALUES (NULL, 9), (NULL, 9), ('a', 9);
        """,
        "c.p -> p.id",
    )

    there_and_back(world, world.ask("set_null"))
    there_and_back(world, world.ask("delete"))


def test_rowids_that_another_row_took_meanwhile_are_not_fought_over(sqlite_world: World) -> None:
    world = sqlite_world.given(
        """
        CREATE TABLE p (id INTEGER PRIMARY KEY);
        CREATE TABLE c (k TEXT PRIMARY KEY, p INTEGER);
        INSERT INTO c VALUES ('a', 9), ('b', 9);
        """,
        "c.p -> p.id",
    )
    result = world.repair(world.ask("delete"))
    world.target.execute_script("INSERT INTO c VALUES ('new', NULL)")

    back = world.roll_back(result.run)

    assert back.refusals == []
    assert sorted(world.target.rows("SELECT k, p FROM c")) == [("a", 9), ("b", 9), ("new", None)]
    assert not all(table.table_equal for table in back.proof.tables.values())
