"""How the words of a catalog's entry are read: a value of the right type, or an error that says which."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from integrity.database.identifiers import Path
from integrity.database.schema import did_you_mean
from integrity.exceptions import CatalogError, InvalidIdentifier

VENDORS = ("postgresql", "sqlite")

Fail = Callable[[str, str], CatalogError]
"""Makes the error for a mistake and a hint, with the place of the entry."""

PerVendor = Mapping[str, str]
"""SQL by vendor; under the empty name, what every other vendor gets."""


def for_vendor(sql: PerVendor, vendor: str) -> str:
    """Returns the SQL that an engine gets, empty where there is none."""
    return sql.get(vendor, sql.get("", ""))


def read_sql(data: Mapping[str, Any], word: str, fail: Fail) -> PerVendor:
    """Returns SQL that is written once for every vendor, or as a table by vendor."""
    value = data.get(word, "")
    if isinstance(value, str):
        return {"": value} if value else {}
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise fail(
            f"{word} must be SQL, or a table of SQL by vendor",
            f'Write {word} = {{ postgresql = "…", sqlite = "…" }}.',
        )
    only_words(value, VENDORS, fail)
    return dict(value)


def only_words(data: Mapping[str, Any], words: Sequence[str], fail: Fail) -> None:
    """Raises for a word that nobody knows, with the nearest right one."""
    for word in data:
        if word not in words:
            raise fail(f"{word!r} is not a word of a catalog", did_you_mean(word, list(words)))


def read_flag(data: Mapping[str, Any], word: str, fail: Fail, *, default: bool = False) -> bool:
    """Returns a truth value."""
    value = data.get(word, default)
    if not isinstance(value, bool):
        raise fail(f"{word} must be true or false", f"Write {word} = true.")
    return value


def read_text(data: Mapping[str, Any], word: str, fail: Fail, *, required: bool = False) -> str:
    """Returns a text, empty where the word is missing and need not be there."""
    value = data.get(word, "")
    if not isinstance(value, str):
        raise fail(f"{word} must be text", f'Write {word} = "…".')
    if required and not value:
        raise fail(f"{word} is missing", f'Write {word} = "…".')
    return value


def read_texts(data: Mapping[str, Any], word: str, fail: Fail, *, required: bool = False) -> tuple[str, ...]:
    """Returns a list of texts, empty where the word is missing and need not be there."""
    value = data.get(word, [])
    known = isinstance(value, list) and all(isinstance(each, str) for each in value)
    if not known or (required and not value):
        raise fail(f"{word} must be a list of texts", f'Write {word} = ["…"].')
    return tuple(value)


def read_path(data: Mapping[str, Any], word: str, read: Callable[[str], Path], fail: Fail) -> Path:
    """Returns a name in the notation of catalogs, which must be there."""
    text = read_text(data, word, fail, required=True)
    try:
        return read(text)
    except InvalidIdentifier as error:
        raise fail(f"{word}: {error.what}", error.hint) from error


def read_paths(
    data: Mapping[str, Any], word: str, read: Callable[[str], Path], fail: Fail
) -> tuple[Path, ...]:
    """Returns names in that notation, one at least."""
    texts = read_texts(data, word, fail, required=True)
    return tuple(read_path({word: text}, word, read, fail) for text in texts)


Word = TypeVar("Word", bound=StrEnum)


def read_choice(data: Mapping[str, Any], word: str, words: type[Word], fail: Fail) -> Word | None:
    """Returns one of ``words``, None where the word is missing."""
    if word not in data:
        return None
    text = read_text(data, word, fail)
    same = [each for each in words if _plain(each) == _plain(text)]
    if not same:
        raise fail(f"{word} = {text!r} is not known", did_you_mean(text, [str(each) for each in words]))
    return same[0]


def _plain(word: str) -> str:
    """A word without regard to case and to how its parts are joined: SET NULL is set_null."""
    return word.lower().replace("_", " ").strip()
