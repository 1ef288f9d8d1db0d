"""A constraint that does not vouch for every row is told from one that does."""

import pytest

from integrity.audit import audit
from integrity.database.session import Target
from integrity.detectors import Finding, Severity
from integrity.references.catalog import Catalog
from tests.servers import SQLITE, EmptyTarget

TABLES = "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE c (p integer {bound});"


def found() -> list[Finding]:
    return audit(Target("target"), Catalog()).with_code("unvalidated_foreign_key")


def test_a_sound_constraint_is_left_in_peace(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(TABLES.format(bound="REFERENCES p (id)"))

    assert found() == []


def test_a_constraint_for_new_rows_only_is_a_warning(empty_target: EmptyTarget) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(
        TABLES.format(bound="")
        + "ALTER TABLE c ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) NOT VALID"
    )
    (finding,) = found()

    assert finding.severity is Severity.WARNING
    assert finding.message == "The foreign key fk of c.p is enforced for new rows only"
    assert finding.evidence == {"name": "fk", "validated": False, "enforced": True}


@pytest.mark.parametrize("table", ["c", "p"])
def test_switched_off_triggers_are_an_error(empty_target: EmptyTarget, table: str) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(
        TABLES.format(bound="CONSTRAINT fk REFERENCES p (id)") + f"ALTER TABLE {table} DISABLE TRIGGER ALL"
    )
    (finding,) = found()

    assert finding.severity is Severity.ERROR
    assert finding.message == "The foreign key fk of c.p is not enforced at all"


def test_not_enforced_is_an_error(empty_target: EmptyTarget) -> None:
    if empty_target.server is None or empty_target.server.major < 18:
        return
    empty_target.execute_script(
        TABLES.format(bound="")
        + "ALTER TABLE c ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) NOT ENFORCED"
    )

    assert [finding.severity for finding in found()] == [Severity.ERROR]
