"""The database mode on real MariaDB and PostgreSQL, with tables and grants as ``ddl`` prints them."""

import datetime as dt
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from adapter_promise import AdapterPromise, BureauSystem, findings, pages, reliefs
from adapter_rows import Row, ack, facts_of, order, penalty, relief
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from adapters.base import Json, SourceError
from adapters.database import DatabaseAdapter
from adapters.ddl import ddl

NOW = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC).timestamp()
SERVERS = {
    "mariadb": ("SYNCD_TEST_MARIADB", "mysql+pymysql://root@127.0.0.1:3306/"),
    "postgresql": ("SYNCD_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"),
}


class FrontSystem(BureauSystem):
    """A front database on a server: its owner writes, the node reads by one account and orders by another."""

    facts = facts_of("taicang")

    def __init__(self, server: Connection, kind: str, name: str, address: str) -> None:
        self.server, self.kind, self.name, self.address, self.now = server, kind, name, address, NOW
        self.url, self.orders_url = self._url("r"), self._url("w")

    def _url(self, account: str) -> str:
        url = make_url(self.address).set(username=f"{account}{self.name}", password="secret")
        if self.kind == "mariadb":
            return url.set(database=self.name).render_as_string(hide_password=False)
        return url.update_query_dict({"options": f"-csearch_path={self.name}"}).render_as_string(hide_password=False)

    def adapter(self) -> DatabaseAdapter:
        return DatabaseAdapter(self.url, self.facts, self.orders_url, lambda: self.now)

    def run(self, statement: str, *rows: Row) -> Any:
        """One statement of the owner; with rows once for each."""
        with self.server.begin():
            return self.server.execute(text(statement), [dict(row) for row in rows] or None)

    def put(self, penalties: Sequence[Row] = (), reliefs: Sequence[Row] = ()) -> None:
        for table, rows in (("xzcf", penalties), ("xyxf", reliefs)):
            if rows:
                self.run(f"DELETE FROM {table} WHERE ID = :ID", *({"ID": row["ID"]} for row in rows))
                self.insert(table, rows)

    @contextmanager
    def ruin(self) -> Iterator[None]:
        """The table is gone, as while it is being loaded anew."""
        self.run("ALTER TABLE xzcf RENAME TO xzcf_old")
        yield
        self.run("ALTER TABLE xzcf_old RENAME TO xzcf")

    def put_acks(self, acks: Sequence[Row]) -> None:
        self.insert("cjd_hz", acks)

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        names = list(rows[0])
        self.run(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{n}' for n in names)})", *rows)

    def orders(self) -> dict[tuple[str, str], Json]:
        rows = [{k.upper(): v for k, v in row.items()} for row in self.run("SELECT * FROM cjd").mappings()]
        return {(row["CJD_RDBH"], row["CJD_CS"]): row for row in rows}

    @contextmanager
    def beside(self) -> Iterator[Connection]:
        """Another connection of the owner, whose transaction stays open meanwhile."""
        engine = create_engine(self.server.engine.url)
        with engine.connect() as conn:
            conn.exec_driver_sql(f"USE {self.name}" if self.kind == "mariadb" else f"SET search_path = {self.name}")
            yield conn
        engine.dispose()


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[tuple[Connection, str, str]]:
    """A server, or the reason why there is none."""
    variable, default = SERVERS[request.param]
    address = os.environ.get(variable, default)
    engine = create_engine(address, connect_args={"connect_timeout": 5})
    try:
        conn = engine.connect()
    except SQLAlchemyError as error:
        reason = f"no {request.param} at {make_url(address)!r} (set {variable}): {type(error).__name__}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with conn:
        yield conn, request.param, address
    engine.dispose()


@pytest.fixture
def system(server: tuple[Connection, str, str]) -> Iterator[FrontSystem]:
    conn, kind, address = server
    name = f"syncd{uuid.uuid4().hex[:12]}"
    front = FrontSystem(conn, kind, name, address)
    at = "@'%'" if kind == "mariadb" else ""
    front.run(f"CREATE {'DATABASE' if kind == 'mariadb' else 'SCHEMA'} {name}")
    front.run(f"USE {name}" if kind == "mariadb" else f"SET search_path = {name}")
    for account in ("r", "w"):
        how = "IDENTIFIED BY" if kind == "mariadb" else "PASSWORD"
        front.run(f"CREATE USER {account}{name}{at} {how} 'secret'")
        if kind == "postgresql":
            front.run(f"GRANT USAGE ON SCHEMA {name} TO {account}{name}")
    script = ddl(front.facts, kind).replace("syncd_reader", f"r{name}{at}").replace("syncd_writer", f"w{name}{at}")
    for statement in script.split(";\n"):
        if "\n".join(line for line in statement.splitlines() if not line.startswith("--")).strip():
            front.run(statement)
    yield front
    conn.rollback()
    front.run(f"DROP DATABASE {name}" if kind == "mariadb" else f"DROP SCHEMA {name} CASCADE")
    for account in ("r", "w"):
        front.run(f"DROP USER {account}{name}{at}")


class TestPromise(AdapterPromise):
    """Database mode on servers."""

    def test_stamps_stay_as_they_are(self, system: FrontSystem) -> None:  # type: ignore[override]
        system.put([penalty(1, GXSJ="2026-11-22 09:00:00.123456")])
        assert [one.updated for page in pages(system) for one in page.records] == ["2026-11-22 09:00:00.123456"]


def names(page: Any) -> list[str]:
    return [one.row for one in page.records]


def test_a_row_committed_late_is_met_with_the_next_pull(system: FrontSystem) -> None:
    system.put([penalty(1)])
    with system.beside() as late:
        columns = list(relief(7))
        insert = f"INSERT INTO xyxf ({', '.join(columns)}) VALUES ({', '.join(f':{n}' for n in columns)})"
        late.execute(text(insert), relief(7))
        system.put(reliefs=[relief(n, GXSJ="2026-11-22 09:05:00") for n in range(10, 600)])
        *_, page = pages(system)
        assert page.cursor["relief"]["at"][0].startswith("2026-11-22 09:05")
        late.commit()
    (page, *_) = pages(system, page.cursor)
    assert "relief/XF000007" in names(page)
    *_, page = pages(system, page.cursor)
    assert [one.rows for one in pages(system, page.cursor)] == [0]


def test_late_rows_are_met_while_they_may_come_and_the_stretch_moves_on(system: FrontSystem) -> None:
    cursor, late = None, []
    for minute in range(0, 60, 5):
        stamp = dt.datetime.fromtimestamp(system.now, dt.timezone(dt.timedelta(hours=8))).replace(tzinfo=None)
        system.put([penalty(minute + 1, GXSJ=str(stamp))])
        if minute:
            late.append(f"KS2026{minute + 2:06d}")
            system.put([penalty(minute + 2, GXSJ=str(stamp - dt.timedelta(minutes=9)))])
        (page,) = pages(system, cursor)
        cursor = page.cursor
        assert not minute or late[-1] in names(page)
        assert page.rows < 14 and len(cursor["penalty"]["parts"]) <= 4
        system.now += 300


def test_an_acknowledgement_committed_late_under_an_earlier_number(system: FrontSystem) -> None:
    source = system.source()
    with system.beside() as late:
        columns = ack(1)
        late.execute(
            text(f"INSERT INTO cjd_hz ({', '.join(columns)}) VALUES ({', '.join(f':{n}' for n in columns)})"), ack(1)
        )
        system.put_acks([ack(2)])
        page = source.acknowledgements(None)
        assert [one.finding for one in page.rows] == [f"{2:064x}"]
        late.commit()
    page = source.acknowledgements(page.cursor)
    assert f"{1:064x}" in [one.finding for one in page.rows]
    assert source.acknowledgements(page.cursor).rows == []
    source.close()


def test_a_stamp_of_the_future_hides_no_row(system: FrontSystem) -> None:
    system.put([penalty(1, GXSJ="2099-12-31 00:00:00"), penalty(2)])
    (page,) = pages(system)
    assert sorted(names(page)) == ["KS2026000001", "KS2026000002"]
    system.put([penalty(3, GXSJ="2026-11-23 09:00:00")])
    (page,) = pages(system, page.cursor)
    assert "KS2026000003" in names(page)


def test_a_stamp_that_is_no_time_waits_for_nothing(system: FrontSystem) -> None:
    if system.kind == "mariadb":
        system.run("SET SESSION sql_mode = ''")
        system.put(reliefs=[relief(1, GXSJ="0000-00-00 00:00:00")])
    else:
        system.run("ALTER TABLE xyxf ALTER COLUMN gxsj TYPE varchar(40) USING gxsj::varchar")
        system.put(reliefs=[relief(1, GXSJ="昨天")])
    (page,) = pages(system)
    assert [(one.row, one.updated) for one in reliefs([page])] == [("relief/XF000001", "")]
    (page,) = pages(system, page.cursor)
    assert names(page) == ["relief/XF000001"]


def test_numbers_dates_and_nulls_of_the_database(system: FrontSystem) -> None:
    kinds = {"CF_NR_FK": "DECIMAL(18,6)", "CF_JDRQ": "DATE", "SSQH": "INT"}
    for column, kind in kinds.items():
        using = f" USING {column}::{kind}" if system.kind == "postgresql" else ""
        change = f"ALTER COLUMN {column} TYPE {kind}{using}" if using else f"MODIFY {column} {kind}"
        system.run(f"ALTER TABLE xzcf {change}")
    row = penalty(1, CF_JDRQ="2026-11-02")
    system.insert("xzcf", [{name: value for name, value in row.items() if name not in ("BZ", "FYZT")}])
    (one,) = findings(list(pages(system)))
    assert (one.body["amount"]["fine"], one.body["decided_on"], one.body["place"]) == (
        "25000.00",
        "2026-11-02",
        "320583",
    )


def test_a_key_that_is_a_number_and_many_of_one_time(system: FrontSystem) -> None:
    using = " USING id::bigint" if system.kind == "postgresql" else ""
    system.run(f"ALTER TABLE xzcf {'ALTER COLUMN id TYPE BIGINT' + using if using else 'MODIFY ID BIGINT'}")
    system.put([penalty(n, ID=str(n)) for n in range(1, 1101)])
    assert sorted(int(one.row) for one in findings(list(pages(system, restarts=True)))) == list(range(1, 1101))


def test_an_account_without_the_right(system: FrontSystem) -> None:
    at = "@'%'" if system.kind == "mariadb" else ""
    system.run(f"REVOKE SELECT ON xyxf FROM r{system.name}{at}")
    source = system.source()
    with pytest.raises(SourceError) as caught:
        source.collect(None)
    assert not caught.value.transient and ("ddl" in caught.value.sentence or "grants" in caught.value.sentence)
    system.orders_url = system.url
    with pytest.raises(SourceError) as caught:
        system.source().push([order(1)])
    assert not caught.value.transient and "secret" not in caught.value.sentence
    system.url = system.url.replace(":secret@", ":wrong@")
    with pytest.raises(SourceError) as caught:
        system.source().collect(None)
    assert "wrong" not in str(caught.value)
    source.close()


def test_no_server() -> None:
    adapter = DatabaseAdapter("mysql+pymysql://x:secret@127.0.0.1:9/x", facts_of("taicang"))
    with pytest.raises(SourceError) as caught:
        adapter.pull(None)
    assert caught.value.transient and "secret" not in str(caught.value)
