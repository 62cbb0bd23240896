"""The files mode on a real folder: the promise, and the bad days of files."""

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from adapter_promise import AdapterPromise, BureauSystem, findings, pages
from adapter_rows import (
    ACK_COLUMNS,
    PENALTY_COLUMNS,
    RELIEF_COLUMNS,
    Row,
    csv_bytes,
    facts_of,
    order,
    penalty,
    put_file,
)

from adapters.base import Json, SourceError
from adapters.files import FilesAdapter

pytestmark = pytest.mark.fast


class FilesSystem(BureauSystem):
    """A folder with three parts; each writing is a new file."""

    facts = facts_of("kunshan")

    def __init__(self, folder: Path) -> None:
        self.folder, self.files = folder, 0
        for part in ("in", "out", "ack"):
            (folder / part).mkdir()

    def adapter(self) -> FilesAdapter:
        return FilesAdapter(self.folder, self.facts)

    def put(self, penalties: Sequence[Row] = (), reliefs: Sequence[Row] = ()) -> None:
        if penalties:
            self.file("in/XZCF", csv_bytes(penalties, columns=PENALTY_COLUMNS))
        if reliefs:
            self.file("in/XF", csv_bytes(reliefs, "utf-8-sig", RELIEF_COLUMNS))

    @contextmanager
    def ruin(self) -> Iterator[None]:
        """An export that stopped in the middle of a character."""
        data = csv_bytes([penalty(901)], columns=PENALTY_COLUMNS)
        name = self.file("in/XZCF", data[:-9] + b"\xff\xff")
        yield
        (self.folder / "in" / name).unlink()

    def put_acks(self, acks: Sequence[Row]) -> None:
        self.file("ack/HZ", csv_bytes(acks, "utf-8-sig", ACK_COLUMNS))

    def file(self, start: str, data: bytes) -> str:
        """Put a whole file; returns its name."""
        self.files += 1
        part, prefix = start.split("/")
        name = f"{prefix}_20261122_{self.files:04d}.csv"
        put_file(self.folder / part, name, data)
        return name

    def orders(self) -> dict[tuple[str, str], Json]:
        held: dict[tuple[str, str], Json] = {}
        for path in sorted((self.folder / "out").glob("CJ_*.csv")):
            with path.open(encoding="utf-8-sig", newline="") as file:
                for row in csv.DictReader(file):
                    key = (row["CJD_RDBH"], row["CJD_CS"])
                    old = held.get(key)
                    new = (int(row["CJD_BBH"]), -int(row["CJD_ZT"]))
                    if old is None or new >= (int(old["CJD_BBH"]), -int(old["CJD_ZT"])):
                        held[key] = dict(row)
        return held


@pytest.fixture
def system(tmp_path: Path) -> FilesSystem:
    return FilesSystem(tmp_path)


class TestPromise(AdapterPromise):
    """Files mode."""


def rows_read(system: FilesSystem, cursor: Json | None = None) -> list[str]:
    return [one.row for one in findings(list(pages(system, cursor)))]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig"])
def test_encodings(system: FilesSystem, encoding: str) -> None:
    system.file("in/XZCF", csv_bytes([penalty(1, CF_XDR_MC="㐂䶮𠮷（昆山）有限公司")], encoding))
    (page,) = pages(system)
    assert findings([page])[0].body["subject"]["name"] == "㐂䶮𠮷(昆山)有限公司"


def test_codes_that_python_reads_as_private_use(system: FilesSystem) -> None:
    data = csv_bytes([penalty(1, CF_XDR_MC="某公司")]).replace("某".encode("gb18030"), bytes.fromhex("FE59"))
    system.file("in/XZCF", data)
    assert findings(list(pages(system)))[0].body["subject"]["name"] == "龴公司"


def test_an_undecodable_file_stops_no_other(system: FilesSystem) -> None:
    system.put([penalty(1)])
    bad = system.file("in/XZCF", csv_bytes([penalty(2)], "utf-8-sig").replace("有限".encode(), b"\xff\xff"))
    system.put([penalty(3)])
    (page,) = pages(system)
    (fault,) = page.quarantined
    assert (fault.row, fault.field, fault.reason) == (bad, "file", "undecodable")
    assert [one.row for one in findings([page])] == ["KS2026000001", "KS2026000003"]
    put_file(system.folder / "in", bad, csv_bytes([penalty(2)]))
    assert rows_read(system, page.cursor) == ["KS2026000002"]


def test_damaged_utf8_is_not_read_as_gb18030(system: FilesSystem) -> None:
    data = csv_bytes([penalty(n) for n in range(1, 9)], "utf-8")
    system.file("in/XZCF", data.replace("电镀".encode(), "电镀".encode()[:-1], 1))
    (page,) = pages(system)
    assert page.records == []
    assert [fault.reason for fault in page.quarantined] == ["undecodable"]


def test_a_half_written_file_is_not_read(system: FilesSystem) -> None:
    whole = csv_bytes([penalty(1)])
    (system.folder / "in" / "XZCF_1.csv.part").write_bytes(whole[:200])
    (system.folder / "in" / "XZCF_2.csv.tmp").write_bytes(whole)
    assert rows_read(system) == []
    (system.folder / "in" / "XZCF_1.csv.part").write_bytes(whole)
    (system.folder / "in" / "XZCF_1.csv.part").rename(system.folder / "in" / "XZCF_1.csv")
    assert rows_read(system) == ["KS2026000001"]


def test_a_replaced_file_is_read_again_and_a_touched_one_is_not(system: FilesSystem) -> None:
    name = system.file("in/XZCF", csv_bytes([penalty(1), penalty(2)]))
    (page,) = pages(system)
    os.utime(system.folder / "in" / name, (1, 1))
    (page,) = pages(system, page.cursor)
    assert page.rows == 0
    put_file(system.folder / "in", name, csv_bytes([penalty(1), penalty(2, CF_NR_FK="9")]))
    (page,) = pages(system, page.cursor)
    assert [one.body["amount"]["fine"] for one in findings([page])] == ["25000.00", "90000.00"]


def test_a_file_that_comes_late_under_an_early_name(system: FilesSystem) -> None:
    put_file(system.folder / "in", "XZCF_9.csv", csv_bytes([penalty(9)]))
    (page,) = pages(system)
    put_file(system.folder / "in", "XZCF_1.csv", csv_bytes([penalty(1)]))
    assert rows_read(system, page.cursor) == ["KS2026000001"]


def test_a_file_replaced_between_two_pages(system: FilesSystem) -> None:
    name = system.file("in/XZCF", csv_bytes([penalty(n) for n in range(1, 701)]))
    source = system.source()
    first = source.collect(None)
    assert first.more and len(first.records) == 500
    put_file(system.folder / "in", name, csv_bytes([penalty(n) for n in range(1, 602)]))
    assert rows_read(system, first.cursor) == [f"KS2026{n:06d}" for n in range(1, 602)]
    source.close()


def test_hundreds_of_files_keep_the_cursor_small(system: FilesSystem) -> None:
    for n in range(1, 261):
        system.put([penalty(n)])
    (page,) = pages(system)
    assert page.rows == 260
    assert len(orjson.dumps(page.cursor)) < 4096
    system.put([penalty(261)])
    (page,) = pages(system, page.cursor)
    assert page.rows == 1
    (system.folder / "in" / "XZCF_20261122_0001.csv").unlink()
    again = list(pages(system, page.cursor))
    assert sum(one.rows for one in again) == 180  # those that only the joint digest knew
    assert [one.rows for one in pages(system, again[-1].cursor)] == [0]


def test_a_file_that_vanished_half_read(system: FilesSystem) -> None:
    name = system.file("in/XZCF", csv_bytes([penalty(n) for n in range(1, 701)]))
    system.put([penalty(800)])
    source = system.source()
    first = source.collect(None)
    (system.folder / "in" / name).unlink()
    assert rows_read(system, first.cursor) == ["KS2026000800"]
    source.close()


def test_a_line_with_the_wrong_number_of_cells(system: FilesSystem) -> None:
    lines = csv_bytes([penalty(1), penalty(2), penalty(3)]).split(b"\r\n")
    lines[2] = b"KS2026000002," + lines[2]
    name = system.file("in/XZCF", b"\r\n".join(lines))
    (page,) = pages(system)
    assert [one.row for one in findings([page])] == ["KS2026000001", "KS2026000003"]
    assert [(one.row, one.reason) for one in page.quarantined] == [(f"{name}:3", "cells")]


def test_a_quote_that_never_closes(system: FilesSystem) -> None:
    data = csv_bytes([penalty(1), penalty(2)])
    name = system.file("in/XZCF", data + '"KS2026000003,张'.encode("gb18030"))
    (page,) = pages(system)
    assert len(page.records) == 2
    assert [(one.row.split(":")[0], one.reason) for one in page.quarantined] == [(name, "cut_off")]


def test_a_quote_within_a_cell_costs_its_line_alone(system: FilesSystem) -> None:
    lines = csv_bytes([penalty(n) for n in range(1, 6)]).split(b"\r\n")
    for number in (1, 3):
        lines[number] = b'"a"b' + lines[number][lines[number].index(b",") :]
    name = system.file("in/XZCF", b"\r\n".join(lines))
    (page,) = pages(system)
    assert [one.row for one in findings([page])] == ["KS2026000002", "KS2026000004", "KS2026000005"]
    assert [(one.row, one.reason) for one in page.quarantined] == [(f"{name}:2", "quote"), (f"{name}:4", "quote")]


def test_nothing_is_read_behind_a_broken_record_of_several_lines(system: FilesSystem) -> None:
    lines = csv_bytes([penalty(1), penalty(2), penalty(3)]).split(b"\r\n")
    lines[2] = b'"begun\r\n"b,' + lines[2]
    name = system.file("in/XZCF", b"\r\n".join(lines))
    (page,) = pages(system)
    assert [one.row for one in findings([page])] == ["KS2026000001"]
    assert [(one.row.split(":")[0], one.reason) for one in page.quarantined] == [(name, "cut_off")]


@pytest.mark.parametrize("data", [b"", b"a,b\r\n1,2\r\n", b"ID,CF_WSH,ID\r\n1,2,3\r\n"])
def test_a_file_without_a_header(system: FilesSystem, data: bytes) -> None:
    name = system.file("in/XZCF", data)
    (page,) = pages(system)
    assert [(one.row, one.reason) for one in page.quarantined] == [(name, "header")]


def test_a_line_break_within_a_cell_and_blank_lines(system: FilesSystem) -> None:
    system.file("in/XZCF", csv_bytes([penalty(1, BZ='一,"二"\n三'), penalty(2)]) + b"\r\n\r\n")
    assert rows_read(system) == ["KS2026000001", "KS2026000002"]


def test_the_same_line_twice_in_two_files(system: FilesSystem) -> None:
    system.put([penalty(1), penalty(2)])
    system.put([penalty(2), penalty(3)])
    (page,) = pages(system)
    assert page.duplicates == 1 and len(page.records) == 3


def test_of_two_versions_in_one_page_the_later_holds(system: FilesSystem) -> None:
    system.put([penalty(1, CF_NR_FK="7", GXSJ="2026-11-23 00:00:00.000000")])
    system.put([penalty(1)])
    (page,) = pages(system)
    assert page.duplicates == 1
    assert [one.body["amount"]["fine"] for one in findings([page])] == ["70000.00"]


def test_no_folder(system: FilesSystem) -> None:
    (system.folder / "in").rmdir()
    (system.folder / "out").rmdir()
    source = system.source()
    with pytest.raises(SourceError, match="in/") as caught:
        source.collect(None)
    assert caught.value.transient
    with pytest.raises(SourceError, match="out/") as caught:
        source.push([order(1)])
    assert caught.value.transient


def test_a_file_nobody_can_read_stops_no_other(system: FilesSystem) -> None:
    (system.folder / "in" / "XZCF_0.csv").mkdir()
    system.put([penalty(1)])
    (page,) = pages(system)
    assert [(one.row, one.reason) for one in page.quarantined] == [("XZCF_0.csv", "no_access")]
    (system.folder / "in" / "XZCF_0.csv").rmdir()
    put_file(system.folder / "in", "XZCF_0.csv", csv_bytes([penalty(2)]))
    assert rows_read(system, page.cursor) == ["KS2026000002"]


def test_orders_leave_no_half_file_and_the_same_rows_one_file(system: FilesSystem) -> None:
    (system.folder / "out" / "CJ_20261122T000000000000_aaaaaaaaaaaa.csv.part").write_bytes(b"half")
    source = system.source()
    source.push([order(1)])
    source.push([order(1)])
    (path,) = (system.folder / "out").glob("CJ_*.csv")
    assert path.read_bytes().startswith(b"\xef\xbb\xbfCJD_PCH,CJD_RDBH,")
    path.unlink()  # the bureau took it
    source.push([order(1)])
    assert len(list((system.folder / "out").glob("CJ_*.csv"))) == 1
