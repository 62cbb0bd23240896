"""The database mode on a real SQLite front database: the promise, and the bad days of a database."""

import datetime as dt
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from adapter_promise import AdapterPromise, BureauSystem, findings, pages, reliefs
from adapter_rows import (
    ACK_COLUMNS,
    PENALTY_COLUMNS,
    PERSON,
    PERSON_NUMBER,
    RELIEF_COLUMNS,
    STAMP,
    Row,
    facts_of,
    order,
    penalty,
    relief,
)

from adapters import engines
from adapters.base import Json, SourceError
from adapters.database import DatabaseAdapter

pytestmark = pytest.mark.fast

NOW = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC).timestamp()
ORDER_COLUMNS = facts_of("taicang").push


class DatabaseSystem(BureauSystem):
    """The front database; a row under a key that is there is replaced, though no key is declared."""

    facts = facts_of("taicang")

    def __init__(self, file: Path) -> None:
        self.file = file
        self.now = NOW
        with self.front() as front:
            for table, columns in (("xzcf", PENALTY_COLUMNS), ("xyxf", RELIEF_COLUMNS)):
                front.execute(f"CREATE TABLE {table} ({', '.join(f'{c} TEXT' for c in columns)})")
            columns = ", ".join(f"{c} {'INTEGER' if c == 'CJD_BBH' else 'TEXT'}" for c in ORDER_COLUMNS)
            front.execute(f"CREATE TABLE cjd ({columns}, PRIMARY KEY (CJD_RDBH, CJD_CS))")
            columns = ", ".join(f"{c} TEXT" for c in ACK_COLUMNS)
            front.execute(f"CREATE TABLE cjd_hz (seq INTEGER PRIMARY KEY, {columns})")

    def front(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(self.file, isolation_level=None))

    def slowly(self) -> float:
        """Time that passes, as if the source took a while for each question."""
        self.now += 0.2
        return self.now

    def adapter(self) -> DatabaseAdapter:
        return DatabaseAdapter(f"sqlite:///{self.file}", self.facts, clock=lambda: self.now)

    def put(self, penalties: Sequence[Row] = (), reliefs: Sequence[Row] = ()) -> None:
        with self.front() as front:
            front.execute("BEGIN")
            for table, rows in (("xzcf", penalties), ("xyxf", reliefs)):
                front.executemany(f"DELETE FROM {table} WHERE ID = ?", [(row["ID"],) for row in rows])
            front.execute("COMMIT")
        self.insert("xzcf", penalties)
        self.insert("xyxf", reliefs)

    @contextmanager
    def ruin(self) -> Iterator[None]:
        """The table is gone, as while it is being loaded anew."""
        with self.front() as front:
            front.execute("ALTER TABLE xzcf RENAME TO xzcf_old")
            yield
            front.execute("ALTER TABLE xzcf_old RENAME TO xzcf")

    def put_acks(self, acks: Sequence[Row]) -> None:
        self.insert("cjd_hz", acks)

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Insert rows as they are."""
        if rows:
            names = list(rows[0])
            marks = ", ".join("?" * len(names))
            with self.front() as front:
                front.execute("BEGIN")
                front.executemany(
                    f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",
                    [[row[name] for name in names] for row in rows],
                )
                front.execute("COMMIT")

    def orders(self) -> dict[tuple[str, str], Json]:
        with self.front() as front:
            rows = front.execute(f"SELECT {', '.join(ORDER_COLUMNS)} FROM cjd").fetchall()
        held = [dict(zip(ORDER_COLUMNS, row, strict=True)) for row in rows]
        return {(row["CJD_RDBH"], row["CJD_CS"]): row for row in held}


@pytest.fixture
def system(tmp_path: Path) -> DatabaseSystem:
    return DatabaseSystem(tmp_path / "front.sqlite")


class TestPromise(AdapterPromise):
    """Database mode."""


def fails(system: DatabaseSystem) -> SourceError:
    source = system.source()
    with pytest.raises(SourceError) as caught:
        source.collect(None)
    source.close()
    return caught.value


def test_a_row_that_appears_within_a_time_already_read(system: DatabaseSystem) -> None:
    system.put([penalty(5), penalty(9)])
    (page,) = pages(system)
    system.put([penalty(3)])
    (page,) = pages(system, page.cursor)
    assert "KS2026000003" in [one.row for one in findings([page])]
    (page,) = pages(system, page.cursor)
    assert page.rows == 0


def test_a_row_taken_away_hides_no_row_that_comes(system: DatabaseSystem) -> None:
    system.put([penalty(5), penalty(9)])
    (page,) = pages(system)
    with system.front() as front:
        front.execute("DELETE FROM xzcf WHERE ID = 'KS2026000005'")
    (page,) = pages(system, page.cursor)
    system.put([penalty(3)])
    (page,) = pages(system, page.cursor)
    assert "KS2026000003" in [one.row for one in findings([page])]


def test_a_key_that_is_not_unique_across_a_page(system: DatabaseSystem) -> None:
    rows = [penalty(n) for n in range(1, 500)]
    twins = [penalty(500), penalty(500, CF_WSH="苏环行罚字〔2026〕83第999号")]
    system.insert("xzcf", [*rows, *twins, penalty(501)])
    collected = list(pages(system))
    torn = [one for page in collected for one in page.quarantined]
    assert [(one.row, one.reason) for one in torn] == [("KS2026000500", "duplicate_key")] * 2
    assert len(findings(collected)) == 500


def test_rows_without_a_key_are_shown(system: DatabaseSystem) -> None:
    with system.front() as front:
        front.execute("INSERT INTO xzcf (CF_WSH, GXSJ) VALUES ('文号', '2026-11-22 09:00:00.000000')")
        front.execute("INSERT INTO xyxf (CF_WSH) VALUES ('文号')")
    (page,) = pages(system)
    assert [(one.field, one.reason) for one in page.quarantined] == [("ID", "missing")] * 2


NO_TIMES = [
    "",
    PERSON,
    PERSON_NUMBER,
    "310101199001011237",
    f"2026-11-22 {PERSON}",
    "Nov 22 2026 9:00AM",
    "99999999999",
]


@pytest.mark.parametrize("text", NO_TIMES)
def test_a_time_that_is_none_stands_in_no_cursor_and_hides_no_row(system: DatabaseSystem, text: str) -> None:
    system.insert("xzcf", [penalty(1), penalty(2, GXSJ=text)])
    (first,) = pages(system)
    assert [(one.row, one.updated) for one in findings([first])] == [("KS2026000001", STAMP), ("KS2026000002", "")]
    assert not text or text not in repr(first)
    system.put([penalty(3, GXSJ="2026-11-23 00:00:00.000000"), penalty(2)])
    (second,) = pages(system, first.cursor)
    assert {"KS2026000002", "KS2026000003"} <= {one.row for one in findings([second])}


@pytest.mark.parametrize("text", NO_TIMES)
def test_relief_waits_for_no_stamp(system: DatabaseSystem, text: str) -> None:
    system.insert("xzcf", [penalty(1)])
    (page,) = pages(system)
    system.insert("xyxf", [relief(1, GXSJ=text)])
    (page,) = pages(system, page.cursor)
    assert [(one.row, one.kind) for one in reliefs([page])] == [("relief/XF000001", "relief.repaired")]
    with system.front() as front:
        front.execute("UPDATE xyxf SET XF_ZT = '撤销'")
    (page,) = pages(system, page.cursor)
    assert [one.kind for one in reliefs([page])] == ["relief.revoked"]
    assert not page.quarantined


@pytest.mark.parametrize("restarts", [False, True])
def test_every_row_without_a_stamp_is_read_with_each_pull_relief_first(system: DatabaseSystem, restarts: bool) -> None:
    system.insert("xzcf", [penalty(n, GXSJ="bad") for n in range(1, 1202)] + [penalty(5000)])
    system.insert("xyxf", [relief(n, GXSJ="bad") for n in range(1, 1202)] + [relief(5000)])
    cursor = None
    for _ in range(2):
        collected = list(pages(system, cursor, restarts))
        cursor = collected[-1].cursor
        undated = [one.row for page in collected for one in page.records if not one.updated]
        assert undated == [f"relief/XF{n:06d}" for n in range(1, 1202)] + [f"KS2026{n:06d}" for n in range(1, 1202)]


def test_twins_without_a_stamp_stay_in_one_page(system: DatabaseSystem) -> None:
    twins = [penalty(500, GXSJ="bad"), penalty(500, GXSJ="worse", CF_WSH="苏环行罚字〔2026〕83第999号")]
    system.insert("xzcf", [penalty(n, GXSJ="bad") for n in range(1, 500)] + twins)
    collected = list(pages(system))
    torn = [one for page in collected for one in page.quarantined]
    assert [(one.row, one.reason) for one in torn] == [("KS2026000500", "duplicate_key")] * 2


@pytest.mark.parametrize("text", ["2026/11/5 8:00", "2026-11-05", "2026-11-05T08:00:00", "2026年11月5日"])
def test_usual_writings_of_a_time_are_met(system: DatabaseSystem, text: str) -> None:
    system.insert("xzcf", [penalty(1, GXSJ=text)])
    collected = list(pages(system))
    (one,) = findings(collected)
    assert one.updated.startswith("2026-11-05 0") and not collected[0].quarantined
    again = [page.rows for page in pages(system, collected[-1].cursor)]
    assert again == [0 if text == "2026-11-05" else 1]  # without its place in the order it is read with every pull


def test_values_of_other_types_and_nulls(system: DatabaseSystem) -> None:
    with system.front() as front:
        front.execute("DROP TABLE xzcf")
        names = ", ".join(f"{c} {'REAL' if c == 'CF_NR_FK' else 'TEXT'}" for c in PENALTY_COLUMNS)
        front.execute(f"CREATE TABLE xzcf ({names})")
    system.insert("xzcf", [penalty(1, CF_NR_FK="2.5")])
    with system.front() as front:
        front.execute("UPDATE xzcf SET BZ = NULL, CF_GSJZQ = NULL")
    (one,) = findings(list(pages(system)))
    assert one.body["amount"]["fine"] == "25000.00"
    assert one.body["ends"]["publicity"] is None


def test_an_unknown_column_is_named_and_dropped(system: DatabaseSystem) -> None:
    with system.front() as front:
        front.execute("ALTER TABLE xzcf ADD COLUMN XXLX TEXT DEFAULT '机密'")
    system.insert("xzcf", [penalty(1)])
    (page,) = pages(system)
    assert page.unknown_columns == {"XXLX"}
    assert "机密" not in repr(page)


def test_no_file_makes_none(system: DatabaseSystem) -> None:
    system.file = system.file.with_name("other.sqlite")
    error = fails(system)
    assert error.transient
    assert not system.file.exists()


def test_no_table_and_a_table_without_its_columns(system: DatabaseSystem) -> None:
    with system.front() as front:
        front.execute("DROP TABLE xyxf")
    error = fails(system)
    assert not error.transient and "xyxf" in error.sentence
    with system.front() as front:
        front.execute("CREATE TABLE xyxf (ID TEXT)")
    error = fails(system)
    assert not error.transient and "GXSJ" in error.sentence


def test_without_the_table_of_penalties_relief_comes_all_the_same(system: DatabaseSystem) -> None:
    system.put([penalty(1)], [relief(1)])
    *_, last = pages(system)
    system.put([], [relief(2, GXSJ="2026-11-23 09:00:00.000000")])
    source = system.source()
    with system.ruin():
        page = source.collect(last.cursor)
        assert [one.row for one in reliefs([page])] == ["relief/XF000002"]
        with pytest.raises(SourceError):
            source.collect(page.cursor)
    source.close()
    assert [one.row for one in findings(list(pages(system, page.cursor)))] == []


def test_a_table_that_changes_while_we_run(system: DatabaseSystem) -> None:
    source = system.source()
    source.collect(None)
    with system.front() as front:
        front.execute("ALTER TABLE xzcf DROP COLUMN BZ")
    system.insert("xzcf", [{k: v for k, v in penalty(1).items() if k != "BZ"}])
    with pytest.raises(SourceError) as caught:
        source.collect(None)
    assert caught.value.transient and "KS2026" not in str(caught.value)
    assert len(source.collect(None).records) == 1
    source.close()


def test_a_locked_database_is_tried_again(system: DatabaseSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engines.WAITS, "sqlite", {"timeout": 0.05})
    source = system.source()
    with system.front() as front:
        front.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SourceError) as caught:
            source.push([order(1)])
        front.execute("ROLLBACK")
    assert caught.value.transient
    source.push([order(1)])
    assert len(system.orders()) == 1
    source.close()


def test_orders_are_all_there_or_none(system: DatabaseSystem) -> None:
    with system.front() as front:
        front.execute(
            "CREATE TRIGGER full BEFORE INSERT ON cjd WHEN NEW.CJD_CS = 'EV-03' BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    source = system.source()
    with pytest.raises(SourceError):
        source.push([order(1), order(1, "EV-02"), order(1, "EV-03")])
    assert system.orders() == {}
    source.close()


def test_a_url_that_is_none() -> None:
    for url in ("nonsense", "nosuchdb://user:secret@host/x"):
        with pytest.raises(SourceError) as caught:
            DatabaseAdapter(url, facts_of("taicang"))
        assert not caught.value.transient and "secret" not in str(caught.value)


def test_the_whole_table_by_pages_with_relief(system: DatabaseSystem) -> None:
    system.put([penalty(n, GXSJ=f"2026-11-22 09:00:{n % 3:02d}.000000") for n in range(1, 1501)], [relief(7)])
    collected = list(pages(system, restarts=True))
    assert len({one.row for one in findings(collected)}) == 1500
    assert len(findings(collected)) == 1500


def test_looking_back_that_takes_long_is_spared_for_a_while_and_never_in_a_full_reading(system: DatabaseSystem) -> None:
    adapter = DatabaseAdapter(f"sqlite:///{system.file}", system.facts, clock=system.slowly)

    def pulled(cursor: Json | None) -> tuple[list[str], Json]:
        page = adapter.pull(cursor)
        return [row.key for row in page.rows], page.cursor

    system.put([penalty(5), penalty(9)])
    _, cursor = pulled(None)
    system.put([penalty(3), penalty(10)])
    system.insert("xzcf", [penalty(11, GXSJ="bad")])
    assert pulled(adapter.again)[0] == ["KS2026000003", "KS2026000005", "KS2026000009", "KS2026000010", "KS2026000011"]
    found, cursor = pulled(pulled(cursor)[1])
    assert found == [], "what was committed late, and what has no time, waits a little; what is new does not"
    system.put([penalty(12)])
    found, cursor = pulled(cursor)
    assert found == ["KS2026000012"]
    system.now += 600
    assert pulled(cursor)[0][-1] == "KS2026000011"
    adapter.close()
