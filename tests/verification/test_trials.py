"""A foreign key is tried with a row that it must refuse, whatever else the table demands."""

import pytest

from integrity.database.session import Target
from integrity.references.catalog import Catalog
from integrity.verification import ConstraintState, verify
from integrity.verification.result import TRIAL
from integrity_project.postgres import PostgresServer
from tests.servers import SQLITE, EmptyTarget, MakePostgresDatabase, RegisterTarget

pytestmark = pytest.mark.newest_postgres_only

EITHER = {
    "reserved and mixed-case names": """
        CREATE TABLE "user" ("select" integer PRIMARY KEY);
        CREATE TABLE "Order" ("Id" integer PRIMARY KEY, "from" integer
            CONSTRAINT "Fk" REFERENCES "user" ("select"));
        INSERT INTO "user" VALUES (1); INSERT INTO "Order" VALUES (1, 1);
        """,
    "spaces, quotes and percent signs": """
        CREATE TABLE "100% ""so"" sure" ("the %s key" integer PRIMARY KEY);
        CREATE TABLE "odd one" (id integer PRIMARY KEY, "50%(x)s" integer
            CONSTRAINT "it's %d" REFERENCES "100% ""so"" sure" ("the %s key"));
        INSERT INTO "100% ""so"" sure" VALUES (1); INSERT INTO "odd one" VALUES (1, 1);
        """,
    "empty tables": """
        CREATE TABLE p (id integer PRIMARY KEY);
        CREATE TABLE c (
            id integer PRIMARY KEY, p integer NOT NULL REFERENCES p (id), note varchar(10) NOT NULL);
        """,
    "no primary key": """
        CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE c (p integer REFERENCES p (id));
        INSERT INTO p VALUES (1); INSERT INTO c VALUES (1), (1);
        """,
    "a self-reference": """
        CREATE TABLE people (id integer PRIMARY KEY, boss integer REFERENCES people (id));
        INSERT INTO people VALUES (1, NULL), (2, 1);
        """,
    "checks that a copied row fulfils": """
        CREATE TABLE p (id integer PRIMARY KEY);
        CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p (id) CHECK (p > 0),
            kind varchar(5) NOT NULL CHECK (kind IN ('a', 'b')),
            mail varchar(60) UNIQUE CHECK (mail LIKE '%@x.example'));
        INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1, 'a', 'me@x.example');
        """,
    "one to one": """
        CREATE TABLE p (id integer PRIMARY KEY);
        CREATE TABLE c (p integer NOT NULL UNIQUE REFERENCES p (id));
        CREATE TABLE d (p integer PRIMARY KEY REFERENCES p (id));
        INSERT INTO p VALUES (1); INSERT INTO c VALUES (1); INSERT INTO d VALUES (1);
        """,
    "other keys that existing rows break": """
        CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE q (id integer PRIMARY KEY);
        CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p (id), q integer REFERENCES q (id));
        INSERT INTO p VALUES (1);
        """,
    "a generated column": """
        CREATE TABLE p (id integer PRIMARY KEY);
        CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p (id),
            twice integer GENERATED ALWAYS AS (id * 2) STORED UNIQUE);
        INSERT INTO p VALUES (1); INSERT INTO c (id, p) VALUES (1, 1);
        """,
    "text keys": """
        CREATE TABLE p (code varchar(8) PRIMARY KEY);
        CREATE TABLE c (id varchar(8) PRIMARY KEY, p varchar(8) REFERENCES p (code));
        INSERT INTO p VALUES ('a'); INSERT INTO c VALUES ('x', 'a');
        """,
}
SHARED = """
        CREATE TABLE tenants (id integer PRIMARY KEY);
        CREATE TABLE orders (tenant_id integer NOT NULL REFERENCES tenants (id), id integer NOT NULL,
            PRIMARY KEY (tenant_id, id));
        CREATE TABLE lines (tenant_id integer NOT NULL REFERENCES tenants (id), order_id integer NOT NULL,
            line integer NOT NULL, PRIMARY KEY (tenant_id, order_id, line),
            FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id));
        INSERT INTO tenants VALUES (1); INSERT INTO orders VALUES (1, 1); INSERT INTO lines VALUES (1, 1, 1);
        """
POSTGRESQL = {
    "identity ALWAYS, enum, domain, array, uuid, json": """
        CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN mail AS text CHECK (VALUE LIKE '%@%');
        CREATE TABLE p (id uuid PRIMARY KEY);
        CREATE TABLE c (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, p uuid NOT NULL REFERENCES p (id),
            mood mood NOT NULL, mail mail UNIQUE, tags text[] NOT NULL DEFAULT '{}', doc jsonb NOT NULL,
            at timestamptz NOT NULL, price numeric(6, 2) NOT NULL, raw bytea UNIQUE);
        INSERT INTO p VALUES ('00000000-0000-4000-8000-000000000001');
        INSERT INTO c (p, mood, mail, doc, at, price, raw)
            VALUES ('00000000-0000-4000-8000-000000000001', 'sad', 'a@b', '{}', now(), 1, 'x');
        """,
    "an enum as key": """
        CREATE TYPE mood AS ENUM ('sad', 'glad', 'mad'); CREATE TABLE p (mood mood PRIMARY KEY);
        CREATE TABLE c (id int PRIMARY KEY, p mood REFERENCES p (mood));
        INSERT INTO p VALUES ('sad'); INSERT INTO c VALUES (1, 'sad');
        """,
    "deferred": """
        CREATE TABLE p (id int PRIMARY KEY);
        CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1);
        """,
    "several schemas": """
        CREATE SCHEMA auth; CREATE TABLE auth.users (id int PRIMARY KEY);
        CREATE TABLE users (id int PRIMARY KEY, auth int REFERENCES auth.users (id));
        INSERT INTO auth.users VALUES (1); INSERT INTO users VALUES (1, 1);
        """,
    "MATCH FULL": """
        CREATE TABLE p (a int, b int, PRIMARY KEY (a, b));
        CREATE TABLE c (a int, b int, FOREIGN KEY (a, b) REFERENCES p MATCH FULL);
        INSERT INTO p VALUES (1, 1); INSERT INTO c VALUES (NULL, NULL), (1, 1);
        """,
    "a composite key whose first row refers to nothing": """
        CREATE TABLE p (a int, b int, PRIMARY KEY (a, b));
        CREATE TABLE c (a int, b int, FOREIGN KEY (a, b) REFERENCES p);
        INSERT INTO p VALUES (1, 1); INSERT INTO c VALUES (NULL, 5), (7, NULL), (1, 1);
        """,
    "partitions on both sides": """
        CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
        CREATE TABLE c (id int, p int REFERENCES p (id)) PARTITION BY HASH (id);
        CREATE TABLE c0 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE c1 PARTITION OF c FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1), (2, 1);
        """,
}
FALLBACK = {
    "a smallint whose parents hold every value tried": (
        """CREATE TABLE p (id smallint PRIMARY KEY); INSERT INTO p SELECT generate_series(-32768, 32767);
           CREATE TABLE c (p smallint REFERENCES p (id)); INSERT INTO c VALUES (1);""",
        "every value tried for p is in use",
    ),
    "a type that nobody taught": (
        """CREATE TABLE q (r int4range PRIMARY KEY);
           CREATE TABLE c (r int4range REFERENCES q (r));""",
        "no value of type int4range can be made",
    ),
    "a generated referencing column": (
        """CREATE TABLE p (id int PRIMARY KEY);
           CREATE TABLE c (n int, p int GENERATED ALWAYS AS (n + 1) STORED REFERENCES p (id));""",
        "its columns are generated",
    ),
    "a rule that swallows rows": (
        """CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p (id));
           CREATE RULE no AS ON INSERT TO c DO INSTEAD NOTHING;""",
        "the row was not inserted",
    ),
}  # fmt: skip


def constraints(alias: str) -> list[ConstraintState]:
    result = verify(Target(alias), Catalog())
    assert result.ok, result.problems
    return result.constraints


@pytest.mark.parametrize("sql", EITHER.values(), ids=EITHER)
def test_a_key_binds_by_trial_on_every_engine(empty_target: EmptyTarget, sql: str) -> None:
    empty_target.execute_script(sql)
    found = constraints("target")

    assert found
    assert [(each.enforced, each.by, each.reason) for each in found] == [(True, TRIAL, "")] * len(found)


@pytest.fixture
def postgresql(
    postgres_server: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
) -> EmptyTarget:
    url = make_postgres_database(postgres_server)
    return EmptyTarget(register_target("target", url), "postgresql", url, postgres_server)


@pytest.mark.parametrize("sql", POSTGRESQL.values(), ids=POSTGRESQL)
def test_a_key_of_postgresql_binds_by_trial(postgresql: EmptyTarget, sql: str) -> None:
    postgresql.execute_script(sql)

    assert [(each.enforced, each.by, each.reason) for each in constraints("target")] == [(True, TRIAL, "")]


@pytest.mark.parametrize(("sql", "reason"), FALLBACK.values(), ids=FALLBACK)
def test_the_system_catalog_is_asked_where_no_row_can_be_tried(
    postgresql: EmptyTarget, sql: str, reason: str
) -> None:
    postgresql.execute_script(sql)
    (constraint,) = constraints("target")

    assert (constraint.enforced, constraint.by) == (True, "system catalog")
    assert reason in constraint.reason


@pytest.mark.parametrize(
    "switch",
    ["ALTER TABLE c DISABLE TRIGGER ALL", "ALTER TABLE p DISABLE TRIGGER ALL"],
    ids=["of the referencing table", "of the referenced table"],
)
def test_disabled_triggers_are_a_problem(postgresql: EmptyTarget, switch: str) -> None:
    postgresql.execute_script(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int CONSTRAINT fk REFERENCES p (id));"
        "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1);" + switch
    )
    result = verify(Target("target"), Catalog())

    assert [problem.code for problem in result.problems] == ["constraint_not_enforced"]
    assert result.problems[0].object == "fk"
    assert (result.constraints[0].enforced, result.constraints[0].by) == (False, TRIAL)


def test_a_disabled_trigger_of_one_partition_is_a_problem(postgresql: EmptyTarget) -> None:
    postgresql.execute_script(POSTGRESQL["partitions on both sides"] + "ALTER TABLE c1 DISABLE TRIGGER ALL")
    result = verify(Target("target"), Catalog())

    assert [problem.code for problem in result.problems] == ["constraint_not_enforced"]


@pytest.mark.newest_postgres_only
def test_a_key_that_is_not_enforced_is_a_problem(postgresql: EmptyTarget) -> None:
    if postgresql.server is None or postgresql.server.major < 18:
        pytest.skip("NOT ENFORCED needs PostgreSQL 18")
    postgresql.execute_script(
        "CREATE TABLE p (id int PRIMARY KEY);"
        "CREATE TABLE c (p int, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) NOT ENFORCED)"
    )
    result = verify(Target("target"), Catalog())

    assert {problem.code for problem in result.problems} == {
        "constraint_not_enforced",
        "constraint_not_validated",
    }
    assert not result.constraints[0].enforced


def test_keys_that_share_a_column_are_told_apart_where_the_database_names_them(
    empty_target: EmptyTarget,
) -> None:
    empty_target.execute_script(SHARED)
    found = {(each.table.name, each.columns): each for each in constraints("target")}
    ambiguous = found.pop(("lines", ("tenant_id",)))

    assert [each.by for each in found.values()] == [TRIAL, TRIAL]
    if empty_target.vendor == SQLITE:
        assert ambiguous.reason == "no row could be tried: its columns also refer to main.orders"
    else:
        assert ambiguous.by == TRIAL


def test_sequences_do_not_move(postgresql: EmptyTarget) -> None:
    postgresql.execute_script(
        "CREATE TABLE p (id int PRIMARY KEY);"
        "CREATE TABLE c (id bigserial PRIMARY KEY, p int REFERENCES p (id))"
    )
    constraints("target")

    assert postgresql.rows("SELECT nextval('c_id_seq')") == [(1,)]


@pytest.mark.engine("sqlite")
@pytest.mark.parametrize("check", ["", " CHECK (name = 'the one')"])
def test_a_row_that_mends_an_orphan_of_another_table_makes_no_key_look_unenforced(
    empty_target: EmptyTarget, check: str
) -> None:
    """The next id of ``c`` is one that an orphan refers to: SQLite counts as many violations as before."""
    empty_target.execute_script(
        f"CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, name TEXT NOT NULL{check}, "
        "p_id INTEGER NOT NULL REFERENCES p (id));"
        "CREATE TABLE g (id INTEGER PRIMARY KEY, c_id INTEGER REFERENCES c (id));"
        "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 'the one', 1); INSERT INTO g VALUES (1, 2);"
    )
    found = {each.table.name: each for each in verify(Target("target"), Catalog()).constraints}

    assert found["c"].enforced
    assert (found["c"].by == TRIAL) is (check == "")


def test_a_deferred_key_of_sqlite_is_read_from_its_text(empty_target: EmptyTarget) -> None:
    if empty_target.vendor != SQLITE:
        return
    empty_target.execute_script(
        "CREATE TABLE p (id integer PRIMARY KEY);"
        "CREATE TABLE c (p integer REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    (constraint,) = constraints("target")

    assert (constraint.enforced, constraint.by) == (True, "system catalog")
    assert "deferred" in constraint.reason


def test_a_role_that_may_not_insert_reads_the_system_catalog(
    postgresql: EmptyTarget, register_target: RegisterTarget
) -> None:
    assert postgresql.server is not None
    role = f"reader_{postgresql.url.rpartition('_')[2]}"
    postgresql.execute_script(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p (id));"
        f"INSERT INTO p VALUES (1); CREATE ROLE {role} LOGIN; GRANT SELECT ON p, c TO {role}"
    )
    register_target("reader", postgresql.server.url(postgresql.url.rpartition("/")[2], user=role))
    try:
        (constraint,) = constraints("reader")
    finally:
        postgresql.execute_script(f"DROP OWNED BY {role}; DROP ROLE {role}")

    assert (constraint.enforced, constraint.by) == (True, "system catalog")
    assert "permission denied" in constraint.reason
