"""A front database 前置库 reached: connections that wait for a bounded time, and what it says as sentences.

A sentence names an error by its class or number alone: the database's own text quotes rows.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchTableError, SQLAlchemyError

from adapters.base import SourceError

BUSY_SECONDS = 10
WAITS = {
    "sqlite": {"timeout": BUSY_SECONDS, "cached_statements": 24},
    "mysql": {"connect_timeout": BUSY_SECONDS, "read_timeout": 60, "write_timeout": 60},
    "mariadb": {"connect_timeout": BUSY_SECONDS, "read_timeout": 60, "write_timeout": 60},
    "postgresql": {"connect_timeout": BUSY_SECONDS},
    "dm": {"connection_timeout": BUSY_SECONDS},
}
"""What each driver calls the time it waits, in seconds. SQLite keeps 80 KB for each list of 500 keys."""
REFUSED = {1044, 1045, 1142, 1143}
"""Codes of MySQL and MariaDB for an account without the right."""


def open_engine(url: str) -> Engine:
    """An engine that contacts nobody yet. Raises ``SourceError`` for a URL, dialect or driver that is none here."""
    try:
        waits = WAITS.get(make_url(url).get_backend_name(), {})
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=waits)
    except (ArgumentError, ImportError):
        sentence = "The front database's URL is not one SQLAlchemy can open (or its driver is not installed)."
        raise SourceError(sentence, transient=False) from None


@contextmanager
def connection(engine: Engine, doing: str, failed: Callable[[], None]) -> Iterator[Connection]:
    """One transaction, all of it or nothing. ``failed`` is called before an error that a changed table may explain."""
    path = engine.url.database
    if engine.dialect.name == "sqlite" and not (path and Path(path).is_file()):
        raise SourceError("The front database file is not there; it is looked for again.", transient=True)
    try:
        with engine.begin() as conn:
            yield conn
    except NoSuchTableError as error:
        sentence = f"The front database has no table {error}; it must be made, or the grants given."
        raise SourceError(sentence, transient=False) from None
    except KeyError as error:
        failed()
        sentence = f"A table of the front database has no column {error}; a person must look."
        raise SourceError(sentence, transient=False) from None
    except SQLAlchemyError as error:
        failed()
        raise _narrowed(error, doing) from None


def _narrowed(error: SQLAlchemyError, doing: str) -> SourceError:
    """What the database said, by the class or number of its error alone."""
    cause = getattr(error, "orig", None) or error
    code = cause.args[0] if cause.args and isinstance(cause.args[0], int) else None
    named = f"{type(cause).__name__}{f' {code}' if code else ''}"
    if code in REFUSED or getattr(cause, "sqlstate", None) in ("42501", "28000", "28P01"):
        sentence = f"The front database refused the node's account ({named}); nothing was kept of this step."
        return SourceError(f"{sentence} `syncd adapter ddl` shows the grants it needs.", transient=False)
    sentence = f"The node could not {doing} the front database ({named}); nothing was kept of this step."
    return SourceError(sentence, transient=isinstance(error, DBAPIError))
