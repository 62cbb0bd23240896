"""``store_urls``: an empty store for each node of a test, on both databases; and the harness on the path."""

import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, make_url

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite("verified")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Gives the address of a node's own store by the node's code."""
    if request.param == "sqlite":
        yield lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}"
        return
    server: Connection = request.getfixturevalue("postgres_server")
    address = request.getfixturevalue("postgres_address")
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
