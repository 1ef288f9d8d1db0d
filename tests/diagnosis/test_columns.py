"""A column that is to go: what it repeats, what uses it, and which source files name it."""

import json
from pathlib import Path

import pytest

from integrity.diagnosis.sources import search_sources
from tests.commands import run
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

CATALOG = """
[[reference]]
from = "orders.customer_id"
to = "store_customers.id"

[[mirror]]
column = "store_customers.orders"
repeats = "orders.customer_id"
acknowledged = [ACKNOWLEDGED]
"""


@pytest.fixture
def lent(empty_target: EmptyTarget, tmp_path: Path) -> Path:
    kind = "TEXT" if empty_target.vendor == SQLITE else "jsonb"
    empty_target.execute_script(f"""
        CREATE TABLE store_customers (id integer PRIMARY KEY, orders {kind}, name varchar(9));
        CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer);
        CREATE VIEW sales_report AS SELECT c.orders, c.name FROM store_customers c;
        INSERT INTO store_customers VALUES (1, '{{"count": 1}}', 'a'), (2, '{{"count": 3}}', 'b');
        INSERT INTO orders VALUES (1, 1)""")
    return write(tmp_path)


def write(folder: Path, *acknowledged: str) -> Path:
    file = folder / "lent.toml"
    file.write_text(CATALOG.replace("ACKNOWLEDGED", ", ".join(f'"{each}"' for each in acknowledged)))
    return file


def sources(folder: Path) -> Path:
    """An application in several languages, with what must not be read beside it."""
    texts = {
        "src/schema.ts": "export const storeCustomers = pgTable('store_customers', {\n  orders: jsonb('orders'),\n});",
        "src/service.ts": "return db.select().from(storeCustomers).map(c => storeCustomers.orders);",
        "src/report.sql": "SELECT sc.id, sc.orders->>'count'\nFROM store_customers sc JOIN orders o ON o.customer_id = sc.id;",
        "app/models/store_customer.rb": "class StoreCustomer\n  store_accessor :orders\nend",
        "go/rows.go": "row := `SELECT store_customers.orders FROM store_customers`",
        "src/orders.ts": "const orders = db.select().from(ordersTable);",
        "node_modules/x/index.js": "store_customers.orders",
        ".git/packed": "store_customers.orders",
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "src/logo.png").write_bytes(b"\x89PNG\0store_customers.orders")
    (folder / "src/latin.py").write_bytes("store_customers.orders  # é".encode("latin-1"))
    return folder


def test_files_are_read_as_their_languages_write_names(tmp_path: Path) -> None:
    found = search_sources(
        [sources(tmp_path)], "store_customers", "orders", tables=["store_customers", "orders"]
    )

    named = {(str(Path(each.file).relative_to(tmp_path)), each.line, each.certain) for each in found.mentions}
    assert named == {
        ("src/schema.ts", 2, False),
        ("src/service.ts", 1, True),
        ("src/report.sql", 1, True),
        ("src/report.sql", 2, False),
        ("app/models/store_customer.rb", 2, False),
        ("go/rows.go", 1, True),
        ("src/latin.py", 1, True),
    }
    assert found.files == 7


def test_a_column_that_no_table_is_named_like_is_certain_on_a_line_with_its_table(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("UPDATE users SET last_orders = 1\nSELECT last_orders FROM x, y;")
    found = search_sources([tmp_path], "users", "last_orders")
    assert [(each.line, each.certain) for each in found.mentions] == [(1, True), (2, False)]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    found = search_sources([tmp_path / "nothing"], "users", "name")
    assert found.unread == (f"{tmp_path / 'nothing'}: No such file or directory",)


def test_a_column_is_diagnosed_with_its_states_dependents_and_files(lent: Path, tmp_path: Path) -> None:
    folder = sources(tmp_path / "app")
    ran = run(
        "diagnose", "target", "--column", "store_customers.orders", "--source", folder, "--catalog", lent,
        "--format", "json",
    )  # fmt: skip
    assert ran.code == 1, ran.err
    (column,) = ran.json["columns"]
    assert column["mirror"]["states"] | {"equal": 1, "only_in_json": 1} == column["mirror"]["states"]
    assert [each["label"] for each in column["dependents"]] == ["view sales_report"]
    assert "view sales_report" in column["unacknowledged"]
    assert f"source {folder}/src/service.ts" in column["unacknowledged"]

    text = run(
        "diagnose", "target", "--column", "store_customers.orders", "--source", folder, "--catalog", lent
    )
    assert "1 of 2 rows say something else than orders.customer_id." in text.out
    assert "view sales_report" in text.out
    assert "src/service.ts:1" in text.out
    assert 'acknowledged = ["view sales_report"' in text.out


def test_a_column_that_repeats_nothing_is_looked_at_as_well(lent: Path) -> None:
    ran = run("diagnose", "target", "--column", "store_customers.name", "--format", "json")
    assert ran.code == 0
    (column,) = ran.json["columns"]
    assert (column["mirror"], column["unacknowledged"]) == (None, ["view sales_report"])
    assert run("diagnose", "target", "--column", "store_customers.name", "--fail-on", "warning").code == 1


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--column", "store_customers.ordrs"], "has no column 'ordrs'"),
        (["--column", "customers.orders"], "There is no table"),
        (["--source", "."], "--source says where a --column is looked for"),
    ],
)
def test_mistakes_are_told_without_a_traceback(lent: Path, arguments: list[str], what: str) -> None:
    ran = run("diagnose", "target", *arguments)
    assert ran.code == 2
    assert what in ran.err


@pytest.mark.django_db
def test_migrations_are_not_written_over_source_files_that_nobody_acknowledged(
    lent: Path, tmp_path: Path, settings: pytest.FixtureRequest
) -> None:
    settings.INTEGRITY = {"CATALOG_ROOT": tmp_path / "catalogs"}  # type: ignore[attr-defined]
    folder = sources(tmp_path / "app") / "go"
    arguments = ["makemigrations", "target", "--catalog", lent, "--format", "json"]
    refused = run(*arguments, "--source", folder)
    assert refused.code == 2
    assert f'"source {folder}/rows.go"' in refused.err
    assert not (tmp_path / "catalogs").exists()

    write(tmp_path, f"source {folder}/rows.go")
    made = run(*arguments, "--source", folder)
    assert made.code == 0, made.err
    assert made.json["unacknowledged"] == {"store_customers.orders": ["view sales_report"]}
    assert json.dumps(made.json["files"]).count("remove_columns") >= 1
