"""The nodes in memory of the flows' tests and this folder's kit on the path; stores on PostgreSQL for whole stories."""

import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, make_url

sys.path.insert(0, str(Path(__file__).parents[1] / "flows"))


@pytest.fixture
def postgres_urls(postgres_server: Connection, postgres_address: str) -> Iterator[Callable[[str], str]]:
    """Gives the address of a node's own store on the test server."""
    made: dict[str, str] = {}

    def url(code: str) -> str:
        if code not in made:
            made[code] = f"syncd_test_{uuid.uuid4().hex}"
            postgres_server.exec_driver_sql(f"CREATE SCHEMA {made[code]}")
        parsed = make_url(postgres_address).update_query_dict({"options": f"-csearch_path={made[code]}"})
        return parsed.render_as_string(hide_password=False)

    yield url
    for schema in made.values():
        postgres_server.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
