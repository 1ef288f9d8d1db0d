"""What an engine must be able to do: the one list of differences between databases.

Each subject has a file here with an abstract class, and a file of the same name beside it with each vendor's;
:class:`Engine` is all of them. The next difference goes where its subject is, a new vendor is a folder with
these files. SQL that every engine understands alike is built elsewhere, from the pieces given here.

The parts are joined by inheritance, not held as ``engine.rows`` or ``engine.keys``: who uses an engine
asks for one thing (``engine.source(table)``) and need not know where it is kept; a part that needs another
one (a lock ends with a rollback, an update is written with locators) says so by inheriting it, instead of
handing engines around; and an engine that is another's but for a few methods, as libSQL's is SQLite's, stays
a short list of these. The price: no two parts may use the same name.
"""

from __future__ import annotations

from integrity.database.engine.browsing import Browsing
from integrity.database.engine.keeping import Keeping
from integrity.database.engine.keys import Keys
from integrity.database.engine.locking import Locking
from integrity.database.engine.predicate import Predicate
from integrity.database.engine.restoring import Restoring
from integrity.database.engine.routines import Routines
from integrity.database.engine.rows import Digest, Locator, Rows, Stretch
from integrity.database.engine.structure import Structure
from integrity.database.engine.trials import Trials

__all__ = ["Digest", "Engine", "Locator", "Predicate", "Stretch"]


class Engine(Structure, Routines, Locking, Trials, Keys, Rows, Browsing, Restoring, Keeping):
    """A dialect: opening, structure, comparison, rows, journal, locks and trials."""
