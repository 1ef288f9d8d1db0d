"""Functions that nobody has to define: the engines' own, and those of well-known extensions."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

_EXTENSIONS = (
    "st_", "uuid_generate_", "pgp_", "gin_", "gist_", "ts_", "hstore", "dblink", "earth_", "fts5", "rtree",
    "pg_",
)  # fmt: skip
_OF_EXTENSIONS = frozenset({
    "crypt", "gen_salt", "digest", "hmac", "armor", "dearmor", "gen_random_bytes", "similarity",
    "word_similarity", "strict_word_similarity", "show_trgm", "unaccent", "crosstab", "levenshtein",
    "soundex", "metaphone", "dmetaphone", "difference", "nlevel", "subpath", "subltree", "lca", "text2ltree",
    "create_hypertable", "time_bucket", "cosine_distance", "l2_distance", "inner_product", "load_extension",
    "ifnull", "moddatetime", "akeys", "avals", "skeys", "svals", "each", "uuid_nil", "xmlelement",
    "xmlforest", "xmlattributes", "xmlroot", "xmlpi", "row", "merge_action",
})  # fmt: skip
_CREATED = re.compile(r"\bCREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?[\"']?([\w-]+)", re.IGNORECASE)
_WELL_KNOWN = frozenset({
    "pgcrypto", "uuid-ossp", "pg_trgm", "citext", "unaccent", "hstore", "ltree", "tablefunc", "fuzzystrmatch",
    "btree_gin", "btree_gist", "postgis", "vector", "pg_stat_statements", "plpgsql", "moddatetime", "dblink",
    "pageinspect", "pgstattuple", "pg_buffercache", "postgres_fdw",
})  # fmt: skip


@lru_cache(maxsize=1)
def _of_engines() -> frozenset[str]:
    text = files("integrity.scripts").joinpath("builtin_functions.txt").read_text(encoding="utf-8")
    return frozenset(name for line in text.splitlines() if line[:1] != "#" for name in line.split())


def is_builtin(name: str) -> bool:
    """Whether an engine itself, or a well-known extension, has a function of that name."""
    return name in _of_engines() or name in _OF_EXTENSIONS or name.startswith(_EXTENSIONS)


def unknown_extension(statement: str) -> bool:
    """Whether a statement makes an extension whose functions are not known here."""
    found = _CREATED.search(statement)
    return found is not None and found.group(1).lower() not in _WELL_KNOWN
