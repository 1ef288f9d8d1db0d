"""Targets named in the environment become entries of ``DATABASES``.

Nothing here repeats a URL in an error: it may hold a password, and errors end up in logs.
"""

from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS

POSTGRESQL = "django.db.backends.postgresql"
SQLITE = "django.db.backends.sqlite3"
LIBSQL = "integrity.database.libsql"

EXAMPLE = "shop=postgresql://user@host/shop old=sqlite:////srv/old.sqlite3"


def parse_targets(text: str) -> dict[str, dict[str, Any]]:
    """Return the ``DATABASES`` entries that ``INTEGRITY_TARGETS`` describes, in its order.

    Args:
        text: ``name=url`` entries with white space between them; may be empty.

    Raises:
        ImproperlyConfigured: An entry is malformed, or a name is taken.
    """
    targets: dict[str, dict[str, Any]] = {}
    for position, entry in enumerate(text.split(), start=1):
        alias, url = _split_entry(entry, position)
        if alias in targets:
            raise ImproperlyConfigured(f"INTEGRITY_TARGETS names {alias!r} twice; give each one entry.")
        targets[alias] = database_settings(url, alias=alias)
    return targets


def database_settings(url: str, *, alias: str = "target") -> dict[str, Any]:
    """Return what ``DATABASES`` holds for a target at ``url``.

    Django must neither migrate a target when tests begin nor wrap requests in its transactions, and a
    connection that waits behind a pooler must not keep server-side state.

    Args:
        url: ``postgresql://user:password@host:port/name?option=value``, ``sqlite:////absolute/path`` or
            ``libsql:////absolute/path``.
        alias: The name that errors use, since they do not show the URL.

    Raises:
        ImproperlyConfigured: The URL cannot be read, or names a database that is not supported.
    """
    settings = _parse_url(url, alias)
    engines = {SQLITE: _sqlite_settings, LIBSQL: _sqlite_settings, POSTGRESQL: _postgresql_settings}
    complete = engines[settings["ENGINE"]]
    return {
        **_shared_catalog(settings),
        **complete(settings, alias),
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": 0,
        "TEST": {"MIGRATE": False},
    }


def _shared_catalog(settings: dict[str, Any]) -> dict[str, str]:
    """Takes ``catalog=name`` out of the options: no driver knows it, and targets may share a catalog."""
    catalog = settings.get("OPTIONS", {}).pop("catalog", "")
    return {"CATALOG": catalog} if catalog else {}


def _split_entry(entry: str, position: int) -> tuple[str, str]:
    """Take ``name=url`` apart; an entry without a name is told by its position."""
    alias, equals, url = entry.partition("=")
    if not (equals and url and alias.isidentifier()):
        raise ImproperlyConfigured(
            f"INTEGRITY_TARGETS, entry {position}: not of the form name=url, where a name is made of "
            f"letters, digits and underscores. Write for example: {EXAMPLE}"
        )
    if alias == DEFAULT_DB_ALIAS:
        raise ImproperlyConfigured(
            f"INTEGRITY_TARGETS, entry {position}: {DEFAULT_DB_ALIAS!r} is the site's own database. "
            "Set that with DATABASE_URL, or give the target another name."
        )
    return alias, url


def _parse_url(url: str, alias: str) -> dict[str, Any]:
    if url.lower().startswith("libsql:"):
        return _parse_libsql(url, alias)
    try:
        parsed = dict(dj_database_url.parse(url))
    except ValueError:
        raise ImproperlyConfigured(
            f"Target {alias!r}: its URL cannot be read. Percent-encode special characters in the password, "
            f"and write for example: {EXAMPLE}"
        ) from None
    if parsed["ENGINE"] not in (POSTGRESQL, SQLITE):
        raise ImproperlyConfigured(
            f"Target {alias!r}: {parsed['ENGINE']} is not supported. "
            "Use a postgresql://, a sqlite:// or a libsql:// URL."
        )
    return parsed


def _parse_libsql(url: str, alias: str) -> dict[str, Any]:
    """A file of libSQL's is written as one of SQLite's; with a host it is a database of Turso's service."""
    if not url[len("libsql:") :].startswith("///"):
        raise ImproperlyConfigured(
            f"Target {alias!r}: a database of Turso's service cannot be a target by its URL (docs/libsql.md "
            "says why). Write libsql:// and the absolute path of a local file: four slashes in all."
        )
    return {**_parse_url(f"sqlite{url[len('libsql') :]}", alias), "ENGINE": LIBSQL}


def _sqlite_settings(settings: dict[str, Any], alias: str) -> dict[str, Any]:
    """Every connection has to see the same database, so it must be a file, and found from any folder."""
    if settings["NAME"] == ":memory:":
        raise ImproperlyConfigured(
            f"Target {alias!r}: a SQLite target must be a file. Write sqlite:// (or libsql://) and the "
            "absolute path: four slashes in all."
        )
    return {**settings, "NAME": str(Path(settings["NAME"]).resolve())}


def _postgresql_settings(settings: dict[str, Any], alias: str) -> dict[str, Any]:
    """An unreachable server must say so within seconds, and a pooler must be able to stand between."""
    if not settings["NAME"]:
        raise ImproperlyConfigured(
            f"Target {alias!r}: its URL names no database. Write postgresql://user@host/database"
        )
    return {
        **settings,
        "OPTIONS": {"connect_timeout": 5, **settings.get("OPTIONS", {})},
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
