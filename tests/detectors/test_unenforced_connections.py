"""A SQLite file whose declared keys are violated has a client that does not enforce them."""

import pytest

from integrity.audit import audit
from integrity.database.session import Target
from integrity.detectors import Finding, Severity
from integrity.references.catalog import Catalog
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

TABLES = """
CREATE TABLE p (id integer PRIMARY KEY);
CREATE TABLE a (p integer {bound});
CREATE TABLE b (p integer {bound});
"""
BOUND = "REFERENCES p (id)"
CLIENTS = '[[client]]\nname = "shell"\nline = "PRAGMA foreign_keys = ON;"\n'


def found(catalog: Catalog | None = None) -> list[Finding]:
    return audit(Target("target"), catalog or Catalog()).with_code("unenforced_connections")


def test_violated_keys_are_one_finding_with_a_line_for_each_client(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    if empty_target.vendor != SQLITE:
        return
    empty_target.execute_script(TABLES.format(bound=BOUND) + "INSERT INTO b VALUES (9)")
    (finding,) = found(lend_catalog(CLIENTS))
    empty_target.execute_script("INSERT INTO a VALUES (9)")
    (again,) = found()

    assert finding.severity is Severity.WARNING
    assert finding.evidence == {"references": ["b.p"], "clients": {"shell": "PRAGMA foreign_keys = ON;"}}
    assert finding.suggestion == ("Switch enforcement on in every client: shell: PRAGMA foreign_keys = ON;")
    assert again.evidence["references"] == ["a.p", "b.p"]
    assert finding.fingerprint == again.fingerprint


def test_keys_that_hold_say_nothing(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(TABLES.format(bound=BOUND) + "INSERT INTO a VALUES (NULL)")

    assert found() == []


def test_orphans_of_a_reference_without_a_key_say_nothing_of_clients(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(TABLES.format(bound="") + "INSERT INTO a VALUES (9)")
    catalog = lend_catalog('[[reference]]\nfrom = "a.p"\nto = "p.id"\n')

    assert found(catalog) == []
    assert audit(Target("target"), catalog).with_code("orphaned_rows")


def test_postgresql_needs_no_switch(empty_target: EmptyTarget) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(TABLES.format(bound=""))
    empty_target.execute_script(
        "INSERT INTO a VALUES (9); ALTER TABLE a ADD FOREIGN KEY (p) REFERENCES p (id) NOT VALID"
    )

    assert found() == []
