"""One daemon for one store (单实例): a lock that dies with its process, on SQLite and on PostgreSQL.

Two daemons on one store would both sequence the same log. The transactions would still keep them from
writing two entries at one place, but each would sign and deliver what the other believes undone; so the
second one never starts.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from syncd.errors import Stop

StillHeld = Callable[[], bool]
"""Tells whether the lock is still this process's; a daemon asks before each signature or effect it cannot take back."""

_TRY_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended('syncd/daemon/' || current_schema(), 0))")


def cluster(conn: Connection) -> str:
    """Which database this is, as far as it can tell: PostgreSQL's timeline and the database's number; empty on SQLite.

    Another answer than last time says that it was restored from a backup or that a standby was promoted.
    """
    if conn.dialect.name == "sqlite":
        return ""
    timeline = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
    number = "SELECT oid FROM pg_database WHERE datname = current_database()"
    return f"{conn.exec_driver_sql(timeline).scalar_one()}/{conn.exec_driver_sql(number).scalar_one()}"


@contextmanager
def file_lock(path: Path) -> Iterator[StillHeld]:
    """Hold the lock file ``path`` (``flock``; the kernel releases it however the process ends).

    Raises Stop if another process holds it. A lock file left by a dead process is no obstacle.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _flock(handle, path)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield lambda: _same_file(handle, path)
    finally:
        os.close(handle)


@contextmanager
def database_lock(url: URL) -> Iterator[StillHeld]:
    """Hold PostgreSQL's advisory lock of this schema on a connection of its own.

    Raises Stop if another process holds it. The lock is lost with the connection, which only asking can tell.
    """
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True)
    with engine.connect() as conn:
        if not conn.execute(_TRY_LOCK).scalar_one():
            raise Stop(_taken("in this database"))

        def still_held() -> bool:
            try:
                return conn.execute(text("SELECT true")).scalar_one() is True
            except SQLAlchemyError:
                return False

        yield still_held


def _flock(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
        raise Stop(_taken(f"as process {holder}" if holder.isdigit() else f"and holds {path}")) from error


def _same_file(handle: int, path: Path) -> bool:
    """False once somebody has removed the lock file: a second daemon could then take a new one."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except OSError:
        return False


def _taken(where: str) -> str:
    return (
        f"Another daemon already works on this store, {where}. Nothing was changed. "
        "Stop that one first, or give this one a store of its own."
    )
