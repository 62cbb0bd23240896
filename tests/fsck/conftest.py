"""The nodes in memory of the flows' tests and this folder's kit on the path; stores on PostgreSQL for whole stories."""

import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, make_url

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))


@pytest.fixture
def postgres_urls(postgres_server: Connection, postgres_address: str) -> Iterator[Callable[[str], str]]:
    """Gives the address of a node's own store on the test server."""
    with _schemas(postgres_server, postgres_address) as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def story_urls(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Callable[[str], str]]]:
    """A folder for the nodes of a module's story, and the address of each node's store, on both databases."""
    folder = tmp_path_factory.mktemp("story")
    if request.param == "sqlite":
        yield folder, lambda code: f"sqlite:///{folder / code / 'syncd.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    with _schemas(server, request.getfixturevalue("postgres_address")) as url:
        yield folder, url


@contextmanager
def _schemas(server: Connection, address: str) -> Iterator[Callable[[str], str]]:
    made: dict[str, str] = {}

    def url(code: str) -> str:
        if code not in made:
            made[code] = f"syncd_test_{uuid.uuid4().hex}"
            server.exec_driver_sql(f"CREATE SCHEMA {made[code]}")
        parsed = make_url(address).update_query_dict({"options": f"-csearch_path={made[code]}"})
        return parsed.render_as_string(hide_password=False)

    yield url
    for schema in made.values():
        server.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
