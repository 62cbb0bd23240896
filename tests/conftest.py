"""For all rooms: ``store_url``, so that every test of the store and the stages runs on both databases."""

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError

SHARED_MEMORY, ROOM = Path("/dev/shm"), 2 * 1024**3
if os.access(SHARED_MEMORY, os.W_OK) and shutil.disk_usage(SHARED_MEMORY).free > ROOM:
    # Tests kill processes, never the machine: what a sync to a slow disk costs would prove nothing and take minutes.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(SHARED_MEMORY))

POSTGRES = os.environ.get("SYNCD_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Connection]:
    """A connection to the test server; without one a test fails in CI and is skipped, saying why, elsewhere."""
    engine = create_engine(POSTGRES, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    try:
        conn = engine.connect()
    except SQLAlchemyError as error:
        reason = f"no PostgreSQL at {make_url(POSTGRES)!r} (set SYNCD_TEST_POSTGRES): {type(error).__name__}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with conn:
        conn.exec_driver_sql("SET lock_timeout = '10s'")
        yield conn
    engine.dispose()


@pytest.fixture(scope="session")
def postgres_address() -> str:
    """Where the test server is."""
    return POSTGRES


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty store of this test's own: a new file, or a new schema on the test server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    server: Connection = request.getfixturevalue("postgres_server")
    schema = f"syncd_test_{uuid.uuid4().hex}"
    server.exec_driver_sql(f"CREATE SCHEMA {schema}")
    url = make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"})
    yield url.render_as_string(hide_password=False)
    server.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
