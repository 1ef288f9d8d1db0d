"""The two files of a target's models: one that is written anew, and one that belongs to people."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps

from integrity import conf
from integrity.exceptions import CatalogError
from integrity.modelling.graph import ModelGraph
from integrity.modelling.layout import WIDTH, docstring
from integrity.modelling.text import BASE, generated_text
from integrity.operations.catalog_migrations import CatalogPackage, catalog_package
from integrity.operations.replacing import replace_files
from integrity.operations.writer import WrittenFile, package_files

GENERATED = "generated.py"
_WELCOME = """Models of {target}: yours to add methods, managers, __str__ and more.

integrity_models writes generated.py anew, adds a model here for each new table, takes
out one whose table is gone and to which nothing was added, and changes nothing else.
A field that should be another is declared again in its model; more Meta is written as
class Meta(generated.{first}.Meta).
"""


@dataclass(frozen=True)
class ModelFiles:
    """What was written, or would be: only files that change.

    ``added`` and ``removed`` are models of ``models.py``; ``emptied`` is the folder of migrations that
    was taken away, because Django asks for a migration wherever there is one, even without any.
    """

    package: CatalogPackage
    files: list[WrittenFile]
    added: list[str]
    removed: list[str]
    emptied: Path | None = None

    @property
    def up_to_date(self) -> bool:
        """Whether there was nothing to write."""
        return not (self.files or self.emptied)


def write_models(
    alias: str, graph: ModelGraph, *, root: Path | None = None, dry_run: bool = False
) -> ModelFiles:
    """Writes the models of a target into the package of its catalog.

    Args:
        alias: the target.
        graph: its models.
        root: the folder of all catalogs (default: the setting).
        dry_run: returns the files without writing them.

    Raises:
        CatalogError: a model to which somebody added has no table any more, or ``models.py`` is no Python.
        FileNotWritten: a disk is full or read-only; every file is as it was.
    """
    package = catalog_package(alias, root)
    text = generated_text(package.name, package.label, graph, _names_elsewhere(package.label))
    ours = _models_file(package.folder)
    models, added, removed = _models_text(ours, package, graph)
    wanted = [WrittenFile(package.folder / GENERATED, text), WrittenFile(ours, models)]
    skeleton = [each for each in package_files(package) if each.path.name in ("__init__.py", "apps.py")]
    empty = _empty_migrations(package)
    files = [each for each in skeleton if each.path.parent.name != "migrations"]
    files += [each for each in wanted if not each.path.exists() or _read(each.path) != each.text]
    if not dry_run:
        _write(files, empty)
    return ModelFiles(package, files, added, removed, empty)


def _write(files: list[WrittenFile], empty: Path | None) -> None:
    replace_files({file.path: file.text for file in files})
    if empty is not None:
        empty.unlink()


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _empty_migrations(package: CatalogPackage) -> Path | None:
    """The file that makes a folder without any migration a package of migrations, where it says nothing."""
    file = package.folder / "migrations" / "__init__.py"
    return file if not package.files and file.is_file() and not _read(file).strip() else None


def _names_elsewhere(label: str) -> set[str]:
    """Names of indexes and constraints of other apps' models."""
    others = [model._meta for model in apps.get_models() if model._meta.app_label != label]
    return {each.name for meta in others for each in (*meta.indexes, *meta.constraints)}


# -- models.py -------------------------------------------------------------------------------


def _models_file(folder: Path) -> Path:
    """``models.py``, or ``models/__init__.py`` where somebody made a package of it."""
    package = folder / "models" / "__init__.py"
    return package if package.exists() else folder / "models.py"


def _models_text(file: Path, package: CatalogPackage, graph: ModelGraph) -> tuple[str, list[str], list[str]]:
    """Returns the text of ``models.py``, and the models that are added to it and taken out."""
    text = _read(file) if file.exists() else ""
    found = _classes(file, text)
    if not found and not _says_something(text):
        names = [model.name for model in graph.models.values()]
        return _new_text(package, graph, names), names, []
    known = {model.name + BASE for model in graph.models.values()}
    everywhere = found | _classes_beside(file)
    text, removed = _without(file, text, {base: node for base, node in found.items() if base not in known})
    _refuse_lost(file, {base: path for base, path in _bases_beside(file).items() if base not in known})
    missing = [m.name for m in graph.models.values() if m.name + BASE not in everywhere]
    if missing:
        stubs = "\n\n".join(_stub(graph, name) for name in missing)
        text = f"{_with_import(text, package).rstrip()}\n\n\n{stubs}"
    return text, missing, removed


def _new_text(package: CatalogPackage, graph: ModelGraph, names: list[str]) -> str:
    head = _WELCOME.format(target=package.name, first=f"{names[0]}{BASE}" if names else "XBase")
    stubs = "\n\n".join(_stub(graph, name) for name in names)
    imports = f"{_import_line(package)}\n\n\n" if names else ""
    return f'"""{head}"""\n\n{imports}{stubs}'.rstrip() + "\n"


def _stub(graph: ModelGraph, name: str) -> str:
    table = next(model.table.name for model in graph.models.values() if model.name == name)
    written = table.name if table.schema == graph.schema.default_schema else str(table)
    said = "\n".join(docstring(f"A row of {written}.", 4))
    base = f"generated.{name}{BASE}"
    head = f"class {name}({base}):"
    if len(head) > WIDTH:
        head = f"class {name}(\n    {base},\n):"
    return f"{head}\n{said}\n"


def _import_line(package: CatalogPackage) -> str:
    return f"from {conf.catalog_package()}.{package.name} import generated"


def _says_something(text: str) -> bool:
    """Whether a module has more than a docstring."""
    body = ast.parse(text).body
    return any(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in body)


def _classes(file: Path, text: str) -> dict[str, ast.ClassDef]:
    """The classes of a module by the generated model that each is made on."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise CatalogError(
            f"The models cannot be read: {error.msg}",
            where=f"{file}, line {error.lineno}",
            hint="Correct it.",
        ) from error
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    return {base: node for node in classes for base in _generated_bases(node)}


def _generated_bases(node: ast.ClassDef) -> Iterator[str]:
    for base in node.bases:
        name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
        if name.endswith(BASE):
            yield name


def _classes_beside(file: Path) -> dict[str, ast.ClassDef]:
    return {base: node for path in _beside(file) for base, node in _classes(path, _read(path)).items()}


def _bases_beside(file: Path) -> dict[str, Path]:
    return {base: path for path in _beside(file) for base in _classes(path, _read(path))}


def _beside(file: Path) -> list[Path]:
    """The other modules of a package of models; nothing where it is one file."""
    return sorted(set(file.parent.glob("*.py")) - {file}) if file.name == "__init__.py" else []


def _without(file: Path, text: str, gone: dict[str, ast.ClassDef]) -> tuple[str, list[str]]:
    """Takes out models whose table is gone, those that nobody added to."""
    _refuse_lost(file, {base: file for base, node in gone.items() if not _is_untouched(node)})
    lines = text.splitlines(keepends=True)
    for node in sorted(gone.values(), key=lambda node: -node.lineno):
        start, end = node.lineno - 1, node.end_lineno or node.lineno
        while start and not lines[start - 1].strip():
            start -= 1
        del lines[start:end]
    return "".join(lines), sorted(node.name for node in gone.values())


def _refuse_lost(file: Path, lost: dict[str, Path]) -> None:
    if lost:
        names = ", ".join(sorted(base.removesuffix(BASE) for base in lost))
        raise CatalogError(
            f"There is no table any more for models that somebody added to: {names}",
            where=", ".join(sorted({str(path) for path in lost.values()} or {str(file)})),
            hint="Take these models out, then run this again.",
        )


def _is_untouched(node: ast.ClassDef) -> bool:
    docstring_only = len(node.body) == 1 and isinstance(node.body[0], ast.Expr | ast.Pass)
    return docstring_only and len(node.bases) == 1 and not node.decorator_list


def _with_import(text: str, package: CatalogPackage) -> str:
    """Adds the import of ``generated`` behind the last one where it is missing."""
    body = ast.parse(text).body
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    if any(alias.name == "generated" and not alias.asname for node in imports for alias in node.names):
        return text
    is_docstring = bool(body) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    before = imports[-1] if imports else body[0] if is_docstring else None
    place = (before.end_lineno or 0) if before else 0
    lines = text.splitlines()
    spaced = ["", _import_line(package)] if before and not imports else [_import_line(package)]
    return "\n".join([*lines[:place], *spaced, *lines[place:]]) + "\n"
