"""integrity_scripts: what it prints, in which form, and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run

CLEAN = "CREATE TABLE IF NOT EXISTS a (id TEXT PRIMARY KEY);\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    return scripts


def test_clean_scripts_end_with_0_and_say_what_was_read(folder: Path) -> None:
    (folder / "a.sql").write_text(CLEAN)
    ran = run("scripts", folder)
    assert ran.code == 0
    assert "Nothing was found." in ran.out
    assert "1 statement of 1 script" in ran.out


def test_findings_are_told_with_line_column_and_a_caret(folder: Path) -> None:
    (folder / "a.sql").write_text(
        "-- dialect: shared\nCREATE TABLE IF NOT EXISTS a (id SERIAL PRIMARY KEY);\n"
    )
    ran = run("scripts", folder)
    assert ran.code == 1
    assert "2:34  error  SERIAL is PostgreSQL's alone" in ran.out
    shown, caret = (line for line in ran.out.splitlines() if line.strip().startswith("|"))
    assert shown[caret.index("^") :].startswith("SERIAL")


def test_fail_on_decides_which_findings_fail(folder: Path) -> None:
    (folder / "a.sql").write_text("-- dialect: shared\nCREATE TABLE IF NOT EXISTS a (b JSONB);\n")
    assert run("scripts", folder).code == 0
    assert run("scripts", folder, "--fail-on", "warning").code == 1


def test_what_is_not_understood_ends_with_2_unless_it_is_silenced(folder: Path) -> None:
    (folder / "a.sql").write_text("SELEC 1;\n")
    ran = run("scripts", folder)
    assert ran.code == 2
    assert "1 statement was not understood." in ran.out
    (folder / "a.sql").write_text("-- integrity: ignore[unparsed]\nSELEC 1;\n")
    assert run("scripts", folder).code == 0


def test_a_file_that_cannot_be_read_ends_with_2_and_is_named(folder: Path) -> None:
    (folder / "a.sql").write_bytes(b"\0")
    (folder / "b.py").write_text("def (SELECT 1")
    ran = run("scripts", folder)
    assert ran.code == 2
    assert "a.sql was not read: it is binary." in ran.out
    assert "b.py was not read: it is not Python" in ran.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none"], "There is no such file or folder"),
        (["{folder}/a.txt"], "This is no script"),
        (["{folder}", "--ignore-file", "none"], "cannot be read"),
        (["{folder}", "--target", "nowhere"], "nowhere"),
        (["{folder}", "--catalog", "none.toml"], "none.toml"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(folder: Path, arguments: list[str], said: str) -> None:
    (folder / "a.txt").write_text("")
    ran = run("scripts", *(each.format(folder=folder) for each in arguments))
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err


SHARED = "-- dialect: shared\n"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT now(); -- integrity: ignore[dialect_only]",
        "SELECT now(); -- integrity: ignore",
        "-- integrity: ignore[dialect_only]\nSELECT\n  now();",
        "/* integrity: ignore */\n\nSELECT\n  now();",
        "SELECT 1;\nSELECT now();\n-- integrity: ignore-file[dialect_only, unparsed]",
        "SELECT\n  1,\n  -- integrity: ignore\n  now();",
    ],
)
def test_a_comment_silences_its_line_its_statement_or_its_file(folder: Path, text: str) -> None:
    (folder / "a.sql").write_text(SHARED + text)
    ran = run("scripts", folder)
    assert ran.code == 0, ran.out
    assert "Silenced: 1 dialect_only." in ran.out
    assert "silences nothing" not in ran.out


@pytest.mark.parametrize(
    "text",
    [
        "SELECT now(); -- integrity: ignore[unparsed]",
        "-- integrity: ignore[dialect_only]\nSELECT 1;\nSELECT now();",
        "SELECT now();\n-- integrity: ignore[dialect_only]",
    ],
)
def test_a_comment_silences_nothing_else_and_that_is_said(folder: Path, text: str) -> None:
    (folder / "a.sql").write_text(SHARED + text)
    ran = run("scripts", folder)
    assert ran.code == 1
    assert "silences nothing" in ran.out


@pytest.mark.parametrize("comment", ["// integrity: ignore[dialect_only]", "/* integrity: ignore */"])
def test_a_comment_of_a_source_silences_what_follows(folder: Path, comment: str) -> None:
    (folder / "a.ts").write_text(f"// dialect: shared\n{comment}\ndb.exec(`SELECT\n now()`);\n")
    assert run("scripts", folder).code == 0


def json_of(folder: Path) -> Any:
    return run("scripts", folder, "--format", "json").json


@pytest.mark.parametrize(
    "line",
    [
        "dialect_only",
        "dialect_only scripts/*.sql",
        "* scripts/ now()",
        "dialect_only scripts now* # why",
        "{fingerprint}",
    ],
)
def test_a_line_of_the_ignore_file_silences_by_code_path_object_or_fingerprint(
    folder: Path, line: str
) -> None:
    (folder / "a.sql").write_text(SHARED + "SELECT now();")
    (finding,) = json_of(folder)["findings"]
    (folder.parent / ".integrity-scripts").write_text("# kept\n" + line.format(**finding))
    found = json_of(folder)
    assert not found["findings"]
    assert found["silenced"][0]["by"]["line"] == 2
    assert not found["idle_silences"]


def test_a_line_of_the_ignore_file_that_silences_nothing_is_said(folder: Path) -> None:
    (folder / "a.sql").write_text(CLEAN)
    (folder.parent / ".integrity-scripts").write_text("dialect_only\n")
    assert ".integrity-scripts:1:1 silences nothing" in run("scripts", folder).out


@pytest.mark.parametrize("line", ["dialect_only legacy/*", "* *.py", "3f2a91c04be7d815"])
def test_a_line_about_what_was_not_read_is_not_called_idle(folder: Path, line: str) -> None:
    (folder / "a.sql").write_text(CLEAN)
    (folder.parent / ".integrity-scripts").write_text(f"{line}\n")
    assert "silences nothing" not in run("scripts", folder).out
    assert "silences nothing" in run("scripts", folder.parent).out


def test_a_mistake_in_the_ignore_file_is_an_error_with_the_nearest_code(folder: Path) -> None:
    (folder / "a.sql").write_text(CLEAN)
    (folder.parent / ".integrity-scripts").write_text("dialect_onyl\n")
    ran = run("scripts", folder)
    assert ran.code == 2
    assert "line 1" in ran.err
    assert "dialect_only" in ran.err


def test_a_fingerprint_stays_when_lines_move_and_tells_equal_findings_apart(folder: Path) -> None:
    (folder / "a.sql").write_text(SHARED + "SELECT now();\nSELECT now();")
    before = [each["fingerprint"] for each in json_of(folder)["findings"]]
    (folder / "a.sql").write_text(SHARED + "\n\nSELECT 1;\nSELECT now();\n\nSELECT now();")
    assert [each["fingerprint"] for each in json_of(folder)["findings"]] == before
    assert len(set(before)) == 2


def test_markdown_is_for_a_pull_request(folder: Path) -> None:
    (folder / "a.sql").write_text(SHARED + "SELECT now();")
    ran = run("scripts", folder, "--format", "markdown")
    assert ran.out.startswith("## SQL scripts\n\n1 error.")
    assert "| 2 | error | dialect\\_only |" in ran.out


def test_sarif_has_what_the_standard_requires(folder: Path) -> None:
    """SARIF 2.1.0, sections 3.13, 3.14, 3.19, 3.27 and 3.30."""
    (folder / "a.sql").write_text(SHARED + "SELECT now();\nSELECT now(); -- integrity: ignore\n")
    (folder / "b é.sql").write_bytes(b"\0")
    ran = run("scripts", folder, "--format", "sarif")
    assert ran.code == 2
    document = json.loads(ran.out)
    assert document["version"] == "2.1.0"
    (sarif,) = document["runs"]
    rules = sarif["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert all(rule["shortDescription"]["text"] for rule in rules)
    told, silenced = sarif["results"]
    for result in (told, silenced):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "dialect_only"
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        assert result["partialFingerprints"]
    region = told["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 2, "startColumn": 8, "endColumn": 11}
    assert silenced["suppressions"][0]["kind"] == "inSource"
    (invocation,) = sarif["invocations"]
    assert invocation["executionSuccessful"] is False
    uri = invocation["toolExecutionNotifications"][0]["locations"][0]["physicalLocation"]["artifactLocation"][
        "uri"
    ]
    assert " " not in uri
    assert "é" not in uri


def test_json_has_every_field_of_a_finding_and_what_was_looked_at(folder: Path) -> None:
    (folder / "a.sql").write_text(SHARED + "SELECT now();")
    found = json_of(folder)
    assert set(found["findings"][0]) == {
        "code", "severity", "fingerprint", "file", "line", "column", "object", "message", "suggestion", "details",
        "portable", "related",
    }  # fmt: skip
    assert found["coverage"] == {
        "complete": True, "scripts": 1, "sources": 0, "statements": 1, "unparsed": 0, "dialects": {"shared": 1},
        "assumed": "", "unread": [],
    }  # fmt: skip
