"""Findings as people meet them: found among many, told in plain words, noted about, taken along as a file."""

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from integrity import models, store
from integrity.admin.triage.kinds import KINDS
from integrity.detectors import all_detectors
from tests import factories
from tests.admin.conftest import Shop, SignIn
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

ALL = ("cleanup_finding", "set_null_finding", "keep_finding", "reassign_finding", "relink_finding")


def listed(client: Client, query: str = "", name: str = "orphanfinding") -> str:
    return client.get(reverse(f"admin:integrity_{name}_changelist") + query).content.decode()


def page(client: Client, finding: models.Finding, query: str = "", name: str = "orphanfinding") -> str:
    url = reverse(f"admin:integrity_{name}_change", args=[finding.pk])
    return client.get(url + query).content.decode()


def make(**facts: Any) -> models.OrphanFinding:
    made: models.OrphanFinding = factories.OrphanFindingFactory.create(**facts)
    return made


# -- the page --------------------------------------------------------------------------------


def test_each_resolution_is_offered_with_its_reason_or_with_what_stands_against_it(
    audited: Shop, everything: Client
) -> None:
    text = page(everything, audited.finding("lines.order_id"))
    assert "What can become of these rows" in text
    assert "The reference says so: what belongs to a deleted row is deleted with it." in text
    assert "Not possible: the column must not be empty (NOT NULL)." in text
    assert "Not possible yet: the catalog does not say how such a row is made" in text
    assert "decide/delete/" in text
    assert "decide/set_null/" not in text
    assert "New orphans" in text


def test_somebody_sees_buttons_only_for_what_they_may_do(sign_in: SignIn) -> None:
    finding = make()
    looking = page(sign_in(), finding)
    assert "decide/" not in looking
    assert "To decide takes a permission that you do not have." in looking
    text = page(sign_in("keep_finding"), finding)
    assert "Nothing is changed before you have seen what will happen." in text
    assert "decide/keep/" in text
    assert "decide/delete/" not in text
    blind = UserFactory.create(may=["keep_finding"])
    blind.user_permissions.remove(Permission.objects.get(codename="view_orphanfinding"))
    client = sign_in()
    client.force_login(blind)
    assert "decide/" not in page(client, finding, name="finding")
    assert client.get(reverse("admin:integrity_orphanfinding_changelist")).status_code == 403
    finding.state = "resolved"
    finding.save()
    assert "decide/" not in page(sign_in(*ALL), finding)


def test_one_missing_key_can_be_decided_about(sign_in: SignIn) -> None:
    evidence = {"top_missing_keys": [{"key": [90], "rows": 12}, {"key": [None], "rows": 1}]}
    finding = make(evidence=evidence)
    client = sign_in("view_sample_rows", "keep_finding")
    key = "key=%5B%2290%22%5D"
    assert f"?{key}#decide" in page(client, finding)
    text = page(client, finding, f"?{key}")
    assert "What can become of the rows with key 90" in text
    assert f"_selected_action={finding.pk}&amp;{key}" in text
    for forged in ("90", "[90]", '["1","2"]', "{}", '["' + "x" * 10, "[" * 100_000):
        assert "What can become of these rows" in page(client, finding, f"?key={forged[:5_000]}")


def test_keys_that_the_catalog_masks_are_not_shown(audited: Shop, everything: Client) -> None:
    assert "Decide for this key" in page(everything, audited.finding())
    catalog = audited.root / "shop" / "catalog.toml"
    catalog.write_text(catalog.read_text() + '[mask]\ncolumns = ["orders.customer_id"]\n')
    assert "Decide for this key" not in page(everything, audited.finding())


def test_decisions_are_told_with_who_when_what_of_it_and_why(sign_in: SignIn) -> None:
    finding = make()
    plan = factories.StoredPlanFactory.create(target=finding.target)
    store.store_decision([finding], "keep", actor="ada", reason="<i>history</i>", keys=[("90",)])
    store.store_decision([finding], "delete", actor="grace", plan_hash=plan.hash)
    text = page(sign_in(), finding)
    assert "The whole finding" in text
    assert "1 missing key" in text
    assert "&lt;i&gt;history&lt;/i&gt;" in text
    assert "by grace" in text
    assert reverse("admin:integrity_orphanfinding_plan", args=[finding.target.alias, plan.hash]) in text


def test_a_plan_that_waits_for_approval_is_named(sign_in: SignIn) -> None:
    finding = make()
    for label, who in ((finding.label, "ada"), ("lines.order_id", "grace")):
        steps = [{"reference": {"label": label}}, {"unique": {}}]
        plan = factories.StoredPlanFactory.create(target=finding.target, plan={"steps": steps})
        models.Approval.objects.create(plan=plan, asked_by=who)
    text = page(sign_in(), finding)
    assert "ada asked for approval of a plan for these rows." in text
    assert "grace asked" not in text


def test_the_foreign_key_that_would_prevent_more_is_named(sign_in: SignIn) -> None:
    finding = make()
    missing = factories.FindingFactory.create(code="missing_foreign_key", target=finding.target)
    assert reverse("admin:integrity_finding_change", args=[missing.pk]) in page(sign_in(), finding)
    fixes = reverse("admin:integrity_schema_fixes", args=[finding.target.alias])
    assert f"{fixes}?finding={missing.pk}" in page(sign_in("write_migrations"), finding)


def test_what_is_resolved_says_why_it_was_so_and_not_that_it_is(sign_in: SignIn) -> None:
    found = {"causes": [{"kind": "parent_deleted", "rows": 4}, {"kind": "sentinel", "rows": 6}]}
    found |= {"top_missing_keys": [{"key": ["0"], "rows": 6}]}
    found |= {"created": {"first": "2026-01-01", "last": "2026-03-01", "still_growing": True}}
    text = page(sign_in("view_sample_rows"), make(state="resolved", rows=0, missing_keys=0, evidence=found))
    assert "No row of orders breaks its reference to customers any more" in text
    assert "Why it was so" in text
    assert "60 %" in text
    assert 'max="10"' in text
    assert "More keep coming" not in text
    assert "What can become of these rows" not in text


def test_a_foreign_key_for_new_rows_prevents_more_and_is_still_to_hold_for_all(sign_in: SignIn) -> None:
    finding = make(evidence={"declared": True, "enforced": False, "binds_new_rows": True})
    factories.FindingFactory.create(
        target=finding.target, code="unvalidated_foreign_key", table_name=finding.table_name,
        label=finding.label, evidence={"enforced": True, "validated": False},
    )  # fmt: skip
    text = page(sign_in("write_migrations"), finding)
    assert "can still come" not in text
    assert "Make it hold for all rows" in text
    assert "declared, enforced for new rows only" in text


@pytest.mark.parametrize(
    ("code", "may", "leads_to"),
    [
        ("missing_index", "write_migrations", "admin:integrity_schema_fixes"),
        ("duplicate_rows", "deduplicate_finding", "admin:integrity_finding_deduplicate"),
    ],
)
def test_other_findings_lead_to_what_mends_them(code: str, may: str, leads_to: str, sign_in: SignIn) -> None:
    finding = factories.FindingFactory.create(code=code)
    arguments = [finding.target.alias] if code == "missing_index" else []
    url = reverse(leads_to, args=arguments)
    assert url in page(sign_in(may), finding, name="finding")
    assert url not in page(sign_in(), finding, name="finding")


def test_every_kind_has_a_name_and_says_why_it_matters() -> None:
    assert set(KINDS) == {each.code for each in all_detectors()}
    assert all(kind.name and kind.meaning for kind in KINDS.values())


def test_a_missing_foreign_key_leads_to_the_orphans_in_its_way(sign_in: SignIn) -> None:
    finding = make()
    missing = factories.FindingFactory.create(
        code="missing_foreign_key", target=finding.target, message="No key"
    )
    text = page(sign_in(), missing, name="finding")
    assert "Nothing keeps rows from referring to what does not exist." in text
    assert reverse("admin:integrity_orphanfinding_change", args=[finding.pk]) in text


def test_odd_names_are_shown_as_they_are(sign_in: SignIn) -> None:
    name = '"><script>alert(1)</script>'
    finding = make(table_name=name, label=name, columns=["a b", 'c"d'], referenced_table="x%s{}", cause="?")
    for text in (page(sign_in(), finding), listed(sign_in())):
        assert "<script>alert" not in text
        assert "&lt;script&gt;" in text


def test_a_page_of_nothing_or_for_nobody(sign_in: SignIn, client: Client) -> None:
    url = reverse("admin:integrity_orphanfinding_change", args=["nonsense"])
    assert sign_in().get(url).status_code == 302
    other = factories.FindingFactory.create(code="missing_index")
    assert sign_in().get(reverse("admin:integrity_orphanfinding_change", args=[other.pk])).status_code == 302
    client.logout()
    assert "/login/" in client.get(url)["Location"]


# -- notes -----------------------------------------------------------------------------------


def test_a_note_is_kept_with_who_wrote_it_and_is_in_the_log(sign_in: SignIn) -> None:
    finding = make()
    client = sign_in("note_finding")
    url = reverse("admin:integrity_orphanfinding_note", args=[finding.pk])
    response = client.post(url, {"text": "Ask Grace.\n<b>First</b>"})
    assert response["Location"].endswith(f"/orphanfinding/{finding.pk}/change/#notes")
    note = models.FindingNote.objects.get()
    assert (note.finding_id, note.author.startswith("person")) == (finding.pk, True)
    assert "Ask Grace.<br>&lt;b&gt;First&lt;/b&gt;" in page(client, finding)
    assert "Ask Grace." in LogEntry.objects.get().change_message
    history = client.get(reverse("admin:integrity_orphanfinding_history", args=[finding.pk]))
    assert "Ask Grace." in history.content.decode()


def test_an_empty_a_far_too_long_and_a_forged_note_are_refused(sign_in: SignIn) -> None:
    finding = make()
    url = reverse("admin:integrity_orphanfinding_note", args=[finding.pk])
    client = sign_in("note_finding")
    for text in ("", "   ", "x" * 5_000, "nul\0"):
        client.post(url, {"text": text})
    assert client.get(url).status_code == 405
    assert (
        client.post(reverse("admin:integrity_orphanfinding_note", args=[0]), {"text": "x"}).status_code == 404
    )
    assert "New note" not in page(sign_in(), finding)
    assert sign_in().post(url, {"text": "forged"}).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert strict.post(url, {"text": "forged"}).status_code == 403
    assert not models.FindingNote.objects.exists()


# -- files -----------------------------------------------------------------------------------


def test_the_list_that_is_seen_is_downloaded(sign_in: SignIn) -> None:
    make(table_name="=cmd", rows=3)
    make(table_name="kept", state="kept")
    client = sign_in("download_csv")
    assert "Download as CSV" in listed(client)
    response = client.get(reverse("admin:integrity_orphanfinding_csv") + "?size=few")
    lines = b"".join(response.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 2
    assert lines[0].startswith("target,kind,severity,state,reference,refers to,rows,")
    assert "'=cmd.customer_id,main.customers.id,3," in lines[1]
    assert LogEntry.objects.count() == 1


def test_a_file_has_its_own_permission(sign_in: SignIn) -> None:
    make()
    for name in ("finding", "orphanfinding"):
        client = sign_in()
        assert "Download as CSV" not in listed(client, name=name)
        assert client.get(reverse(f"admin:integrity_{name}_csv")).status_code == 403


def test_the_evidence_of_any_age_makes_a_page(sign_in: SignIn) -> None:
    odd = [
        {"causes": [{"kind": "sentinel", "rows": 1, "evidence": {"values": [0, ""]}}]},
        {"causes": [{"kind": "import", "rows": 1, "evidence": {"first": "?", "last": None}}]},
        {
            "created": {
                "first": "odd",
                "last": "2026",
                "timeline": {"unit": "x", "stretches": [{"start": "?", "rows": 0}] * 2},
            }
        },
        {"created": None, "causes": None, "top_missing_keys": None, "means": None},
        {"means": {"kind": "view", "null": None}},
    ]
    client = sign_in("view_sample_rows", *ALL)
    for evidence in odd:
        finding = make(evidence=evidence, rows=0, missing_keys=0, referenced_columns=[])
        assert "What can become of these rows" in page(client, finding), json.dumps(evidence)
