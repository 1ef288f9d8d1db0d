"""A reference that should hold has a constraint, or a finding says which one is missing."""

import pytest

from integrity.audit import AuditResult, audit
from integrity.database.identifiers import TableName
from integrity.database.session import Target
from integrity.references.catalog import Catalog
from integrity.references.reference import Reference, Source
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

TABLES = """
CREATE TABLE p (id integer PRIMARY KEY, a integer, b integer, UNIQUE (a, b));
CREATE TABLE c (p integer {bound}, x integer, y integer {composite});
"""
CATALOG = """
[[reference]]
from = "c.p"
to = "p.id"
name = "fk_c_p"
on_delete = "SET NULL"
rationale = "Because"
"""


def look(catalog: Catalog, others: tuple[Reference, ...] = ()) -> AuditResult:
    return audit(Target("target"), catalog, others=others)


def test_a_missing_constraint_is_found_with_its_action_and_rationale(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(TABLES.format(bound="", composite=""))
    (found,) = look(lend_catalog(CATALOG)).with_code("missing_foreign_key")

    assert found.message == "c.p → p.id has no foreign key (ON DELETE SET NULL): Because"
    assert (found.evidence["name"], found.evidence["on_delete"]) == ("fk_c_p", "SET NULL")
    assert found.suggestion == "manage.py integrity_makemigrations target"


def test_a_constraint_of_another_name_or_action_is_there(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(TABLES.format(bound="REFERENCES p (id) ON DELETE CASCADE", composite=""))

    assert look(lend_catalog(CATALOG)).with_code("missing_foreign_key") == []


def test_the_order_of_columns_does_not_matter_and_their_pairing_does(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(TABLES.format(bound="", composite=", FOREIGN KEY (y, x) REFERENCES p (b, a)"))
    right = lend_catalog('[[reference]]\nfrom = "c.x,y"\nto = "p.a,b"\n')
    assert look(right).with_code("missing_foreign_key") == []
    crossed = lend_catalog('[[reference]]\nfrom = "c.x,y"\nto = "p.b,a"\n')
    assert len(look(crossed).with_code("missing_foreign_key")) == 1


def test_what_is_only_declared_is_never_missing(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(TABLES.format(bound="REFERENCES p (id)", composite=""))

    assert look(Catalog()).with_code("missing_foreign_key") == []


def test_references_from_elsewhere_are_asked_for_too(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(TABLES.format(bound="", composite=""))
    schema = "main" if empty_target.vendor == SQLITE else "public"
    model = Reference(
        TableName(schema, "c"), ("p",), TableName(schema, "p"), ("id",), source=Source.DJANGO, name="fk"
    )
    (found,) = look(Catalog(), (model,)).with_code("missing_foreign_key")

    assert found.source == "django"
