"""A disk that is full, without one: a SQLite file that may not grow, a PostgreSQL that says it has no room."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from tests.servers import SQLITE, EmptyTarget

ROOM = """
CREATE SEQUENCE changed;
CREATE TABLE room (rows bigint NOT NULL);
INSERT INTO room VALUES (1000000);
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF nextval('public.changed') > (SELECT rows FROM public.room) THEN
    RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device' USING ERRCODE = 'disk_full';
  END IF;
  RETURN NULL;
END $$;
"""
WATCHED = """
CREATE TRIGGER full_disk AFTER DELETE OR UPDATE OR INSERT ON {table}
  FOR EACH ROW EXECUTE FUNCTION public.full_disk();
"""
"""A table of PostgreSQL that can be told when to say that the disk is full."""


@contextmanager
def full_after(target: EmptyTarget, *, rows: int, pages: int) -> Iterator[None]:
    """Let a target have room for some more changes of the table that is watched, or pages of its file."""
    with may_grow(target, pages) if target.vendor == SQLITE else _says_so(target, rows):
        yield


@contextmanager
def may_grow(target: EmptyTarget, pages: int) -> Iterator[None]:
    """Let a SQLite file grow by so many pages and no more: what is beyond fails as on a full disk."""
    ((size,),) = target.rows("PRAGMA page_count")
    options = connections.databases[target.alias].setdefault("OPTIONS", {})
    connections[target.alias].close()
    options["init_command"] = f"PRAGMA max_page_count = {size + pages}"
    try:
        yield
    finally:
        del options["init_command"]
        connections[target.alias].close()


@contextmanager
def _says_so(target: EmptyTarget, rows: int) -> Iterator[None]:
    target.execute_script(f"ALTER SEQUENCE changed RESTART; UPDATE room SET rows = {rows}")
    try:
        yield
    finally:
        target.execute_script("UPDATE room SET rows = 1000000")
