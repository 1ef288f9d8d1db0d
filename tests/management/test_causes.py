"""An audit says in a line why there are orphans, for people and for programs."""

import pytest

from tests.commands import run
from tests.management.conftest import Shop

pytestmark = [pytest.mark.django_db, pytest.mark.newest_postgres_only]


def spelled_otherwise(shop: Shop) -> None:
    shop.target.execute_script(
        "CREATE TABLE tags (name varchar(20) PRIMARY KEY);"
        "CREATE TABLE tagged (tag varchar(20), created_at timestamp);"
        "INSERT INTO tags VALUES ('new');"
        "INSERT INTO tagged VALUES ('new', '2024-01-01'), ('NEW', '2025-12-01'), ('old', '2025-12-31')"
    )
    shop.write_catalog('[[reference]]\nfrom = "tagged.tag"\nto = "tags.name"\n')


@pytest.mark.parametrize("style", ["text", "markdown"])
def test_an_audit_says_why_there_are_orphans(shop: Shop, style: str) -> None:
    spelled_otherwise(shop)
    out = run("audit", shop.alias, "--format", style).out

    assert "why: 1 row: the parent exists in another spelling (case 1); 1 row: unexplained" in out
    assert "created 2025-12-01 to 2025-12-31, still growing" in out
    assert "relink rows that differ only in spelling" in out


def test_an_audit_that_explains_nothing_says_no_why(shop: Shop) -> None:
    shop.write_catalog('[[reference]]\nfrom = "tags.name"\nto = "customers.name"\n')
    shop.target.execute_script("CREATE TABLE tags (name varchar(20)); INSERT INTO tags VALUES ('x-1')")

    assert "why:" not in run("audit", shop.alias).out


def test_a_program_reads_each_cause_with_its_evidence(shop: Shop) -> None:
    spelled_otherwise(shop)
    ran = run("audit", shop.alias, "--format", "json")
    (orphans,) = [each for each in ran.json["findings"] if each["code"] == "orphaned_rows"]
    cause = orphans["evidence"]["causes"][0]

    assert (cause["kind"], cause["rows"], cause["confidence"]) == ("format_mismatch", 1, "certain")
    assert orphans["evidence"]["created"]["last"] == "2025-12-31 00:00:00"
