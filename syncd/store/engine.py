"""The store (存储): one database, one writer at a time, many readers, on SQLite or PostgreSQL.

``write()`` is the only road to a change. It holds a lock of this process and one in the database (``BEGIN
IMMEDIATE``, or an advisory lock), so that a stage's cursor, its register and the entries it appended are
committed together or not at all. After ``write()`` has returned, the change has been synced to disk; only
then may anything be signed or sent.

Keep write transactions under 50 ms and make no network call inside one: everybody else waits.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, IntegrityError, InterfaceError, OperationalError

from syncd.errors import NeedsPerson, Retry, Stop
from syncd.store import instance, schema
from syncd.store.bulk import bulk_insert, bulk_upsert
from syncd.store.statement import execute

__all__ = ["Store", "bulk_insert", "bulk_upsert"]

_BUSY_MILLISECONDS = 10_000
_PAGE_BYTES = 8192  # four sealed disclosures a page; with 4096 each would leave a quarter of its page empty
_READERS_KEPT = 3
_CHECKPOINT_PAGES = 4_000  # 32 MB: a page of an index that is written by every batch goes to the file once for many
_STATEMENTS_KEPT = {True: 64, False: 24}  # a list of 500 values takes 80 KB
_WAL_KEPT_BYTES = 64 * 1024 * 1024
_WRITE_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('syncd/write/' || current_schema(), 0))"

WIPED: Final = (
    "amendments", "deliveries", "desk", "disclosures", "findings", "grounds", "held_entries", "honours", "jobs",
    "order_receipts", "performance", "provenance", "relief_events", "relief_waiting", "responses", "source_rows",
)  # fmt: skip
"""All that an erasure deletes from or overwrites (``forget``): what it took away lies there in dead rows."""


class Store:
    """An open database. ``dialect`` is ``sqlite`` or ``postgresql``; nothing is read or written before it is used."""

    def __init__(self, url: URL, writer: Engine, reader: Engine) -> None:
        self.dialect = url.get_backend_name()
        self._url = url
        self._writer = _Kept(writer, 1 if self.dialect == "sqlite" else 0)
        self._reader = _Kept(reader, _READERS_KEPT if self.dialect == "sqlite" else 0)
        self._place = url.render_as_string(hide_password=True)
        self._lock = threading.Lock()
        self._holder: int | None = None
        self._afterwards: list[Callable[[], None]] = []

    @classmethod
    def open(cls, url: str) -> "Store":
        """Open ``sqlite:////path/to/file`` or ``postgresql://…``. Raises NeedsPerson for anything else."""
        parsed = address_of(url)
        if parsed.get_backend_name() == "sqlite":
            _make_private_file(Path(str(parsed.database)))
            return cls(parsed, _sqlite(parsed, writes=True), _sqlite(parsed, writes=False))
        parsed = parsed.set(drivername="postgresql+psycopg")
        return cls(parsed, _postgres(parsed, writes=True), _postgres(parsed, writes=False))

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One write transaction, alone in this process and in the database; committed and synced on leaving.

        Any exception undoes all of it. Raises Retry if the database is busy, full or gone; what was
        committed by then is read again from the cursors, never assumed.
        """
        if self._holder == threading.get_ident():
            raise RuntimeError("A write transaction is open in this thread already; pass its connection on.")
        with self._lock, _told(self._place):
            self._holder = threading.get_ident()
            try:
                with self._writer.begin() as conn:
                    if self.dialect == "postgresql":
                        conn.exec_driver_sql(_WRITE_LOCK)
                    yield conn
                for call in self._afterwards:
                    call()
            finally:
                self._holder = None
                self._afterwards.clear()

    def once_committed(self, call: Callable[[], None]) -> None:
        """Have ``call`` run when the open write transaction has been committed, and never if it is undone.

        For what is kept in memory beside the database; the next writer still waits meanwhile.
        """
        self._afterwards.append(call)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One read-only transaction: everything read in it is of one moment. Never waits for the writer."""
        with _told(self._place), self._reader.begin() as conn:
            yield conn

    def wipe(self) -> bool:
        """See that nothing of what was deleted stays behind: on SQLite in the write-ahead log, on PostgreSQL in dead
        rows. False while a reader is in the way; then it is to be tried again.
        """
        with self._lock, _told(self._place), self._writer.bare() as connection:
            return self._wiped(connection)

    def _wiped(self, connection: Any) -> bool:
        if self.dialect == "sqlite":
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy
        connection.autocommit = True
        try:
            for table in WIPED:
                connection.execute(f"VACUUM {table}")
        finally:
            connection.autocommit = False
        return True

    def upgrade(self) -> None:
        """Bring the tables to this version's form (Alembic). Raises Stop if a newer version made them."""
        with self.write() as conn:
            schema.upgrade(conn)

    def single_instance(self) -> AbstractContextManager[instance.StillHeld]:
        """Hold the daemon's lock while the block runs; it yields a function that tells whether it still is.

        Raises Stop with a sentence if another process holds it.
        """
        if self.dialect == "sqlite":
            return instance.file_lock(Path(f"{self._url.database}.lock"))
        return instance.database_lock(self._url)

    def close(self) -> None:
        """Give all connections back; on SQLite the last one to leave folds the write-ahead log into the file."""
        self._reader.close()
        self._writer.close()


class _Kept:
    """Connections of one engine, of which so many stay open between transactions.

    On SQLite looking a connection over when it is taken from a pool, and again when it goes back, costs as much as a
    small transaction; one that has seen an error is closed. On PostgreSQL the pool does look, for the server may have
    gone away meanwhile.
    """

    def __init__(self, engine: Engine, most: int) -> None:
        self._engine = engine
        self._most = most
        self._idle: deque[Connection] = deque()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction, committed on leaving and undone by any exception."""
        try:
            conn = self._idle.pop()
        except IndexError:
            conn = self._engine.connect()
        try:
            with conn.begin():
                yield conn
        except BaseException:
            conn.close()
            raise
        if len(self._idle) < self._most:
            self._idle.append(conn)
        else:
            conn.close()

    @contextmanager
    def bare(self) -> Iterator[Any]:
        """The driver's own connection, outside any transaction."""
        while self._idle:
            self._idle.pop().close()
        held = self._engine.raw_connection()
        try:
            yield held.driver_connection
        finally:
            held.close()

    def close(self) -> None:
        """Close all that is idle, and the engine."""
        while self._idle:
            self._idle.pop().close()
        self._engine.dispose()


def address_of(url: str) -> URL:
    """A store's address, read; nothing is opened. Raises NeedsPerson for one that no store can be at."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise NeedsPerson(
            "The store's address is not a database address. Nothing was opened. "
            "Write sqlite:////path/to/file or postgresql://user@host/database into the settings."
        ) from error
    backend, file = parsed.get_backend_name(), parsed.database
    if backend == "postgresql" or (backend == "sqlite" and file and file != ":memory:"):
        return parsed
    raise NeedsPerson(
        f"The store's address begins with {backend}, or names no file. Nothing was opened. "
        "Write sqlite:////path/to/file or postgresql://user@host/database into the settings."
    )


def _sqlite(url: URL, *, writes: bool) -> Engine:
    pool = {"pool_size": 1, "max_overflow": 0} if writes else {"pool_size": 4, "max_overflow": 28}
    waits, kept = {"timeout": _BUSY_MILLISECONDS / 1000}, {"cached_statements": _STATEMENTS_KEPT[writes]}
    engine = create_engine(url, hide_parameters=True, connect_args=waits | kept, **pool)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself; the listener below does
        for pragma in (
            f"page_size = {_PAGE_BYTES}",
            "journal_mode = WAL",
            "synchronous = FULL",
            f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
            "foreign_keys = ON",
            f"journal_size_limit = {_WAL_KEPT_BYTES}",
            "cache_size = -12000" if writes else "cache_size = -2000",
            "secure_delete = ON",  # or a deleted name would stay readable in free parts of the file
            f"query_only = {'OFF' if writes else 'ON'}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        # A deferred transaction that reads and then writes can fail halfway; this one waits at its start.
        execute(conn, "BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres(url: URL, *, writes: bool) -> Engine:
    pool = {"pool_size": 1, "max_overflow": 0} if writes else {"pool_size": 4, "max_overflow": 28}
    try:
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=True, **pool)
    except ModuleNotFoundError as error:
        raise NeedsPerson(
            "The store is to be PostgreSQL, but its driver is not installed. Nothing was opened. "
            "Install the extra named postgres, or use sqlite."
        ) from error
    if not writes:
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # With "off", a commit that was reported done, and signed, could be lost in a crash of the server.
        with connection.cursor() as cursor:
            if cursor.execute("SHOW synchronous_commit").fetchone()[0] == "off":
                cursor.execute("SET synchronous_commit = on")
        connection.commit()

    return engine


def _make_private_file(path: Path) -> None:
    """Create the database file readable by its owner only, before anything is written into it."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise NeedsPerson(
            f"The store {path} cannot be opened ({error.strerror}). Nothing was changed. "
            "Make its folder, or give this account the right to write there."
        ) from error


@contextmanager
def _told(place: str) -> Iterator[None]:
    """Turn what a database says into a sentence; values never stand in it."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:  # the second: a driver whose connection has gone away
        if getattr(error.orig, "sqlite_errorname", None) == "SQLITE_ERROR":
            raise  # a wrong statement, which SQLite files under the same name as a busy or full disk
        raise Retry(
            f"The store {place} did not do its work ({_first_line(error)}). This step is tried again by "
            "itself, from what was committed. If this stays, look at the disk's space and at the database."
        ) from error
    except IntegrityError as error:
        # PostgreSQL's detail names the row's values, and no value may reach a report: so "from None".
        raise Stop(
            f"The store {place} was to hold twice what may stand only once ({_first_line(error)}). Nothing "
            "of this step was kept. Run no second program on this store, and have the state looked at."
        ) from None
    except DatabaseError as error:
        if "malformed" in str(error.orig) or "not a database" in str(error.orig):
            raise Stop(
                f"The store {place} is damaged ({_first_line(error)}). Nothing more is written. "
                "Keep the file as it is and restore the last backup; the peers hold the entries since."
            ) from error
        raise


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().split("\n", 1)[0]
