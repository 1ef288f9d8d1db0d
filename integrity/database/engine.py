"""What an engine must be able to do: the one list of differences between databases.

A new vendor is one class with these methods. SQL that every engine understands alike is built
elsewhere, from the pieces given here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from integrity.database.access import Access, Work
from integrity.database.conversions import Conversion
from integrity.database.dependents import Dependent
from integrity.database.field_types import FieldType
from integrity.database.identifiers import TableName
from integrity.database.json_forms import JsonForms
from integrity.database.locks import Blocker, Lock, StatementLock
from integrity.database.routines import Examined, Routine
from integrity.database.schema import Column, ForeignKey, Schema, Table
from integrity.database.session import Session, Target
from integrity.database.spelling import Form
from integrity.database.statistics import Statistics
from integrity.database.usage import Connections
from integrity.exceptions import ReferentialIntegrityError

if TYPE_CHECKING:
    from integrity.database.row_order import RowOrder, Shown

Locator = Any
"""What tells a row from all others within one transaction: a ctid, a rowid, or a key's values."""


@dataclass(frozen=True)
class Predicate:
    """A condition with its parameters; the row it speaks of has the alias ``c``."""

    sql: str
    params: tuple[Any, ...] = ()

    def __and__(self, other: Predicate) -> Predicate:
        return Predicate(f"({self.sql}) AND ({other.sql})", self.params + other.params)

    def __or__(self, other: Predicate) -> Predicate:
        return Predicate(f"({self.sql}) OR ({other.sql})", self.params + other.params)


@dataclass(frozen=True)
class Digest:
    """What the rows of a table amount to: their number and an order-free sum of their hashes."""

    rows: int
    digest: str


class Engine(ABC):
    """A dialect: opening, structure, comparison, rows, journal, locks and DDL."""

    vendor: str
    default_schema: str
    yardstick: str
    """A query of about a millisecond that reads no table: how fast the machine is at this moment."""
    names_violated_key: bool
    """Whether an error says which foreign key was violated."""

    # -- opening ---------------------------------------------------------------------------

    @abstractmethod
    def check_exists(self, target: Target) -> None:
        """Raises TargetUnreachable for what opening would silently create."""

    @abstractmethod
    def prepare(self, connection: BaseDatabaseWrapper) -> None:
        """Adapts the settings of a connection that is not open yet."""

    @abstractmethod
    def opened(self, session: Session) -> None:
        """Adapts a connection that was just opened."""

    @abstractmethod
    def begin_reading(self, session: Session) -> None:
        """Begins the transaction in which everything is read."""

    @abstractmethod
    def begin_changing(self, session: Session) -> None:
        """Begins a transaction that changes rows, its timeouts set."""

    @abstractmethod
    def look(self, session: Session) -> AbstractContextManager[None]:
        """One check within a reading; a failure inside leaves the reading usable."""

    @abstractmethod
    def one_moment(self, session: Session) -> bool:
        """Whether everything that this reading saw so far belongs to one moment."""

    @abstractmethod
    def rollback(self, session: Session) -> None:
        """Ends the transaction without keeping anything; never raises."""

    @abstractmethod
    def streaming_cursor(self, session: Session) -> AbstractContextManager[Any]:
        """A cursor that does not fetch everything at once."""

    @abstractmethod
    def translate(self, error: DatabaseError, session: Session) -> ReferentialIntegrityError | None:
        """Returns what a database error means in this product's words, or None."""

    @abstractmethod
    def opening_error(self, error: Exception, target: Target) -> ReferentialIntegrityError:
        """Returns why a target could not be opened."""

    @contextmanager
    def errors(self, session: Session) -> Iterator[None]:
        """Turns the database errors that a user can act on into ours."""
        try:
            yield
        except DatabaseError as error:
            meaning = self.translate(error, session)
            if meaning is None:
                raise
            raise meaning from error

    def check_session(self, target: Target) -> None:
        """Raises where Django's own connection would set what a pooler gives to the next client."""
        return

    def pooled(self, session: Session) -> bool:
        """Whether a pooler stands between us and the server, so that a session may be another's next."""
        return False

    def hurry(self, connection: BaseDatabaseWrapper, seconds: int) -> None:
        """Bounds how long opening a connection may take, where there is anything to wait for."""
        return

    def connections_in_use(self, session: Session) -> Connections | None:
        """Returns who uses the connections of a server, None where there is no server."""
        return None

    def wait_briefly(self, session: Session) -> None:
        """Within a transaction: from here on a lock is waited for no longer than a migration waits."""
        return

    def blockers(self, session: Session, tables: Sequence[Table], lock: Lock) -> list[Blocker]:
        """Returns whose transactions a lock on these tables would wait for, where that can be known."""
        return []

    @abstractmethod
    def statement_locks(self, statements: Sequence[str]) -> list[StatementLock]:
        """Returns what each statement of a script locks, by its text; those that lock nothing that anybody
        would notice and say nothing (``BEGIN``, ``SET``) are left out."""

    @contextmanager
    def opening_errors(self, target: Target) -> Iterator[None]:
        """Turns whatever keeps a target from being opened into ours."""
        try:
            yield
        except ReferentialIntegrityError:
            raise
        except (DatabaseError, OSError) as error:
            raise self.opening_error(error, target) from error

    @abstractmethod
    def hold_target(
        self, target: Target, name: str, wait: float = 0, on_wait: Callable[[], None] | None = None
    ) -> AbstractContextManager[bool]:
        """Holds a lock on the whole target under ``name``, across processes and (PostgreSQL) hosts,
        until left or until the process dies. Gives False when somebody else still holds it
        after ``wait`` seconds; ``on_wait`` is told once when somebody does."""

    # -- structure -------------------------------------------------------------------------

    @abstractmethod
    def introspect(self, session: Session) -> Schema:
        """Reads the structure in a fixed number of queries; our journal is left out."""

    @abstractmethod
    def dependents(
        self,
        session: Session,
        schema: Schema,
        table: Table,
        column: str,
        *,
        besides: Sequence[TableName] = (),
    ) -> list[Dependent]:
        """What uses a column, in an order in which it can be made again; not the views ``besides``, nor what
        uses only those."""

    @abstractmethod
    def table_dependents(self, session: Session, schema: Schema, table: Table) -> list[Dependent]:
        """What uses a table from outside, in an order in which it can be made again: foreign keys of other
        tables, views, rules and triggers of others; not what hangs on the table itself."""

    @abstractmethod
    def table_parts(self, session: Session, table: Table) -> list[Dependent]:
        """What hangs on a table itself, but its primary key, with the statements that make it again on
        another table of this name."""

    def carried_over(self, session: Session, table: Table) -> list[str]:
        """The statements that give another table of this name what is beside its structure: rights, a
        comment, an owner."""
        return []

    def type_name(self, written: str) -> str:
        """How the engine itself calls a type as somebody wrote it."""
        return written

    @abstractmethod
    def same_type(self, written: str, column: Column) -> bool:
        """Whether a type as somebody wrote it is the one that a column has."""

    @abstractmethod
    def conversion(self, name: str, written: str, to: str) -> Conversion:
        """How a column of one type is read as another."""

    @abstractmethod
    def numbers_rows(self, written: str) -> bool:
        """Whether a type as somebody wrote it brings the numbering of rows with it."""

    @abstractmethod
    def statistics(self, session: Session) -> Statistics:
        """Rows, sizes and uses of indexes, as the database knows them: no large table is counted."""

    # -- routines --------------------------------------------------------------------------

    @abstractmethod
    def routines(self, session: Session) -> list[Routine]:
        """Functions, triggers and views that are nobody's but the users', in a fixed number of queries."""

    @abstractmethod
    def function_names(self, session: Session) -> frozenset[str]:
        """The names, in small letters, of every function that can be called, whoever brought it."""

    @abstractmethod
    def examine_routines(
        self, session: Session, known: Sequence[Routine], chosen: Sequence[Routine]
    ) -> Examined:
        """Which of the routines ``chosen`` refer to what is gone; nothing is run. ``known`` are all."""

    @abstractmethod
    def routine_differs(self, session: Session, routine: Routine, create: str) -> bool:
        """Whether a routine is another one than a CREATE statement would make.

        Raises:
            NotCheckable: where that cannot be known.
        """

    @abstractmethod
    def replacing(self, create: str) -> str:
        """A CREATE statement that takes the place of what stands, where there is such a thing."""

    # -- comparison ------------------------------------------------------------------------

    @abstractmethod
    def field_types(self, session: Session, schema: Schema) -> Mapping[tuple[TableName, str], FieldType]:
        """The field of Django's for every column, for models of the target."""

    @abstractmethod
    def equal(self, parent: Column, parent_sql: str, child: Column, child_sql: str) -> str:
        """SQL that holds where a foreign key would find the parent's value equal to the child's.

        Raises:
            NotCheckable: when the types cannot be compared.
        """

    @abstractmethod
    def understood(self, session: Session, table: Table, expressions: Sequence[str]) -> list[str]:
        """What the database itself makes of expressions over a row ``c`` of a table, without running
        them: two that it understands alike compute the same."""

    @abstractmethod
    def source(self, table: Table) -> str:
        """The FROM item for the rows that a foreign key on ``table`` would bind."""

    @abstractmethod
    def parent_source(self, table: Table) -> str:
        """The FROM item in which referenced values are looked up."""

    # -- keys ------------------------------------------------------------------------------

    @abstractmethod
    def key_text(self, columns: Sequence[str], alias: str = "c") -> str:
        """SQL for the values of a key as one text, byte by byte; NULL where one of them is."""

    @abstractmethod
    def key_value(self, sql: str) -> str:
        """SQL for a value of a key that becomes a parameter again, or part of a stored plan."""

    @abstractmethod
    def among(self, sql: str, texts: Sequence[str]) -> Predicate:
        """The condition that a text is one of any number of texts."""

    @abstractmethod
    def having_key(self, columns: Sequence[Column], texts: Sequence[str]) -> Predicate:
        """The condition that a row ``c`` has one of these primary keys, as :meth:`key_text` has them; found
        by the key's index where its type allows."""

    @abstractmethod
    def looked_up(self, into: Column, key: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """SQL, with its parameters, for what ``values`` has under the text ``key``, to become a value
        of the column ``into``."""

    @abstractmethod
    def spelled(self, sql: str, form: Form) -> str:
        """SQL for a value as text in one of the forms by which spellings are compared, byte by byte."""

    @abstractmethod
    def json_forms(self, column: Column) -> JsonForms:
        """How JSON in a column is read and made."""

    @abstractmethod
    def epoch(self, sql: str) -> str:
        """SQL for a moment in seconds since 1970, NULL where a value is none."""

    @abstractmethod
    def last_given(self, session: Session, table: Table, column: str) -> int | None:
        """The last number that was given out for a column, None where nothing remembers it."""

    # -- verification ----------------------------------------------------------------------

    @abstractmethod
    def begin_trial(self, session: Session) -> None:
        """Begins a transaction in which foreign keys bind at once; it is always rolled back."""

    @abstractmethod
    def violated_key(self, error: BaseException) -> str | None:
        """The name of the foreign key that an error is about, empty where the database does not
        say which; None for any other error."""

    @abstractmethod
    def violated_unique(self, error: BaseException) -> str | None:
        """How the database names the unique that an error is about; None for any other error."""

    @abstractmethod
    def given(self, column: Column) -> str:
        """SQL for a parameter that becomes a value of a column's own type."""

    @abstractmethod
    def unusable(self, session: Session, key: ForeignKey) -> str:
        """Why a foreign key that is there cannot work, empty where it can."""

    @abstractmethod
    def accesses(
        self, session: Session, sql: str, params: Sequence[Any], *, prefer_index: bool = False
    ) -> list[Access]:
        """How a query would reach its tables, without running it.

        Args:
            session: an open reading.
            sql: the query, with parameters in the ``%s`` style.
            params: their values.
            prefer_index: whether to ask what the plan would be on a table too large to be scanned.
        """

    @abstractmethod
    def begin_measuring(self, session: Session, statement_timeout_ms: int) -> None:
        """Within a reading: nothing can be written by what runs, rows without an order come in the same
        one each time, and from now on a statement may take so long."""

    @abstractmethod
    def work(self, session: Session, sql: str, params: Sequence[Any]) -> Work:
        """Runs a query once, and says how much work it was."""

    # -- looking through rows --------------------------------------------------------------

    @abstractmethod
    def hasten(self, session: Session, statement_timeout_ms: int) -> None:
        """Within a reading: from here on a statement may take so long."""

    @abstractmethod
    def row_order(self, table: Table, *, by_key: bool = True) -> RowOrder:
        """The order in which a table is read page by page; of a partitioned one without a key, each
        partition has its own. ``by_key`` says whether places may tell the values of its key."""

    @abstractmethod
    def shown(self, value: Column, sql: str, letters: int) -> Shown:
        """How people read a value of a column, cut after so many letters."""

    @abstractmethod
    def written_as(self, value: Column, sql: str, text: str) -> Predicate:
        """The condition that a value is written so as :meth:`key_text` writes it, in a form by which an
        index finds it. A text that no value of the type can have is an error of the database."""

    @abstractmethod
    def begins(self, value: Column, sql: str, prefix: str) -> Predicate:
        """The condition that a value, written out, begins with a text, in small or capital letters."""

    # -- rows ------------------------------------------------------------------------------

    @abstractmethod
    def locator(self, table: Table, alias: str = "c") -> str:
        """SQL for the locator of a row."""

    @abstractmethod
    def located(self, table: Table, locators: Sequence[Locator], alias: str = "c") -> Predicate:
        """The condition that a row is one of ``locators``."""

    @abstractmethod
    def stretches(self, session: Session, table: Table, position: Any, size: int) -> Stretch | None:
        """The next stretch of about ``size`` rows of a table in physical order after ``position``
        (None: from the start), or None at the end."""

    @abstractmethod
    def claim(self, session: Session, table: Table, where: Predicate, limit: int) -> list[Locator]:
        """Locks up to ``limit`` rows that fulfil ``where`` against others; returns their locators."""

    @abstractmethod
    def paired(self, pairs: Sequence[tuple[int, Locator]]) -> tuple[str, list[Any]]:
        """A FROM item ``m(seq, loc)`` with these pairs of numbers and locators, and its parameters."""

    @abstractmethod
    def readable(self, sql: str, letters: int | None) -> tuple[str, str]:
        """SQL for any value as a text that people read, cut after so many letters, and SQL for how many
        bytes a binary one has, which then has no text; with None the whole text, in hexadecimal where it
        is binary."""

    @abstractmethod
    def given_rows(
        self, session: Session, columns: Sequence[Column], rows: Sequence[tuple[int, Sequence[Any]]]
    ) -> AbstractContextManager[tuple[str, list[Any]]]:
        """A FROM item ``g(n, v1, v2 …)`` with its parameters: numbered rows of values, as
        :meth:`key_value` reads them, that compare as ``columns`` do. One at a time."""

    @abstractmethod
    def assigned(self, column: Column) -> str:
        """SQL for a parameter, as :meth:`key_value` reads it, that is assigned to a column: what does not
        fit it is an error."""

    @abstractmethod
    def update_located(
        self,
        session: Session,
        table: Table,
        assignments: str,
        values: Sequence[Any],
        pairs: Sequence[tuple[int, Locator]],
        *,
        keyed: bool,
    ) -> dict[int, Locator]:
        """Updates the rows of ``pairs``; returns the locator that each changed one has afterwards.

        ``keyed`` says that the assignment changes columns of the row's key.
        """

    @abstractmethod
    def lock_referenced(self, session: Session, tables: Sequence[Table], changed: Sequence[Table]) -> None:
        """Keeps others from changing ``tables`` (parents) until the transaction ends.

        Raises:
            MissingPrivilege: with the GRANT, without the right to lock.
            TargetBusy: when not granted in time.
        """

    @abstractmethod
    def digest(self, session: Session, table: Table) -> Digest:
        """Digests every row of a table, order-free, every stored column and the key."""

    @abstractmethod
    def insert_prefix(self, table: Table) -> str:
        """What stands between the column list and the values when identity values are given."""

    @abstractmethod
    def suppress_triggers(self, session: Session, table: Table) -> AbstractContextManager[None]:
        """Keeps users' triggers of a table from acting while rows are restored."""

    @contextmanager
    def deferring(self, session: Session) -> Iterator[None]:
        """Checks that may wait, wait until this is left: rows that refer to one another come together."""
        yield

    @abstractmethod
    def lifted(
        self, session: Session, schema: Schema, keys: Sequence[ForeignKey]
    ) -> AbstractContextManager[None]:
        """Lifts foreign keys while rows come back as orphans; afterwards they bind new rows only.
        Within one transaction."""

    # -- journal ---------------------------------------------------------------------------

    @abstractmethod
    def journal_table(self, name: str) -> TableName:
        """Where a table of the journal lives."""

    @abstractmethod
    def create_journal(self, session: Session) -> None:
        """Makes the journal's schema and ``runs`` table where missing."""

    @abstractmethod
    def has_table(self, session: Session, table: TableName) -> bool:
        """Whether a table of exactly that name is there."""

    @abstractmethod
    def serial(self) -> str:
        """The column type of a key that counts up by itself."""

    @abstractmethod
    def stored_as(self, column: Column) -> str:
        """The type in which the journal keeps a column; may be empty."""

    @abstractmethod
    def restored_as(self, column: Column, sql: str) -> str:
        """SQL that turns a journaled value back into the column's own type."""

    @abstractmethod
    def same(self, left: str, right: str, column: Column) -> str:
        """SQL that holds where a live value (left) is exactly the journaled one (right), NULLs included."""

    @abstractmethod
    def same_key(self, left: str, right: str, column: Column) -> str:
        """SQL that holds where a live value (left) of a key equals the journaled one (right), and by
        which an index finds it."""

    def same_image(self, left: str, right: str, column: Column) -> str:
        """The same for two journaled values."""
        return self.same(left, right, column)

    def row_text(self, columns: Sequence[str]) -> str:
        """SQL for a whole row as one text, by which rows without a key are found fast; empty where
        something hidden tells them apart."""
        return ""

    def hidden_identity(self, table: Table) -> str:
        """The name of an identity that rows have beside their columns, empty where there is none."""
        return ""

    # -- backup ----------------------------------------------------------------------------

    @abstractmethod
    def backup(self, target: Target, folder: FilePath) -> FilePath:
        """Takes a backup into ``folder`` and returns its file.

        Raises:
            BackupFailed: with the reason.
        """


@dataclass(frozen=True)
class Stretch:
    """A piece of a table in physical order: the condition, and the position after it."""

    where: Predicate
    position: Any
