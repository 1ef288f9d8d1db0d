"""Another tool's scripts as migrations: which can be, and the files that hold them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

from integrity.detectors.ledger_disagrees import removed_on_purpose
from integrity.operations.catalog_migrations import CatalogPackage
from integrity.operations.writer import WIDTH, WrittenFile, package_files, quoted
from integrity.references.catalog import Catalog
from integrity.references.ledger_scripts import LedgerScript
from integrity.references.made_objects import MadeObject
from integrity.references.severity import Severity
from integrity.scripts.auditing import ScriptAudit, audit_scripts
from integrity.scripts.checks.base import LiveTarget
from integrity.scripts.checks.differs_from_target import DiffersFromTarget
from integrity.scripts.effects import FRAME, Effects, effects_of
from integrity.scripts.finding import ScriptFinding
from integrity.scripts.reading import read_scripts
from integrity.scripts.statement import Dialect, Place, Script, Statement

ENGINES = (Dialect.POSTGRESQL, Dialect.SQLITE)
_ALONE = re.compile(
    r"(VACUUM|REINDEX\s.*CONCURRENTLY|(CREATE|DROP)\s+(UNIQUE\s+)?INDEX\s+CONCURRENTLY|CREATE\s+DATABASE|"
    r"DROP\s+DATABASE|ALTER\s+SYSTEM|ATTACH|DETACH)\b",
    re.IGNORECASE,
)
_COPY = re.compile(r"COPY\b.*\bFROM\s+STDIN\b", re.IGNORECASE | re.DOTALL)
_SETTING = re.compile(r"SET\s+(?!LOCAL\b|CONSTRAINTS\b|TRANSACTION\b)(SESSION\s+)?", re.IGNORECASE)
_ROWS = re.compile(r"(INSERT|UPDATE|DELETE|MERGE|WITH|TRUNCATE|REPLACE|DO)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Adoptable:
    """A script that can be a migration: its statements by engine, and what it leaves behind."""

    script: LedgerScript
    statements: Mapping[str, tuple[str, ...]]
    reverse: Mapping[str, tuple[str, ...]]
    makes: tuple[MadeObject, ...]
    drops: bool
    error: str = ""
    """Why its statements are left out, so that it is only recorded."""

    @property
    def changes_rows(self) -> bool:
        """Whether one of its statements may change rows."""
        return any(_ROWS.match(each) for some in self.statements.values() for each in some)


def only_recorded(script: LedgerScript, makes: Sequence[MadeObject], error: str) -> Adoptable:
    """Returns a script whose results stand, without its statements: an error keeps them from being run."""
    return Adoptable(script, {str(each): () for each in ENGINES}, {}, tuple(makes), drops=False, error=error)


@dataclass(frozen=True)
class Refused:
    """A script that cannot be one, and why, with the place."""

    script: LedgerScript
    reason: str


def adoptable(
    scripts: Sequence[LedgerScript],
    catalog: Catalog,
    live: LiveTarget | None = None,
    standing: Collection[LedgerScript] = (),
) -> list[Adoptable | Refused]:
    """Returns what becomes of each script: those in which an audit of scripts finds errors are refused.

    Args:
        scripts: the scripts, in their order.
        catalog: the target's catalog.
        live: the target, which may have what no script makes.
        standing: those whose results are in it: what only the others will change there is no difference.
    """
    audit = audit_scripts([_near(each.path) for each in scripts], catalog=catalog, live=live)
    read = {each.path.resolve(): each for each in audit.scripts}
    ordered = [read[each.path.resolve()] for each in scripts]
    errors: dict[str, ScriptFinding] = {}
    for each in _errors(audit, [each for each in scripts if each in standing], catalog, live):
        errors.setdefault(each.place.file, each)
    removed = set(removed_on_purpose(catalog))
    left = {engine: effects_of(ordered, str(engine)) for engine in ENGINES}
    return [
        _adoptable(
            own, script, errors.get(script.shown), {engine: left[engine][at] for engine in ENGINES}, removed
        )
        for at, (own, script) in enumerate(zip(scripts, ordered, strict=True))
    ]


def _errors(
    audit: ScriptAudit, standing: Sequence[LedgerScript], catalog: Catalog, live: LiveTarget | None
) -> list[ScriptFinding]:
    """The errors in their order; a table that scripts will alter differs from the target until they have."""
    found = sorted((each for each in audit.findings if each.severity is Severity.ERROR), key=_at)
    names = {each.path.resolve() for each in standing}
    files = {each.shown for each in audit.scripts if each.path.resolve() in names}
    if len(names) == len(audit.scripts) or not any(_differs(each, files) for each in found):
        return found
    alone = audit_scripts([_near(each.path) for each in standing], catalog=catalog, live=live)
    left = {each.place for each in alone.findings if _differs(each, files)}
    return [each for each in found if not _differs(each, files) or each.place in left]


def _at(finding: ScriptFinding) -> Place:
    return finding.place


def _differs(finding: ScriptFinding, files: Collection[str]) -> bool:
    return finding.code == DiffersFromTarget.code and finding.place.file in files


def _near(file: Path) -> Path:
    """A file as whoever stands here would name it."""
    return Path(os.path.relpath(file)) if file.resolve().is_relative_to(Path.cwd()) else file


def _adoptable(
    own: LedgerScript,
    script: Script,
    error: ScriptFinding | None,
    effects: Mapping[Dialect, Effects],
    removed: Collection[MadeObject],
) -> Adoptable | Refused:
    if script.unread:
        return Refused(own, f"{script.shown}: {script.unread}")
    if error is not None:
        return Refused(own, f"{error.place}: {error.message} ({error.code})")
    for statement in script.statements:
        if reason := _refusal(statement):
            return Refused(own, f"{statement.place}: {reason}")
    statements = dict(_by_engine(script))
    if not statements:
        return Refused(own, f"{script.shown}: it has no statement")
    engines = [Dialect(each) for each in statements]
    left = [effects[each].without(removed) for each in engines]
    makes = [each for each in left[0] if all(each in some for some in left)]
    taken_back = read_scripts([own.reverse]) if own.reverse else []
    reverse = dict(_by_engine(taken_back[0])) if taken_back else {}
    drops = not reverse and all(effects[each].only_makes for each in engines)
    return Adoptable(own, statements, reverse, tuple(makes), drops)


def _refusal(statement: Statement) -> str:
    if statement.unparsed:
        return statement.unparsed
    if statement.dynamic:
        return "a part of it is not known before it is run"
    if _ALONE.match(statement.text):
        return "it cannot run in the transaction that notes it; let the catalog ask for it ([[index]])"
    return "COPY takes its rows from psql" if _COPY.match(statement.text) else ""


def _by_engine(script: Script) -> Iterator[tuple[str, tuple[str, ...]]]:
    for engine in ENGINES:
        texts = tuple(
            _settled(each.text, engine)
            for each in script.statements
            if each.runs_on(engine) and not FRAME.match(each.text)
        )
        if texts:
            yield str(engine), texts


def _settled(text: str, engine: Dialect) -> str:
    """A setting holds for the script's own transaction."""
    return (
        _SETTING.sub("SET LOCAL ", text, count=1)
        if engine is Dialect.POSTGRESQL and _SETTING.match(text)
        else text
    )


# -- writing ---------------------------------------------------------------------------------


def adoption_files(
    package: CatalogPackage, ledger: str, chosen: Sequence[Adoptable], *, again: Sequence[str] = ()
) -> list[WrittenFile]:
    """Returns one migration a script, numbered on from those that are there, with what the package lacks.

    Args:
        package: the target's catalog.
        ledger: the tool's ledger as it is written in catalogs.
        chosen: the scripts.
        again: which of them are run although the ledger says that they were.
    """
    files = package_files(package) if chosen else []
    names = [path.stem for path in package.files]
    number = max((int(match[0]) for name in names if (match := re.match(r"\d+", name))), default=0)
    previous = names[-1] if names else ""
    for each in chosen:
        number += 1
        name = f"{number:04d}_script_{re.sub(r'[^0-9a-zA-Z]+', '_', each.script.name)}"[:120].rstrip("_")
        text = _text(package, ledger, each, previous, again=each.script.name in again)
        files.append(WrittenFile(package.folder / "migrations" / f"{name}.py", text))
        previous = name
    return files


def _text(package: CatalogPackage, ledger: str, each: Adoptable, previous: str, *, again: bool) -> str:
    needs = f"[({quoted(package.label)}, {quoted(previous)})]" if previous else "[]"
    same = len({*each.statements.values()}) == 1 and not each.error
    constant = f"SQL = {_listed(next(iter(each.statements.values())), 0)}\n\n\n" if same else "\n"
    title = _printable(each.script.name)
    arguments = [
        ("script", quoted(each.script.name)),
        ("sql", _sql(each.statements, "SQL" if same else "")),
        ("ledger", quoted(ledger)),
        ("key", quoted(each.script.key)),
        ("when", quoted(each.script.when)),
        ("makes", _makes(each.makes)),
        ("reverse", _sql(each.reverse, "") if each.reverse else ""),
        ("drops", "True" if each.drops else ""),
        ("again", "True" if again else ""),
    ]
    lines = "".join(f"            {name}={value},\n" for name, value in arguments if value and value != '""')
    return (
        f'"""{package.name}: the script {title}, adopted.\n\n'
        "It is run once, whichever tool comes first: what the ledger says was run is not run again, and\n"
        'both ledgers know of it afterwards.\n"""\n\n'
        "from integrity.operations import CatalogMigration, RunScript\n\n"
        f"{constant}class Migration(CatalogMigration):\n"
        f'    """One script."""\n\n'
        f"    target = {quoted(package.name)}\n    phase = 3\n    changes_rows = {each.changes_rows}\n"
        f"    dependencies = {needs}\n    operations = [\n"
        f"{_comment(each.error)}        RunScript(\n{lines}        ),\n    ]\n"
    )


def _comment(error: str) -> str:
    if not error:
        return ""
    said = wrap(_printable(f"Only recorded: {error}"), WIDTH - 12)
    return "".join(f"        # {line}\n" for line in said)


def _sql(statements: Mapping[str, Sequence[str]], constant: str) -> str:
    if constant:
        return "{" + ", ".join(f"{quoted(engine)}: {constant}" for engine in statements) + "}"
    inner = "".join(
        f"                {quoted(engine)}: {_listed(texts, 16)},\n" for engine, texts in statements.items()
    )
    return "{\n" + inner + "            }"


def _listed(texts: Sequence[str], depth: int) -> str:
    if not texts:
        return "()"
    inner = "".join(f"{' ' * (depth + 4)}{_literal(text)},\n" for text in texts)
    return f"(\n{inner}{' ' * depth})"


def _makes(makes: Sequence[MadeObject]) -> str:
    if not makes:
        return ""
    return "(\n" + "".join(f"                {quoted(str(each))},\n" for each in makes) + "            )"


def _literal(text: str) -> str:
    """A statement as it stands in its script, where Python reads it so; else whatever Python can read."""
    plain = all(each.isprintable() or each in "\n\t" for each in text)
    if not plain or '"""' in text or "\\" in text or text.endswith('"') or text.startswith('"'):
        return repr(text)
    return f'"""{text}"""' if "\n" in text else quoted(text)


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() and each not in '"\\' else " " for each in text)
