"""Every conversion, of plain columns and of keys: there, and back letter by letter."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrity.operations import AlterDefault, ConvertColumn, ConvertKey
from integrity.operations.operation import CatalogOperation
from tests.operations.conftest import Shop
from tests.operations.test_convert_key import digests

pytestmark = pytest.mark.newest_postgres_only

ONE, TWO = "6b47cbac-9009-42e3-9a37-b1106bf0cba0", "00000000-0000-4000-8000-0000000000ab"
BLOB = f"x'{ONE.replace('-', '')}'"


@dataclass(frozen=True)
class Case:
    """A database, what is done to it, and what is found afterwards."""

    sql: str
    operation: CatalogOperation
    query: str
    found: list[tuple[Any, ...]]


PORTABLE = {
    "whole numbers to text": Case(
        "CREATE TABLE a (id integer PRIMARY KEY, n bigint, keep integer);"
        "CREATE INDEX a_n ON a (n DESC);"
        "INSERT INTO a VALUES (1, -7, 7), (2, 0, 8), (3, NULL, 9), (4, 9223372036854775807, 1),"
        " (5, -9223372036854775808, 2)",
        ConvertColumn(table="a", column="n", from_type="bigint", to_type="text"),
        "SELECT n, keep FROM a ORDER BY id",
        [("-7", 7), ("0", 8), (None, 9), ("9223372036854775807", 1), ("-9223372036854775808", 2)],
    ),
    "text to whole numbers": Case(
        "CREATE TABLE a (id integer PRIMARY KEY, n text);"
        "INSERT INTO a VALUES (1, '007'), (2, ' 7'), (3, NULL), (4, '-0'), (5, '9223372036854775807'),"
        " (6, '+12'), (7, '000000000000000000000000000000000000000000000001'), (8, '12')",
        ConvertColumn(table="a", column="n", from_type="text", to_type="bigint"),
        "SELECT n FROM a ORDER BY id",
        [(7,), (7,), (None,), (0,), (9223372036854775807,), (12,), (1,), (12,)],
    ),
    "a key of text to whole numbers": Case(
        "CREATE TABLE p (id text PRIMARY KEY, note text);"
        "CREATE TABLE c (id integer PRIMARY KEY, p_id text NOT NULL REFERENCES p (id), n text,"
        " UNIQUE (p_id, n));"
        "INSERT INTO p VALUES ('007', 'bond'), ('12', NULL), ('-3', 'x');"
        "INSERT INTO c VALUES (1, '007', 'a'), (2, '007', 'b'), (3, '-3', 'a')",
        ConvertKey(table="p", column="id", from_type="text", to_type="integer", referring=(("c", "p_id"),)),
        "SELECT c.id, p.id, p.note FROM c JOIN p ON p.id = c.p_id ORDER BY c.id",
        [(1, 7, "bond"), (2, 7, "bond"), (3, -3, "x")],
    ),
    "a part of keys of several columns": Case(
        'CREATE TABLE "p %s" ("a ""b" integer, n integer, PRIMARY KEY ("a ""b", n));'
        "CREATE TABLE c (a integer, n integer, code text PRIMARY KEY,"
        ' CONSTRAINT "fk %d" FOREIGN KEY (a, n) REFERENCES "p %s" ("a ""b", n) ON UPDATE CASCADE);'
        'INSERT INTO "p %s" VALUES (1, 1), (1, 2), (2, 1);'
        "INSERT INTO c VALUES (1, 2, 'x'), (2, 1, 'y'), (NULL, 5, 'z')",
        ConvertKey(
            table='"p %s"', column='a "b', from_type="integer", to_type="text", referring=(("c", "a"),)
        ),
        "SELECT a, n FROM c ORDER BY code",
        [("1", 2), ("2", 1), (None, 5)],
    ),
    "a table that refers to itself": Case(
        "CREATE TABLE t (id integer PRIMARY KEY, up integer REFERENCES t (id) ON DELETE SET NULL);"
        "INSERT INTO t VALUES (1, NULL); INSERT INTO t VALUES (2, 1); INSERT INTO t VALUES (3, 3)",
        ConvertKey(table="t", column="id", from_type="integer", to_type="text", referring=(("t", "up"),)),
        "SELECT id, up FROM t ORDER BY id",
        [("1", None), ("2", "1"), ("3", "3")],
    ),
    "empty tables": Case(
        "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE c (p_id integer REFERENCES p (id))",
        ConvertKey(table="p", column="id", from_type="integer", to_type="text", referring=(("c", "p_id"),)),
        "SELECT count(*) FROM c",
        [(0,)],
    ),
    "a column of a table without a key": Case(
        "CREATE TABLE a (n integer, m integer); INSERT INTO a VALUES (1, 1), (1, 1), (NULL, 2)",
        ConvertColumn(table="a", column="n", from_type="integer", to_type="text"),
        "SELECT n FROM a ORDER BY m, n",
        [("1",), ("1",), (None,)],
    ),
    "a unique that others refer to": Case(
        "CREATE TABLE p (id integer PRIMARY KEY, code integer UNIQUE);"
        "CREATE TABLE c (id integer PRIMARY KEY, code integer REFERENCES p (code));"
        "INSERT INTO p VALUES (1, 100), (2, NULL); INSERT INTO c VALUES (1, 100), (2, NULL)",
        ConvertKey(table="p", column="code", from_type="integer", to_type="text", referring=(("c", "code"),)),
        "SELECT code FROM c ORDER BY id",
        [("100",), (None,)],
    ),
}

POSTGRESQL = {
    "UUIDs to text": Case(
        f"CREATE TABLE p (id uuid PRIMARY KEY DEFAULT gen_random_uuid());"
        f"CREATE TABLE c (id integer PRIMARY KEY, p_id uuid, t_id text,"
        f" CONSTRAINT fk FOREIGN KEY (p_id) REFERENCES p (id) NOT VALID);"
        f"COMMENT ON CONSTRAINT fk ON c IS 'why'; COMMENT ON COLUMN c.p_id IS 'whose';"
        f"ALTER TABLE c ALTER p_id SET STATISTICS 77;"
        f"INSERT INTO p VALUES ('{ONE}'), ('{TWO}'); INSERT INTO c VALUES (1, '{ONE}', 'x'), (2, NULL, NULL);"
        f"CREATE VIEW v AS SELECT p.id FROM p JOIN c ON c.t_id = p.id::text;"
        f"CREATE VIEW w AS SELECT v.id FROM v JOIN c ON c.p_id = v.id; COMMENT ON VIEW w IS 'wide'",
        ConvertKey(
            table="p",
            column="id",
            from_type="uuid",
            to_type="text",
            referring=(("c", "p_id"),),
            default="gen_random_uuid()::text",
        ),
        "SELECT c.p_id FROM c ORDER BY id",
        [(ONE,), (None,)],
    ),
    "text to UUIDs": Case(
        f"CREATE TABLE p (id varchar(60) PRIMARY KEY);"
        f"CREATE TABLE c (id integer PRIMARY KEY, p_id text REFERENCES p (id) DEFERRABLE);"
        f"INSERT INTO p VALUES ('{{{ONE.upper()}}}'), ('{TWO}');"
        f"INSERT INTO c VALUES (1, '{{{ONE.upper()}}}'), (2, NULL), (3, '{TWO}')",
        ConvertKey(
            table="p", column="id", from_type="varchar(60)", to_type="uuid", referring=(("c", "p_id"),)
        ),
        "SELECT p_id::text FROM c ORDER BY id",
        [(ONE,), (None,), (TWO,)],
    ),
    "a SERIAL": Case(
        "CREATE TABLE p (id serial PRIMARY KEY, n integer DEFAULT 3);"
        "CREATE TABLE c (p_id integer DEFAULT 1 REFERENCES p (id) ON DELETE SET DEFAULT);"
        "INSERT INTO p DEFAULT VALUES; INSERT INTO p DEFAULT VALUES; INSERT INTO c VALUES (2)",
        ConvertKey(table="p", column="id", from_type="serial", to_type="text", referring=(("c", "p_id"),)),
        "SELECT p_id FROM c",
        [("2",)],
    ),
    "an identity that is ALWAYS": Case(
        "CREATE SCHEMA s; CREATE TABLE s.p (id bigint GENERATED ALWAYS AS IDENTITY"
        " (MINVALUE -5 START WITH -1 INCREMENT BY -1 MAXVALUE 9 CYCLE) PRIMARY KEY, n integer);"
        "INSERT INTO s.p (n) VALUES (1), (2)",
        ConvertKey(table="s.p", column="id", from_type="bigint", to_type="character varying(20)"),
        "SELECT id FROM s.p ORDER BY n",
        [("-1",), ("-2",)],
    ),
    "a partitioned table": Case(
        "CREATE TABLE k (id integer PRIMARY KEY);"
        "CREATE TABLE p (id integer, k_id integer REFERENCES k (id), PRIMARY KEY (id)) PARTITION BY RANGE (id);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);"
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);"
        "INSERT INTO k VALUES (1), (2); INSERT INTO p VALUES (1, 1), (11, 2), (12, NULL)",
        ConvertKey(table="k", column="id", from_type="integer", to_type="text", referring=(("p", "k_id"),)),
        "SELECT k_id FROM p ORDER BY id",
        [("1",), ("2",), (None,)],
    ),
    "what hangs on the column": Case(
        "CREATE TABLE a (id integer PRIMARY KEY, n integer CHECK (n IS NOT NULL), m integer);"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.m := -1; RETURN NEW; END';"
        "CREATE TRIGGER t BEFORE UPDATE OF n ON a FOR EACH ROW EXECUTE FUNCTION f();"
        "ALTER TABLE a DISABLE TRIGGER t; CREATE TRIGGER u BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f();"
        "CREATE MATERIALIZED VIEW v AS SELECT n, count(*) FROM a GROUP BY n; CREATE UNIQUE INDEX vi ON v (n);"
        "CREATE RULE r AS ON UPDATE TO a WHERE NEW.n IS NULL DO INSTEAD NOTHING;"
        "CREATE STATISTICS st ON n, m FROM a; CREATE INDEX part ON a (n) WHERE n IS NOT NULL;"
        "INSERT INTO a VALUES (1, 10, 1), (2, 20, 2)",
        ConvertColumn(table="a", column="n", from_type="integer", to_type="text"),
        "SELECT n, m FROM a ORDER BY id",
        [("10", 1), ("20", 2)],
    ),
}

SQLITE = {
    "UUIDs as bytes and text": Case(
        f"CREATE TABLE p (id UUID PRIMARY KEY, n INTEGER);"
        f"CREATE TABLE c (id INTEGER PRIMARY KEY, p_id UUID REFERENCES p);"
        f"INSERT INTO p VALUES ({BLOB}, 1), ('{TWO.upper()}', 2);"
        f"INSERT INTO c VALUES (1, {BLOB}), (2, '{TWO.upper()}'), (3, NULL)",
        ConvertKey(table="p", column="id", from_type="UUID", to_type="TEXT", referring=(("c", "p_id"),)),
        "SELECT p_id FROM c ORDER BY id",
        [(ONE,), (TWO,), (None,)],
    ),
    "text to UUIDs": Case(
        f"CREATE TABLE p (id TEXT COLLATE NOCASE PRIMARY KEY) WITHOUT ROWID;"
        f"CREATE TABLE c (p_id TEXT REFERENCES p);"
        f"INSERT INTO p VALUES ('{ONE.upper()}'), ('{TWO}');"
        f"INSERT INTO c VALUES ('{ONE.upper()}'), (NULL), ('{TWO}')",
        ConvertKey(table="p", column="id", from_type="TEXT", to_type="UUID", referring=(("c", "p_id"),)),
        "SELECT p_id FROM c ORDER BY rowid",
        [(ONE,), (None,), (TWO,)],
    ),
    "rowids of a key that becomes one": Case(
        "CREATE TABLE p (n text DEFAULT 'x', id text CONSTRAINT pk PRIMARY KEY /* why */);"
        "INSERT INTO p (rowid, id) VALUES (70, '5'), (3, '6'), (99, '007');"
        "CREATE TRIGGER t AFTER UPDATE ON p BEGIN UPDATE p SET n = 'touched'; END;"
        "CREATE VIEW v AS SELECT id FROM p",
        ConvertKey(table="p", column="id", from_type="text", to_type="INTEGER"),
        "SELECT rowid, id, n FROM p ORDER BY 1",
        [(5, 5, "x"), (6, 6, "x"), (7, 7, "x")],
    ),
    "STRICT": Case(
        'CREATE TABLE p (id INTEGER PRIMARY KEY AUTOINCREMENT, "default" ANY) STRICT;'
        "CREATE TABLE c (p_id INT NOT NULL, FOREIGN KEY (p_id) REFERENCES p (id)) STRICT;"
        "INSERT INTO p VALUES (1, x'00'), (9, 1.5); INSERT INTO c VALUES (9); DELETE FROM p WHERE id = 1;"
        "INSERT INTO p (id) VALUES (40); DELETE FROM p WHERE id = 40",
        ConvertKey(table="p", column="id", from_type="INTEGER", to_type="TEXT", referring=(("c", "p_id"),)),
        "SELECT id, p_id FROM p, c",
        [("9", "9")],
    ),
    "text that stands among numbers": Case(
        "CREATE TABLE p (id INT PRIMARY KEY, n); CREATE TABLE c (p_id INTEGER REFERENCES p (id));"
        "INSERT INTO p VALUES (1, 1), ('abc', 2), (NULL, 3), (NULL, 4); INSERT INTO c VALUES ('abc'), (1)",
        ConvertKey(table="p", column="id", from_type="INTEGER", to_type="TEXT", referring=(("c", "p_id"),)),
        "SELECT id FROM p ORDER BY n",
        [("1",), ("abc",), (None,), (None,)],
    ),
    "defaults, checks of others and generated columns": Case(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER DEFAULT (1 + 1) NOT NULL CHECK (m > 0), m INTEGER,"
        " g INTEGER AS (m * 2) STORED); INSERT INTO a (n, m) VALUES (5, 1)",
        ConvertColumn(table="a", column="n", from_type="INTEGER", to_type="TEXT", default="('x' || 'y')"),
        "SELECT n, g FROM a",
        [("5", 2)],
    ),
}


def there_and_back(shop: Shop, case: Case) -> None:
    shop.execute(case.sql)
    before, rows = shop.schema().structure(), digests(shop)

    shop.apply(case.operation)
    assert shop.target.rows(case.query) == case.found
    shop.run(to="zero")

    assert shop.schema().structure() == before
    assert digests(shop) == rows
    journal = [name for name in tables(shop) if "spelled" in name or "rowids" in name]
    assert journal == []

    shop.run()
    assert shop.target.rows(case.query) == case.found


def tables(shop: Shop) -> list[str]:
    sql = "SELECT name FROM sqlite_master" if shop.sqlite else "SELECT relname::text FROM pg_class"
    return [name for (name,) in shop.target.rows(sql)]


@pytest.mark.parametrize("name", PORTABLE)
def test_on_every_engine(empty_shop: Shop, name: str) -> None:
    there_and_back(empty_shop, PORTABLE[name])


@pytest.mark.engine("postgresql")
@pytest.mark.parametrize("name", POSTGRESQL)
def test_on_postgresql(empty_shop: Shop, name: str) -> None:
    there_and_back(empty_shop, POSTGRESQL[name])


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize("name", SQLITE)
def test_on_sqlite(empty_shop: Shop, name: str) -> None:
    there_and_back(empty_shop, SQLITE[name])


DEFAULT = AlterDefault(
    table="a",
    column="id",
    default={"postgresql": "gen_random_uuid()::text", "sqlite": "(lower(hex(randomblob(16))))"},
)


@pytest.mark.parametrize("had", ["", "DEFAULT 'none'", "DEFAULT (1 || '%') NOT NULL"])
def test_a_default_is_given_and_taken_back_with_the_rows_as_they_are(empty_shop: Shop, had: str) -> None:
    empty_shop.execute(
        f"CREATE TABLE a (id text {had} PRIMARY KEY, n integer); INSERT INTO a VALUES ('x', 1)"
    )
    before, rows = empty_shop.schema().structure(), digests(empty_shop)

    empty_shop.apply(DEFAULT)
    empty_shop.execute("INSERT INTO a (n) VALUES (2)")
    assert len(empty_shop.value("SELECT id FROM a WHERE n = 2")) in (32, 36)
    assert empty_shop.target.rows("SELECT n FROM a WHERE id = 'x'") == [(1,)]
    empty_shop.execute("DELETE FROM a WHERE n = 2")
    empty_shop.run(to="zero")

    assert (empty_shop.schema().structure(), digests(empty_shop)) == (before, rows)


def test_a_default_that_stands_already_is_adopted_and_stays(empty_shop: Shop) -> None:
    default = DEFAULT.wanted(empty_shop.target.vendor)[2]
    empty_shop.execute(f"CREATE TABLE a (id text DEFAULT {default} PRIMARY KEY)")
    before = empty_shop.schema().structure()
    empty_shop.apply(DEFAULT)
    empty_shop.run(to="zero")
    assert empty_shop.schema().structure() == before


SPELLED = st.one_of(
    st.builds(lambda zeros, n: f"{'0' * zeros}{n}", st.integers(0, 3), st.integers(0, 2**31 - 1)),
    st.builds(
        lambda n, space: f"{space}{n}", st.integers(-(2**31), 2**31 - 1), st.sampled_from(["", " ", "\t"])
    ),
)


@pytest.mark.newest_postgres_only
@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
@given(
    keys=st.lists(SPELLED, unique_by=int, min_size=1, max_size=12),
    referring=st.lists(st.one_of(st.none(), st.integers(0, 11)), max_size=20),
)
def test_any_spelling_of_a_key_comes_back_on_both_sides(
    empty_shop: Shop, keys: list[str], referring: list[int | None]
) -> None:
    for file in empty_shop.root.glob("target/migrations/0*.py"):
        file.unlink()
    chosen = [None if each is None else keys[each % len(keys)] for each in referring]
    parents = ", ".join(f"('{each}', {number})" for number, each in enumerate(keys))
    children = "".join(
        f"INSERT INTO c VALUES ({number}, {'NULL' if each is None else repr(each)});".replace("\\t", "\t")
        for number, each in enumerate(chosen)
    )
    case = Case(
        "DROP TABLE IF EXISTS c; DROP TABLE IF EXISTS p; CREATE TABLE p (id text PRIMARY KEY, n integer);"
        "CREATE TABLE c (n integer, id text REFERENCES p (id), PRIMARY KEY (n));"
        f"INSERT INTO p VALUES {parents}; {children}",
        ConvertKey(table="p", column="id", from_type="text", to_type="integer", referring=(("c", "id"),)),
        "SELECT id FROM c ORDER BY n",
        [(None if each is None else int(each),) for each in chosen],
    )
    there_and_back(empty_shop, case)
    empty_shop.run(to="zero")
