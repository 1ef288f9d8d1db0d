"""Driving migrations from admin: what is shown is what is done, and what stands in the way can be found."""

import io
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrity import models, tasks
from integrity.exceptions import ChecksFailed
from integrity.operations.migration_states import MigrationState
from integrity.tasks.probing import looks
from tests.admin.conftest import CATALOG, SHOP, Shop, SignIn
from tests.servers import EmptyTarget, RegisterTarget

pytestmark = pytest.mark.django_db(transaction=True)

Post = Callable[..., Any]


@pytest.fixture(autouse=True)
def asked_anew() -> None:
    """No test gets an answer that another asked for."""
    looks.forget()


@pytest.fixture
def target(empty_target: EmptyTarget, tmp_path: Path, settings: Any, transactional_db: None) -> EmptyTarget:
    """The shop on each engine, audited."""
    folder = tmp_path / "catalogs" / empty_target.alias
    folder.mkdir(parents=True)
    (folder / "catalog.toml").write_text(CATALOG)
    settings.INTEGRITY = {"CATALOG_ROOT": folder.parent, "WRITES_MIGRATIONS": True}
    empty_target.execute_script(SHOP)
    tasks.audit_and_store(empty_target.alias)
    return empty_target


def fixes_page(alias: str) -> str:
    return reverse("admin:integrity_schema_fixes", args=[alias])


def target_page(alias: str) -> str:
    return reverse("admin:integrity_target_migrations", args=[models.Target.objects.get(alias=alias).pk])


def chosen(shown: Any) -> dict[str, Any]:
    """What the form posts that was shown."""
    keys = [each.key for each in shown.context["chosen"]]
    return {"chosen": "yes", "fix": keys, "digest": shown.context["digest"]}


def ask(client: Client, alias: str, **wanted: Any) -> models.Job:
    """Preview, post exactly what was shown, and wait for it."""
    url = target_page(alias)
    shown = client.get(url, wanted)
    client.post(url, {**wanted, "digest": shown.context["planned"].digest})
    assert tasks.wait_for_jobs(30)
    job = models.Job.objects.first()
    assert job is not None
    return job


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.mark.newest_postgres_only
def test_the_whole_way_from_a_finding_to_a_verified_target_and_back(
    target: EmptyTarget, everything: Client
) -> None:
    alias = target.alias
    finding = models.Finding.objects.get(code="missing_foreign_key", label="orders.customer_id")
    action = {"action": "schema_fixes", "_selected_action": [finding.pk]}
    shown = everything.post(reverse("admin:integrity_finding_changelist"), action, follow=True)
    assert [str(fix.fix.kind) for fix in shown.context["chosen"]] == ["index", "foreign_key", "validate"]
    assert "Deleting a row of customers deletes the rows of orders" in text_of(shown)

    shown = everything.get(fixes_page(alias))
    written = everything.post(fixes_page(alias), chosen(shown), follow=True)
    assert "0003_validate" in text_of(written)

    assert ask(everything, alias, phase=1).state == "finished"
    on_sqlite = models.Target.objects.get(alias=alias).vendor == "sqlite"
    binding = text_of(everything.get(target_page(alias), {"phase": 2}))
    assert ("Deciding first is safer" in binding) == on_sqlite, "a row that is saved whole is refused there"
    assert ("bind only connections that set PRAGMA foreign_keys = ON" in binding) == on_sqlite
    assert ask(everything, alias, phase=2).state == "finished"
    blocked = everything.get(target_page(alias), {"phase": 3})
    assert "0003_validate will not begin" in text_of(blocked), "it is seen before it is tried"
    assert "manage.py" not in text_of(blocked), "what to do has its buttons"
    assert "Resolve them first." in text_of(blocked)
    assert {each.label for each in blocked.context["obstacles"]} == {"orders.customer_id", "lines.order_id"}
    job = ask(everything, alias, phase=3)
    assert job.state == "failed"
    (obstacle, _other) = everything.get(target_page(alias)).context["obstacles"]
    assert obstacle.finding.rows == 3
    assert f"/orphanfinding/{obstacle.finding.pk}/" in obstacle.decide_url
    failed = models.MigrationRun.objects.get(state="failed")
    page = everything.get(reverse("admin:integrity_migrationrun_change", args=[failed.pk]))
    assert obstacle.url in page.content.decode()
    assert "manage.py" not in page.content.decode()

    target.execute_script(
        "DELETE FROM orders WHERE customer_id NOT IN (SELECT id FROM customers);"
        "DELETE FROM lines WHERE order_id NOT IN (SELECT id FROM orders);"
    )
    assert ask(everything, alias, phase=3).state == "finished"
    assert tasks.verify_target(alias).ok
    run = models.MigrationRun.objects.filter(migration="0001_indexes").latest("pk")
    assert "CREATE INDEX" in run.sql
    assert "integrity_journal" not in run.sql
    assert [note for note in job.notes.all() if "orphans" in note.text]

    reverse_page = everything.get(target_page(alias), {"to": "0001_indexes"})
    assert "new orphans can appear again" in text_of(reverse_page)
    assert ask(everything, alias, to="0001_indexes").state == "finished"
    states = {each.name: each.state for each in tasks.status_of_migrations(alias)}
    assert states["0001_indexes"] is MigrationState.APPLIED
    assert states["0002_foreign_keys"] is MigrationState.PENDING
    shown = everything.get(target_page(alias))
    reverted = next(each for each in shown.context["stands"].migrations if each.name == "0002_foreign_keys")
    assert (reverted.took, reverted.actor) == ("–", ""), "nobody applied it as it stands"
    assert reverted.reversed_at is not None


def test_what_belongs_to_a_chosen_fix_comes_along(audited: Shop, everything: Client) -> None:
    shown = everything.get(fixes_page("shop"))
    (validate,) = [
        each
        for phase in shown.context["phases"]
        for each in phase.fixes
        if each.fix.kind == "validate" and each.fix.name == "fk_lines_order"
    ]
    answer = everything.get(fixes_page("shop"), {"chosen": "yes", "fix": [validate.key]})
    assert [(str(each.fix.kind), each.fix.name) for each in answer.context["chosen"]] == [
        ("foreign_key", "fk_lines_order"),
        ("validate", "fk_lines_order"),
    ]
    assert "Comes along" in text_of(answer)
    nothing = everything.get(fixes_page("shop"), {"chosen": "yes"})
    assert "Choose at least one change" in text_of(nothing)


def test_locks_and_times_are_said_statement_by_statement(audited: Shop, everything: Client) -> None:
    said = text_of(everything.get(fixes_page("shop")))
    assert "while the index is built" in said
    assert "under a second" in said
    with CaptureQueriesContext(
        connection,
    ) as queries:
        everything.get(fixes_page("shop"))
    assert len(queries) <= 20


def test_read_only_code_is_given_a_patch_and_a_zip(audited: Shop, everything: Client, settings: Any) -> None:
    settings.INTEGRITY = {**settings.INTEGRITY, "WRITES_MIGRATIONS": False}
    subprocess.run(["git", "init", "-q", str(audited.root)], check=True)
    shown = everything.get(fixes_page("shop"))
    assert "may not write files" in text_of(shown)
    patch = everything.post(fixes_page("shop"), chosen(shown) | {"patch": "yes"})
    packed = everything.post(fixes_page("shop"), chosen(shown) | {"zip": "yes"})
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}

    subprocess.run(["git", "apply", "-"], input=patch.content, cwd=audited.root, check=True)
    assert "shop/migrations/0003_validate.py" in files
    assert {name: (audited.root / name).read_text() for name in files} == files
    forged = everything.post(fixes_page("shop"), chosen(shown) | {"write": "yes"}, follow=True)
    assert "changed since this was shown" in text_of(forged), "what the patch brought is not missing any more"
    assert not LogEntry.objects.exists()


def test_of_two_people_who_write_at_once_one_is_told_to_look_again(
    audited: Shop, everything: Client, settings: Any
) -> None:
    settings.INTEGRITY = {**settings.INTEGRITY, "WRITES_MIGRATIONS": True}
    data = chosen(everything.get(fixes_page("shop")))
    assert everything.post(fixes_page("shop"), data).status_code == 302
    second = everything.post(fixes_page("shop"), data, follow=True)
    assert "changed since this was shown" in text_of(second)
    assert len(list((audited.root / "shop" / "migrations").glob("0*.py"))) == 3


@pytest.fixture
def written(audited: Shop, settings: Any) -> Shop:
    """The shop with its schema fixes written as migrations."""
    settings.INTEGRITY = {**settings.INTEGRITY, "WRITES_MIGRATIONS": True}
    tasks.make_migrations("shop")
    return audited


def test_a_file_that_changed_since_it_was_seen_is_not_run(written: Shop, everything: Client) -> None:
    planned = tasks.plan_of_migrations("shop", phase=1)
    file = written.root / "shop" / "migrations" / "0001_indexes.py"
    file.write_text(file.read_text().replace("orders_customer_idx", "another_idx"))
    _planned, job = tasks.ask_for_migrations("shop", phase=1, planned=planned)
    assert tasks.wait_for_jobs(30)
    assert job is not None
    job.refresh_from_db()
    assert job.state == "failed"
    assert "changed since this was shown" in job.error
    assert written.rows("SELECT count(*) FROM sqlite_master WHERE name LIKE '%_idx'") == [(0,)]


def test_outside_of_the_hours_that_were_asked_for_nothing_begins(written: Shop, everything: Client) -> None:
    url = target_page("shop")
    digest = everything.get(url, {"phase": 1}).context["planned"].digest
    for hours in ({"from": "03:00"}, {"from": "x", "until": "y"}):
        answer = everything.post(url, {"phase": 1, "digest": digest, **hours}, follow=True)
        assert "is not a window" in text_of(answer)
    from django.utils import timezone  # noqa: PLC0415

    hour = (timezone.localtime().hour + 2) % 24
    window = {"from": f"{hour:02}:00", "until": f"{hour:02}:30"}
    everything.post(url, {"phase": 1, "digest": digest, **window})
    assert tasks.wait_for_jobs(30)
    job = models.Job.objects.get()
    assert job.state == "failed"
    assert "outside of the window" in job.error


def test_a_migration_whose_file_vanished_is_unknown_and_everything_else_is_seen(
    written: Shop, everything: Client
) -> None:
    tasks.migrate_and_store("shop", phase=2, actor="ann")
    (written.root / "shop" / "migrations" / "0002_foreign_keys.py").unlink()
    said = text_of(everything.get(target_page("shop")))
    for word in ("do not fit together", "0002_foreign_keys", "its file is gone", "0001_indexes"):
        assert word in said
    target = models.Target.objects.get(alias="shop")
    one = everything.get(reverse("admin:integrity_target_migration", args=[target.pk, "0002_foreign_keys"]))
    assert "fk_orders_customer" in text_of(one), "what it did is remembered"
    matrix = everything.get(reverse("admin:integrity_migrations"))
    assert "? 1" in text_of(matrix)


def test_a_broken_catalog_and_a_target_that_is_down_keep_no_page_from_opening(
    written: Shop, everything: Client, register_target: RegisterTarget
) -> None:
    register_target("down", "postgresql://nobody@127.0.0.1:9/none")
    (written.root / "down" / "migrations").mkdir(parents=True)
    (written.root / "shop" / "migrations" / "0002_foreign_keys.py").write_text("1 +")
    matrix = text_of(everything.get(reverse("admin:integrity_migrations")))
    assert "its catalog cannot be read" in matrix
    assert "does not answer" in matrix
    for alias in ("shop", "down"):
        assert everything.get(target_page(alias)).status_code == 200
        assert everything.get(fixes_page(alias)).status_code == 200
        answer = everything.get(target_page(alias), {"run": "all"}, follow=True)
        assert answer.status_code == 200
    assert "does not answer" in text_of(everything.get(target_page("down")))


def test_the_matrix_says_what_is_next_and_its_queries_do_not_grow(written: Shop, everything: Client) -> None:
    tasks.migrate_and_store("shop", phase=1)
    for number in range(30):
        target = models.Target.objects.get(alias="shop")
        models.MigrationRun.objects.create(target=target, migration=f"{number}", direction="forward")
    for url in (reverse("admin:integrity_migrations"), target_page("shop")):
        with CaptureQueriesContext(connection) as queries:
            said = text_of(everything.get(url))
        assert len(queries) <= 20
        assert "phase 2…" in said
    with CaptureQueriesContext(connection) as queries:
        everything.get(target_page("shop"), {"run": "all"})
    assert len(queries) <= 20


def test_whoever_may_not_is_shown_nothing_and_refused(written: Shop, sign_in: SignIn) -> None:
    target, matrix = target_page("shop"), reverse("admin:integrity_migrations")
    one = reverse("admin:integrity_target_migration", args=[models.Target.objects.get().pk, "0001_indexes"])
    nobody = sign_in("view_finding")
    if not nobody.get(reverse("admin:index")).context["user"].has_perm("integrity.view_target"):
        assert [nobody.get(url).status_code for url in (target, matrix, one)] == [403, 403, 403]
    reader = sign_in("view_target")
    assert [reader.get(url).status_code for url in (target, matrix, one)] == [200, 200, 200]
    assert "Apply up to" not in text_of(reader.get(target))
    assert "Apply phase" not in text_of(reader.get(matrix))
    assert reader.get(fixes_page("shop")).status_code == 403
    assert reader.post(target, {"phase": 1, "digest": "any"}).status_code == 403
    assert reader.get(target, {"to": "zero"}).status_code == 403


def test_values_of_rows_are_named_to_those_alone_who_may_see_them(shop: Shop, sign_in: SignIn) -> None:
    catalog = shop.root / "shop" / "catalog.toml"
    unique = '\n[[unique]]\ntable = "orders"\ncolumns = ["note"]\nname = "orders_note_key"\n'
    catalog.write_text(catalog.read_text() + unique)
    tasks.make_migrations("shop")
    tasks.migrate_and_store("shop", phase=2)
    with pytest.raises(ChecksFailed):
        tasks.migrate_and_store("shop")
    run = models.MigrationRun.objects.get(state="failed")
    job = models.Job.objects.create(target=run.target, kind="migrate", state="failed", error=run.error)
    pages = [
        reverse("admin:integrity_job_change", args=[job.pk]),
        target_page("shop"),
        target_page("shop") + "?phase=3",
        reverse("admin:integrity_migrationrun_change", args=[run.pk]),
    ]
    rights = ("view_target", "apply_migrations", "view_migrationrun", "view_job")
    client = sign_in(*rights)
    assert not [url for url in pages if "lost in 3 rows" in text_of(client.get(url))]
    client = sign_in(*rights, "view_sample_rows")
    assert all("lost in 3 rows" in text_of(client.get(url)) for url in pages)


def test_odd_addresses_and_a_target_that_nobody_knows_any_more_open_or_are_not_there(
    written: Shop, everything: Client
) -> None:
    gone = models.Target.objects.create(alias="no/longer here")
    shop = models.Target.objects.get(alias="shop")
    models.MigrationRun.objects.create(target=shop, migration="odd/<b>name", direction="forward")
    assert everything.get(target_page(gone.alias)).status_code == 200
    assert everything.get(fixes_page(gone.alias)).status_code == 200
    assert everything.get(reverse("admin:integrity_migrations")).status_code == 200
    odd = reverse("admin:integrity_target_migration", args=[shop.pk, "odd/<b>name"])
    assert "&lt;b&gt;name" in everything.get(odd).content.decode()
    nothing = reverse("admin:integrity_target_migration", args=[shop.pk, "0099_none"])
    assert everything.get(nothing).status_code == 404
    for wanted in ({"to": "none such"}, {"phase": "99"}, {"to": "'; --"}):
        assert everything.get(target_page("shop"), wanted, follow=True).status_code == 200


def test_findings_that_nothing_mends_are_told_from_those_that_a_migration_does(
    written: Shop, everything: Client
) -> None:
    known = models.Finding.objects.get(code="missing_foreign_key", label="orders.customer_id")
    other = models.Finding.objects.get(code="missing_foreign_key", label="lines.order_id")
    other.columns, other.pk, other.fingerprint = ["id"], None, "another"
    other.save()
    already = everything.get(fixes_page("shop"), {"finding": known.pk}, follow=True)
    assert "mend these findings already" in text_of(already)
    nothing = everything.get(fixes_page("shop"), {"finding": other.pk}, follow=True)
    assert "say in the catalog what should hold" in text_of(nothing)
