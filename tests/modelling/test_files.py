"""What people add stays; what is generated follows the database; Django asks for no migration."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.db import models

from integrity.modelling.names import RESERVED
from tests.commands import environment, manage, run, run_json
from tests.modelling.conftest import Loaded
from tests.servers import EmptyTarget, RegisterTarget

pytestmark = pytest.mark.newest_postgres_only

SHOP = """
CREATE TABLE customers (id integer PRIMARY KEY, name text);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer REFERENCES customers (id));
INSERT INTO customers VALUES (1, 'Ada');
INSERT INTO orders VALUES (1, 1);
"""
BY_HAND = '''"""Ours."""

from __future__ import annotations

import datetime

from {package}.target import generated


class Customer(generated.CustomerBase):
    """Somebody who buys."""

    class Meta(generated.CustomerBase.Meta):
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{{self.name}} since {{datetime.date.min.year}}"


class Order(generated.OrderBase):
    """A row of orders."""
'''
SITE = """
import sys

from integrity_project.settings import *

sys.path.insert(0, {folder!r})
INTEGRITY = {{"CATALOG_ROOT": {root!r}}}
INSTALLED_APPS = [each for each in INSTALLED_APPS if not each.startswith("migrations_catalog")]
INSTALLED_APPS += ["{package}.target"]
DATABASE_ROUTERS = ["integrity.routers.CatalogRouter"]
"""


@pytest.fixture
def shop(empty_target: EmptyTarget) -> EmptyTarget:
    """Two tables, a reference between them."""
    empty_target.execute_script(SHOP)
    return empty_target


def by_hand(catalogs: Path) -> Path:
    file = catalogs / "target" / "models.py"
    file.write_text(BY_HAND.format(package=catalogs.name), encoding="utf-8")
    return file


def test_what_somebody_added_stays_when_a_table_is_added(
    shop: EmptyTarget, catalogs: Path, load: Loaded
) -> None:
    run_json("models", "target")
    file = by_hand(catalogs)
    shop.execute_script(
        "ALTER TABLE orders ADD COLUMN note text; CREATE TABLE refunds (id integer PRIMARY KEY)"
    )
    assert run("models", "target", "--check").code == 1
    assert file.read_text(encoding="utf-8") == BY_HAND.format(package=catalogs.name)

    written = run_json("models", "target")

    assert written["added"] == ["Refund"]
    assert file.read_text(encoding="utf-8").startswith(BY_HAND.format(package=catalogs.name))
    assert run("models", "target", "--check").code == 0
    module = load()
    assert [str(each) for each in module.Customer.objects.using("target")] == ["Ada since 1"]
    assert module.Customer._meta.ordering == ["name"]
    assert module.Order.objects.using("target").get().note is None
    assert module.Refund.objects.using("target").count() == 0


def test_a_model_that_nobody_touched_goes_with_its_table(shop: EmptyTarget, catalogs: Path) -> None:
    run_json("models", "target")
    by_hand(catalogs)
    shop.execute_script("DROP TABLE orders")
    assert run_json("models", "target")["removed"] == ["Order"]
    assert "class Order" not in (catalogs / "target" / "models.py").read_text(encoding="utf-8")


def test_a_model_to_which_somebody_added_is_not_taken_away(shop: EmptyTarget, catalogs: Path) -> None:
    run_json("models", "target")
    file = by_hand(catalogs)
    generated = (catalogs / "target" / "generated.py").read_bytes()
    shop.execute_script("DROP TABLE orders; DROP TABLE customers")
    ran = run("models", "target")
    assert ran.code == 2
    assert "Customer" in ran.err
    assert str(file) in ran.err
    assert (catalogs / "target" / "generated.py").read_bytes() == generated
    assert file.read_text(encoding="utf-8") == BY_HAND.format(package=catalogs.name)


def test_models_that_are_no_python_are_said_with_their_line(shop: EmptyTarget, catalogs: Path) -> None:
    run_json("models", "target")
    (catalogs / "target" / "models.py").write_text("class :\n", encoding="utf-8")
    ran = run("models", "target")
    assert (ran.code, "line 1" in ran.err) == (2, True)


def test_models_may_be_a_package(shop: EmptyTarget, catalogs: Path) -> None:
    run_json("models", "target")
    folder = catalogs / "target"
    (folder / "models").mkdir()
    text = by_hand(catalogs).read_text(encoding="utf-8")
    (folder / "models.py").unlink()
    (folder / "models" / "ours.py").write_text(text, encoding="utf-8")
    (folder / "models" / "__init__.py").write_text(f"from {catalogs.name}.target.models.ours import *\n")
    shop.execute_script("CREATE TABLE refunds (id integer PRIMARY KEY)")
    assert run_json("models", "target")["added"] == ["Refund"]
    assert (folder / "models" / "ours.py").read_text(encoding="utf-8") == text
    assert not (folder / "models.py").exists()


def test_a_dry_run_and_a_check_write_nothing(shop: EmptyTarget, catalogs: Path) -> None:
    shown = run("models", "target", "--dry-run")
    assert "class OrderBase(models.Model):" in shown.out
    assert run("models", "target", "--check").code == 1
    assert not catalogs.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("migrated", [False, True], ids=["without migrations", "with migrations"])
def test_a_site_with_the_models_checks_and_asks_for_no_migration(
    register_target: RegisterTarget, sqlite_path: Path, catalogs: Path, tmp_path: Path, migrated: bool
) -> None:
    url = f"sqlite:///{sqlite_path}"
    register_target("target", url)
    with closing(sqlite3.connect(sqlite_path)) as connection:
        connection.executescript(SHOP)
    (tmp_path / "site_of_the_test.py").write_text(
        SITE.format(folder=str(tmp_path), root=str(catalogs), package=catalogs.name), encoding="utf-8"
    )
    if migrated:
        run_json("startcatalog", "target")
        toml = catalogs / "target" / "catalog.toml"
        text = toml.read_text(encoding="utf-8")
        toml.write_text(text + '\n[[index]]\ntable = "orders"\ncolumns = ["customer_id"]\n', encoding="utf-8")
        assert run_json("makemigrations", "target")["files"]
    run_json("models", "target")
    by_hand(catalogs)
    env = {
        **environment(tmp_path / "site.sqlite3", {"target": url}),
        "DJANGO_SETTINGS_MODULE": "site_of_the_test",
        "PYTHONPATH": str(tmp_path),
    }
    code = (
        "from django.core.management import call_command as call\n"
        "call('check'); call('makemigrations', '--check', '--dry-run'); call('migrate', verbosity=0)\n"
        "call('check', databases=['default', 'target']); call('makemigrations', '--check', '--dry-run')\n"
        f"from {catalogs.name}.target.models import Customer, Order\n"
        "assert Order.objects.get().customer.orders.count() == 1\n"
        "assert Customer.objects.filter(orders__id=1).get()._state.db == 'target'\n"
        "call('graph_models', 'catalog_target', dot=True)\n"
    )
    done = manage(env, "shell", "--verbosity", "0", "-c", code)
    assert done.code == 0, done.out + done.err
    assert done.out.count("No changes detected") == 2
    assert "customer" in done.out
    assert "Order -> " in done.out


def test_every_attribute_of_a_model_is_reserved() -> None:
    public = {name for name in dir(models.Model) if not name.startswith("_")}
    assert public <= RESERVED
