"""Names of models, fields and reverse relations: Python's, legal for Django, each given once.

What Django forbids: django.db.models.Field._check_field_name (fields.E001 to E003) and
RelatedField._check_related_name_is_valid, _check_related_query_name_is_valid (E306, E308, E309).
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable

from integrity.database.identifiers import TableName
from integrity.references.log_entry import singular

SHORTEST_PLURAL = 4
RESERVED = frozenset({
    "DoesNotExist", "MultipleObjectsReturned", "NotUpdated", "adelete", "arefresh_from_db", "asave",
    "check", "clean", "clean_fields", "date_error_message", "delete", "from_db", "full_clean",
    "get_constraints", "get_deferred_fields", "objects", "pk", "prepare_database_save",
    "refresh_from_db", "save", "save_base", "serializable_value", "unique_error_message",
    "validate_constraints", "validate_unique",
})  # fmt: skip
"""Attributes of every model, which a field of that name would hide."""
_IN_THE_MODULE = frozenset({"models", "postgres", "fields", "RawSQL", "Meta"})
"""Names that the bodies of generated classes use."""


def snake(name: str) -> str:
    """Returns a name as Python writes it: ``storeId`` and ``Store ID`` are ``store_id``."""
    text = unicodedata.normalize("NFKC", name)
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text))
    text = unicodedata.normalize("NFKC", text.lower())
    words = "".join(each if f"a{each}".isidentifier() else "_" for each in text)
    return re.sub(r"_+", "_", words).strip("_")


def one_of(name: str) -> str:
    """Returns a name in the singular: ``store_customers`` is ``store_customer``; of three letters none
    is a plural."""
    whole = snake(name)
    return whole if len(whole.rpartition("_")[2]) < SHORTEST_PLURAL else snake(singular(whole))


def class_name(table: TableName, default_schema: str, taken: set[str]) -> str:
    """Returns the model's name for a table, and takes it.

    A table of another schema than the default carries that before its name, whether or not it must,
    so that no table changes its model's name when another one appears.
    """
    prefix = "" if table.schema == default_schema else snake(table.schema) + "_"
    wanted = [_camel(prefix + one_of(table.name)), _camel(prefix + snake(table.name))]
    legal = [name for name in (*wanted, f"Table{wanted[0]}", "Table") if _is_legal_class(name)]
    return _first_free(legal[:2], taken)


def field_name(wanted: Iterable[str], taken: set[str], *, relation: bool = False) -> str:
    """Returns the first name that is legal and free, and takes it; of a relation its ``_id`` as well."""
    legal = [name for each in wanted if (name := _legal(each))]
    candidates = [*legal, *(f"{name}_field" for name in legal[-1:])] or ["field"]
    ends = ("", "_id") if relation else ("",)
    free = (name for name in _numbered(candidates) if not {name + end for end in ends} & taken)
    found = next(free)
    taken.update(found + end for end in ends)
    return found


def _legal(name: str) -> str:
    """A name that Python and Django allow, or nothing where it has no letter at all."""
    name = snake(name)
    if not name:
        return ""
    if not name.isidentifier():
        name = f"field_{name}"
    if keyword.iskeyword(name) or name in RESERVED or name in _IN_THE_MODULE:
        name = f"{name}_field"
    return name if _is_python(name) else ""


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _is_legal_class(name: str) -> bool:
    hidden = keyword.iskeyword(name) or hasattr(builtins, name) or name in _IN_THE_MODULE
    return _is_python(name) and not hidden


def _is_python(name: str) -> bool:
    """Whether Python reads it as a name, and as this one: it normalises names (PEP 3131)."""
    return name.isidentifier() and unicodedata.normalize("NFKC", name) == name


def _first_free(names: list[str], taken: set[str]) -> str:
    found = next(name for name in _numbered(names) if name.lower() not in taken)
    taken.add(found.lower())
    return found


def _numbered(names: list[str]) -> Iterable[str]:
    yield from names
    number = 2
    while True:
        yield f"{names[-1]}_{number}" if names[-1].islower() else f"{names[-1]}{number}"
        number += 1
