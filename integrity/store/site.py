"""The site's own database, and what to say when it cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError, OperationalError, router, transaction

from integrity import models
from integrity.exceptions import ReferentialIntegrityError

_MISSING_ON_POSTGRESQL = ("42P01", "42703")
_FULL_ON_POSTGRESQL, _FULL_ON_SQLITE = "53100", "disk is full"
_MISSING_ON_SQLITE = ("no such table", "no such column", "has no column named")


def alias() -> str:
    """The alias of the database in which the site remembers."""
    return router.db_for_write(models.Target)


@contextmanager
def site_database(*, atomic: bool = False) -> Iterator[None]:
    """Says what to do when the site's own database lacks the tables of this app or cannot be opened.

    Args:
        atomic: whether all within is one transaction.

    Raises:
        ReferentialIntegrityError: with the command that helps.
    """
    try:
        if atomic:
            with transaction.atomic(using=alias()):
                yield
        else:
            yield
    except (DatabaseError, InterfaceError) as error:
        if _lacks_tables(error):
            raise _not_migrated() from error
        if isinstance(error, (OperationalError, InterfaceError)):
            _let_go()
            raise _unusable(error) from error
        raise


def _lacks_tables(error: Exception) -> bool:
    code = getattr(error.__cause__, "sqlstate", None)
    return code in _MISSING_ON_POSTGRESQL or any(words in str(error) for words in _MISSING_ON_SQLITE)


def _not_migrated() -> ReferentialIntegrityError:
    return ReferentialIntegrityError(
        "The site's own database lacks the tables of this app",
        where=alias(),
        hint="Run manage.py migrate.",
    )


def _let_go() -> None:
    """Closes a connection that the server has ended, so that whoever tries again gets a new one: nobody else
    does so for threads that outlive a request."""
    transaction.get_connection(alias()).close_if_unusable_or_obsolete()


def _unusable(error: Exception) -> ReferentialIntegrityError:
    what = str(error).strip()
    full = getattr(error.__cause__, "sqlstate", None) == _FULL_ON_POSTGRESQL or _FULL_ON_SQLITE in what
    mend = "Make room for it" if full else "Correct its entry in DATABASES, or try again when it is free"
    return ReferentialIntegrityError(
        f"The site's own database cannot be used: {what}",
        where=alias(),
        hint=f"Nothing could be recorded there. {mend}.",
    )
