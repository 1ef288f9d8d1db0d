"""A row that is hidden from a role is not missing: nothing is found, and the right needed is named."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connections

from integrity.audit import AuditResult, audit
from integrity.database.session import Target
from integrity.references.catalog import Catalog
from tests.catalogs import LendCatalog
from tests.commands import run
from tests.servers import EmptyTarget, MakePostgresDatabase, RegisterTarget

TABLES = """
CREATE SCHEMA auth;
CREATE TABLE auth.users (id integer PRIMARY KEY, mail text);
CREATE TABLE orders (id integer PRIMARY KEY, user_id integer, note text);
INSERT INTO auth.users VALUES (1, 'a'), (2, 'b');
INSERT INTO orders VALUES (1, 1), (2, 2), (3, 9);
"""
REFERENCE = '[[reference]]\nfrom = "orders.user_id"\nto = "auth.users.id"\non_delete = "CASCADE"\n'
TO_VIEW = REFERENCE.replace("auth.users.id", "people.id")

Prepare = Callable[[str], None]


@pytest.fixture
def owner(
    postgres_server: object, make_postgres_database: MakePostgresDatabase, register_target: RegisterTarget
) -> EmptyTarget:
    """The target as its owner has it, with one orphan."""
    url = make_postgres_database(postgres_server)  # type: ignore[arg-type]
    target = EmptyTarget(register_target("owner", url), "postgresql", url)
    target.execute_script(TABLES)
    return target


@pytest.fixture
def role(owner: EmptyTarget, register_target: RegisterTarget) -> Iterator[str]:
    """A role that reads all of it, and its target ``shop``."""
    name = "reads_" + owner.url.rsplit("_", 1)[-1]
    owner.execute_script(
        f"CREATE ROLE {name} LOGIN; GRANT USAGE ON SCHEMA public, auth TO {name};"
        f"GRANT ALL ON auth.users, orders TO {name}"
    )
    connections.databases[register_target("shop", owner.url)]["USER"] = name
    yield name
    owner.execute_script(f"REASSIGN OWNED BY {name} TO postgres; DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.fixture
def catalog(lend_catalog: LendCatalog) -> Catalog:
    """What should hold."""
    return lend_catalog(REFERENCE)


def gaps(result: AuditResult) -> str:
    """What an incomplete audit says; it says nothing of orphans."""
    assert not result.with_code("orphaned_rows")
    assert not result.coverage.complete
    assert result.coverage.checked == 0
    return "\n".join(each["reason"] for each in result.coverage.skipped)


def test_a_parent_in_another_schema_is_found(role: str, catalog: Catalog) -> None:
    (found,) = audit(Target("shop"), catalog).with_code("orphaned_rows")
    assert (found.rows, str(found.referenced_table)) == (1, "auth.users")


@pytest.mark.parametrize("table", ["auth.users", "orders"])
def test_a_policy_hides_rows(owner: EmptyTarget, role: str, catalog: Catalog, table: str) -> None:
    owner.execute_script(
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; CREATE POLICY one ON {table} USING (id = 1)"
    )
    said = gaps(audit(Target("shop"), catalog))
    assert f'ALTER ROLE "{role}" BYPASSRLS;' in said
    assert "or the owner of" in said

    owner.execute_script(f'ALTER ROLE "{role}" BYPASSRLS')
    assert audit(Target("shop"), catalog).coverage.complete


def test_an_owner_is_bound_where_row_level_security_is_forced(
    owner: EmptyTarget, role: str, catalog: Catalog
) -> None:
    owner.execute_script(
        f"ALTER TABLE auth.users OWNER TO {role}; ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY"
    )
    assert audit(Target("shop"), catalog).coverage.complete
    owner.execute_script("ALTER TABLE auth.users FORCE ROW LEVEL SECURITY")
    assert 'ALTER TABLE "auth"."users" NO FORCE ROW LEVEL SECURITY;' in gaps(audit(Target("shop"), catalog))


@pytest.mark.parametrize(
    "definition",
    [
        "VIEW people AS SELECT id FROM auth.users WHERE mail = current_user",
        "VIEW people AS SELECT id FROM auth.users WHERE mail = current_setting('app.user', true)",
        "VIEW people WITH (security_barrier) AS SELECT id FROM auth.users WHERE id < 2",
        "FUNCTION me() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'a' $$;"
        "CREATE VIEW people AS SELECT id FROM auth.users WHERE mail = me()",
        "VIEW beneath AS SELECT id, mail FROM auth.users WHERE mail = session_user;"
        "CREATE VIEW people AS SELECT id FROM beneath",
    ],
)
def test_a_view_that_asks_who_reads_it_is_no_parent(
    owner: EmptyTarget, role: str, lend_catalog: LendCatalog, definition: str
) -> None:
    owner.execute_script(f"CREATE {definition}; GRANT SELECT ON people TO {role}")
    for alias in ("shop", "owner"):
        said = gaps(audit(Target(alias), lend_catalog(TO_VIEW)))
        assert "public.people is a view that shows each role other rows" in said


def test_a_plain_view_is_a_parent_like_any_other(
    owner: EmptyTarget, role: str, lend_catalog: LendCatalog
) -> None:
    owner.execute_script(
        "CREATE VIEW people AS SELECT id FROM auth.users WHERE lower(mail) < 'b';"
        f"GRANT SELECT ON people TO {role}; REVOKE ALL ON auth.users FROM {role}"
    )
    assert audit(Target("shop"), lend_catalog(TO_VIEW)).with_code("orphaned_rows")[0].rows == 2


def test_a_view_with_the_rights_of_its_reader_hides_nothing_silently(
    owner: EmptyTarget, role: str, lend_catalog: LendCatalog
) -> None:
    if int(owner.rows("SHOW server_version_num")[0][0]) < 150000:
        return
    owner.execute_script(
        "CREATE VIEW people WITH (security_invoker) AS SELECT id FROM auth.users;"
        f"GRANT SELECT ON people TO {role}; ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY"
    )
    assert "Row-level security hides rows" in gaps(audit(Target("shop"), lend_catalog(TO_VIEW)))
    owner.execute_script(
        f"ALTER TABLE auth.users DISABLE ROW LEVEL SECURITY; REVOKE ALL ON auth.users FROM {role}"
    )
    assert "permission denied for table users" in gaps(audit(Target("shop"), lend_catalog(TO_VIEW)))


@pytest.mark.parametrize(
    ("table", "other", "needed"), [("auth.users", "mail", "id"), ("public.orders", "id", "user_id")]
)
def test_the_columns_of_a_reference_are_what_must_be_readable(
    owner: EmptyTarget, role: str, catalog: Catalog, table: str, other: str, needed: str
) -> None:
    owner.execute_script(f"REVOKE ALL ON {table} FROM {role}; GRANT SELECT ({other}) ON {table} TO {role}")
    schema, name = table.split(".")
    grant = f'GRANT SELECT ("{needed}") ON "{schema}"."{name}" TO "{role}";'
    assert grant in gaps(audit(Target("shop"), catalog))

    owner.execute_script(grant)
    assert audit(Target("shop"), catalog).coverage.complete


@pytest.mark.parametrize("declared", [False, True])
def test_a_schema_that_the_role_may_not_use(
    owner: EmptyTarget, role: str, catalog: Catalog, declared: bool
) -> None:
    owner.execute_script(f"REVOKE ALL ON auth.users FROM {role}; REVOKE USAGE ON SCHEMA auth FROM {role}")
    if declared:
        owner.execute_script("ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES auth.users NOT VALID")
    said = gaps(audit(Target("shop"), Catalog() if declared else catalog))
    grants = f'GRANT USAGE ON SCHEMA "auth" TO "{role}"; GRANT SELECT ON "auth"."users" TO "{role}";'
    assert grants in said

    owner.execute_script(grants)
    assert audit(Target("shop"), catalog).coverage.complete


def test_a_default_schema_that_the_role_may_not_use_is_not_green(owner: EmptyTarget, role: str) -> None:
    owner.execute_script(
        "REVOKE USAGE ON SCHEMA public FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM " + role
    )
    assert 'GRANT USAGE ON SCHEMA "public"' in gaps(audit(Target("shop"), Catalog()))


@pytest.mark.django_db(transaction=True)
def test_rows_out_of_reach_forbid_to_delete_what_they_follow(
    owner: EmptyTarget, role: str, lend_catalog: LendCatalog
) -> None:
    """A cascade into a schema that nobody may use here would lose rows that are in no journal."""
    owner.execute_script(
        "CREATE SCHEMA hidden;"
        "CREATE TABLE hidden.lines (order_id integer REFERENCES orders ON DELETE CASCADE);"
        "INSERT INTO hidden.lines VALUES (3)"
    )
    catalog = lend_catalog(REFERENCE)
    wish = ("--catalog", catalog.file, "--reference", "orders.user_id", "--action", "delete")
    for command in (["plan", "shop", *wish], ["cleanup", "shop", *wish, "--no-input"]):
        ran = run(*map(str, command))
        assert ran.code == 2
        assert "GRANT USAGE ON SCHEMA hidden" in ran.err
    assert owner.rows("SELECT count(*) FROM hidden.lines") == [(1,)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["auth.users", "orders"])
def test_no_command_takes_hidden_rows_for_missing_ones(
    owner: EmptyTarget, role: str, catalog: Catalog, table: str, tmp_path: Path
) -> None:
    owner.execute_script(f"CREATE SCHEMA integrity_journal AUTHORIZATION {role}")
    lent = ("--catalog", catalog.file)
    assert run("cleanup", "shop", *lent, "--action", "delete", "--no-input").code == 0
    owner.execute_script(
        f"INSERT INTO orders VALUES (4, 9); ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
        f"CREATE POLICY one ON {table} USING (id = 1)"
    )
    before = owner.rows("SELECT * FROM orders ORDER BY id")

    for command in ("audit", "verify", "plan"):
        ran = run(command, "shop", *lent)
        assert (command, ran.code) == (command, 2)
        assert "BYPASSRLS" in ran.out + ran.err, command
    wish = ("--action", "delete", "--reference", "orders.user_id")
    for name, options in (("cleanup", ("--no-input",)), ("plan", wish)):
        ran = run(name, "shop", *lent, *options)
        assert (name, ran.code) == (name, 2)
        assert "BYPASSRLS" in ran.out + ran.err, name
    ran = run("rollback", "shop", "1", "--no-input")
    assert (ran.code == 2) == (table == "orders")

    assert owner.rows("SELECT * FROM orders WHERE id <> 3 ORDER BY id") == before
