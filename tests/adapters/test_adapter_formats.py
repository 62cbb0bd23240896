"""Tables as bureaus send them: workbooks, zip files, heads, instruction rows, delimiters, encodings."""

import datetime as dt
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt
from adapter_promise import AdapterPromise, findings, pages
from adapter_rows import ACK_COLUMNS, PENALTY_COLUMNS, RELIEF_COLUMNS, Row, csv_bytes, facts_of, penalty, put_file
from openpyxl.cell import WriteOnlyCell
from test_adapter_files import FilesSystem

from adapters import sheets
from adapters.base import Json
from adapters.csvtext import Layout, Undecodable, find_encoding
from adapters.facts import SourceFacts
from adapters.heading import Head, Line, Names
from adapters.records import Collected
from adapters.serials import as_day
from adapters.tablefile import read_table

FACTS = facts_of("kunshan")
NAMES = Names.of(FACTS, "ID")


def with_files(**changes: object) -> SourceFacts:
    """The files facts page with other settings."""
    assert FACTS.files is not None
    names = {"penalties": "XZCF_*", "relief": "XF_*", "acknowledgements": "HZ_*"}
    return FACTS.model_copy(update={"files": FACTS.files.model_copy(update=names | changes)})


def workbook(rows: Sequence[Sequence[Any]], sheets: Json | None = None) -> bytes:
    """An XLSX file; ``sheets`` are put before the sheet of rows."""
    book = openpyxl.Workbook(write_only=True)
    for name, content in {**(sheets or {}), "数据": rows}.items():
        sheet = book.create_sheet(name)
        for row in content:
            cells = [WriteOnlyCell(sheet, value) for value in row]
            for cell in cells:
                cell.data_type = "s" if cell.data_type == "f" else cell.data_type  # text, and no formula
            sheet.append(cells)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def old_workbook(rows: Sequence[Sequence[Any]], from_1904: bool = False) -> bytes:
    """An XLS file."""
    book = xlwt.Workbook(encoding="utf-8")
    book.dates_1904 = from_1904
    sheet = book.add_sheet("数据")
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            sheet.write(y, x, value, *([day] if isinstance(value, dt.date) else []))
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip file."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def table(*rows: Row, columns: Sequence[str] = PENALTY_COLUMNS) -> list[list[Any]]:
    """Rows with their head."""
    return [list(columns), *[[row.get(column, "") for column in columns] for row in rows]]


class SheetsSystem(FilesSystem):
    """A bureau that writes all by spreadsheet."""

    facts = with_files(orders="CJ_{time}_{n}.xlsx", manifest=True)

    def put(self, penalties: Sequence[Row] = (), reliefs: Sequence[Row] = ()) -> None:
        if penalties:
            self.book("in/XZCF", table(*penalties))
        if reliefs:
            self.book("in/XF", table(*reliefs, columns=RELIEF_COLUMNS))

    def put_acks(self, acks: Sequence[Row]) -> None:
        self.book("ack/HZ", table(*acks, columns=ACK_COLUMNS))

    def book(self, start: str, rows: Sequence[Sequence[Any]]) -> None:
        self.files += 1
        part, prefix = start.split("/")
        put_file(self.folder / part, f"{prefix}_{self.files:04d}.xlsx", workbook(rows))

    def orders(self) -> dict[tuple[str, str], Json]:
        held: dict[tuple[str, str], Json] = {}
        for path in sorted((self.folder / "out").glob("CJ_*.xlsx")):
            head, *lines = openpyxl.load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True)
            for line in lines:
                row = dict(zip(head, line, strict=True))
                key = (row["CJD_RDBH"], row["CJD_CS"])
                old, new = held.get(key), (int(row["CJD_BBH"]), -int(row["CJD_ZT"]))
                if old is None or new >= (int(old["CJD_BBH"]), -int(old["CJD_ZT"])):
                    held[key] = row
        return held


class TestSheetsPromise(AdapterPromise):
    """Files mode with workbooks alone."""

    @pytest.fixture
    def system(self, tmp_path: Path) -> SheetsSystem:
        return SheetsSystem(tmp_path)


def lines(name: str, data: bytes, **settings: Any) -> list[Line]:
    """The lines of one file."""
    layout = Layout(NAMES, ["utf-8", "gb18030"], notes=FACTS.files.notes if FACTS.files else (), **settings)
    return list(read_table(name, lambda: io.BytesIO(data), layout))


def ids(found: Sequence[Line]) -> list[str]:
    return [line.fields["ID"] for line in found if not line.fault]


def reasons(found: Sequence[Line]) -> list[str]:
    return [line.fault.reason for line in found if line.fault]


def collected(folder: Path, facts: SourceFacts, files: dict[str, bytes]) -> Collected:
    """One page of a folder with these files."""
    system = FilesSystem(folder)
    system.facts = facts
    for name, data in files.items():
        put_file(folder / "in", name, data)
    (page,) = pages(system)
    return page


@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
def test_a_spreadsheet_of_a_clerk(tmp_path: Path, suffix: str) -> None:
    """Title, instructions, a head of two rows with merged cells, labels, days of three kinds, a note at the end."""
    columns = list(PENALTY_COLUMNS)
    first = ["ID", "行政相对人", *[""] * (len(columns) - 2)]
    second = ["", *columns[1:]]
    one, two = table(penalty(1, CF_JDRQ="2026年11月2日"), penalty(2))[1:]
    for row in (one, two):
        row[columns.index("CF_NR_FK")] = 2.5
    two[columns.index("CF_JDRQ")] = dt.date(2026, 11, 2)
    two[columns.index("CF_YXQ")] = 47_424
    two[columns.index("GXSJ")] = 46_348.375
    note = ["注：本表由各科室填报", *[""] * (len(columns) - 1)]
    rows = [["行政处罚信息表"], ["填表说明：1. 红色为必填"], first, second, one, two, [""] * len(columns), note]
    data = workbook(rows, {"表格说明": [["本表每周填报"]]}) if suffix == "xlsx" else old_workbook(rows)
    page = collected(tmp_path, with_files(), {f"XZCF_1.{suffix}": data})
    assert page.quarantined == []
    first_one, second_one = findings([page])
    assert first_one.body["decided_on"] == second_one.body["decided_on"] == "2026-11-02"
    assert second_one.body["ends"]["measures"] == "2029-11-02" and second_one.body["amount"]["fine"] == "25000.00"
    assert second_one.updated == "2026-11-22 09:00:00.000000"
    assert second_one.where.startswith(f"XZCF_1.{suffix}[数据]:6")


def test_serial_days_of_an_old_workbook_that_counts_from_1904(tmp_path: Path) -> None:
    rows = table(penalty(1))
    rows[1][PENALTY_COLUMNS.index("CF_YXQ")] = 47_424 - 1_462
    page = collected(tmp_path, with_files(), {"XZCF_1.xls": old_workbook(rows, from_1904=True)})
    assert [one.body["ends"]["measures"] for one in findings([page])] == ["2029-11-02"]


def test_a_code_that_the_spreadsheet_rounded(tmp_path: Path) -> None:
    rows = table(penalty(1), penalty(2))
    rows[1][PENALTY_COLUMNS.index("CF_XDR_SHXYM")] = 913205830123456789
    rows[2][PENALTY_COLUMNS.index("ID")] = 2026000002
    page = collected(tmp_path, with_files(), {"XZCF_1.xlsx": workbook(rows)})
    (fault,) = page.quarantined
    assert (fault.row, fault.field, fault.reason) == ("KS2026000001", "CF_XDR_SHXYM", "rounded_number")
    assert [one.row for one in findings([page])] == ["2026000002"]


def test_labels_and_instructions_below_the_head() -> None:
    labels = ["主键", "行政相对人名称", "行政处罚决定书文号", "备注"]
    rows = [["ID", "CF_XDR_MC", "CF_WSH", "BZ"], labels, ["必填", "全称", "原文", ""], ["a", "b", "c", ""]]
    assert ids(lines("x.xlsx", workbook(rows), below=1)) == ["a"]
    text = "\n".join(",".join(row) for row in rows).encode()
    assert ids(lines("x.csv", text, below=1)) == ["a"]
    assert ids(lines("x.csv", text)) == ["必填", "a"]  # not told by names: shown, and refused for what it says


def test_columns_without_a_name_are_left_out_if_they_are_empty() -> None:
    assert ids(lines("x.csv", b"ID,CF_WSH,,\na,b,,\n,,,\nc,d,,\n")) == ["a", "c"]
    assert reasons(lines("x.csv", b"ID,CF_WSH,,\na,b,,text\nc,d,,\n")) == ["cells"]
    assert reasons(lines("x.csv", b"ID,CF_WSH,ID\na,b,c\n")) == ["header"]
    assert reasons(lines("x.xlsx", workbook([["ID", "CF_WSH", ""], ["a", "b", "text"], ["c", "d", ""]]))) == ["cells"]


def test_a_cell_of_enormous_size_costs_its_row_alone(tmp_path: Path) -> None:
    data = csv_bytes([penalty(1), penalty(2, CF_SY="长" * 200_000), penalty(3)])
    page = collected(tmp_path, with_files(), {"XZCF_1.csv": data})
    assert [one.row for one in findings([page])] == ["KS2026000001", "KS2026000003"]
    assert [one.reason for one in page.quarantined] == ["too_large"]


def test_a_row_without_a_key_is_no_note() -> None:
    found = lines("x.csv", "ID,CF_WSH,CF_SY,BZ\n,文号,事实,说明\n说明,,,\n合计,3,,\n合计,3,4,\n".encode())
    assert [line.fields["ID"] for line in found] == ["", "合计"]


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [["ID", "CF_WSH"], *[[f"K{n}", "文号"] for n in range(20_100)]]
    found = lines("x.xlsx", workbook(rows))
    assert ids(found) == [] and found[0].fault is not None and "20,000" in found[0].fault.sentence
    monkeypatch.setattr(sheets, "ROW_LIMIT", 50)
    assert reasons(lines("x.xlsx", workbook(rows[:52])))[-1:] == ["too_many_rows"]
    assert ids(lines("x.xlsx", workbook(rows[:51]))) == [f"K{n}" for n in range(50)]


def test_a_workbook_that_is_a_trap_or_none() -> None:
    far = openpyxl.Workbook()
    far.active["A1"], far.active["XFD1048576"] = "ID", "x"
    data = io.BytesIO()
    far.save(data)
    good = workbook(table(penalty(1)))
    assert reasons(lines("x.xlsx", data.getvalue())) in (["damaged"], ["too_many_rows"])
    assert reasons(lines("x.xlsx", good[:-300])) == ["no_workbook"]
    assert reasons(lines("x.xls", b"<html><table><tr><td>ID</td></tr></table></html>")) == ["no_workbook"]
    assert reasons(lines("x.xlsx", b"")) == ["no_workbook"]
    assert reasons(lines("x.xlsx", workbook([["a", "b"]]))) == ["header"]
    assert reasons(lines("x.xlsx", good, sheet="别的")) == ["no_sheet"]
    assert ids(lines("x.xlsx", good, sheet="数据")) == ["KS2026000001"]
    assert reasons(lines("x.csv", good)) == ["no_text"] and reasons(lines("x.pdf", good)) == ["no_table"]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "utf-8", "utf-8-sig"])
def test_delimiters_and_encodings(sign: str, encoding: str) -> None:
    head = "表格说明：每周填报\r\n"
    text = head + "\r\n".join([sign.join(["ID", "CF_WSH", "BZ"]), sign.join(["a", "苏环〔2026〕1号", '"一,二;三|\t"'])])
    (line,) = lines("x.csv", text.encode(encoding))
    assert (line.fields["CF_WSH"], line.fields["BZ"]) == ("苏环〔2026〕1号", "一,二;三|\t")


def test_a_head_that_more_than_one_sign_could_part() -> None:
    assert reasons(lines("x.csv", b"ID,CF_WSH\nID;CF_WSH\na,b\n")) == ["delimiter"]
    assert ids(lines("x.csv", b"ID,CF_WSH\nID;CF_WSH\na,b\n", delimiter=","))[-1:] == ["a"]


@pytest.mark.parametrize(
    ("data", "agreed", "said"),
    [
        (b"plain", ["gb18030", "utf-8"], "utf-8"),
        ("文".encode(), ["gb18030", "utf-8"], "utf-8"),
        ("文".encode("gb18030"), ["utf-8", "gbk"], "gb18030"),
        ("文".encode("gb18030"), ["utf-8"], "undecodable"),
        ("\ufeff文".encode(), ["gb18030"], "utf-8"),
        (b"\xef\xbb\xbf" + "文".encode("gb18030"), ["gb18030", "utf-8"], "undecodable"),
        ("模".encode("gb18030"), ["utf-8", "gb18030"], "ambiguous_encoding"),
        ("模".encode("gb18030"), ["gbk"], "gb18030"),
        ("文".encode("utf-16"), ["utf-8", "gb18030"], "undecodable"),
    ],
)
def test_an_encoding_is_found_or_refused_with_its_reason(data: bytes, agreed: list[str], said: str) -> None:
    try:
        found = find_encoding(lambda: io.BytesIO(data), agreed)
    except Undecodable as fault:
        found = fault.reason
    assert found == said


def test_zip_files_with_several_members(tmp_path: Path) -> None:
    files = {
        "甲/XZCF_1.csv": csv_bytes([penalty(1)]),
        "XZCF_2.xlsx": workbook(table(penalty(2))),
        "../XZCF_3.csv": csv_bytes([penalty(3)]),
        "/abs.csv": csv_bytes([penalty(3)]),
        "readme.pdf": b"x",
        "inner.zip": zipped({"a.csv": b""}),
        "__MACOSX/._XZCF_1.csv": b"x",
    }
    page = collected(tmp_path, with_files(), {"XZCF_1.zip": zipped(files), "XZCF_2.csv": csv_bytes([penalty(4)])})
    assert [one.row for one in findings([page])] == ["KS2026000001", "KS2026000002", "KS2026000004"]
    said = [(fault.row.partition("/")[2], fault.reason) for fault in page.quarantined]
    assert said == [
        ("../XZCF_3.csv", "member_path"),
        ("/abs.csv", "member_path"),
        ("readme.pdf", "no_table"),
        ("inner.zip", "no_table"),
    ]


def test_zip_files_that_are_traps_or_damaged() -> None:
    bomb = bytearray(zipped({"a.csv": b"ID,CF_WSH\n"}))
    size = bomb.index(b"PK\x01\x02") + 24
    bomb[size : size + 4] = (600 * 1024 * 1024).to_bytes(4, "little")
    assert reasons(lines("x.zip", bytes(bomb))) == ["too_large"]
    assert reasons(lines("x.zip", zipped({f"{n}.csv": b"" for n in range(201)}))) == ["too_large"]
    good = zipped({"a.csv": csv_bytes([penalty(n) for n in range(1, 99)]), "b.csv": csv_bytes([penalty(99)])})
    assert reasons(lines("x.zip", good[:-30])) == ["no_archive"] and reasons(lines("x.zip", b"PK")) == ["no_archive"]
    at = good.index(b"a.csv") + 400
    found = lines("x.zip", good[:at] + bytes(8) + good[at + 8 :])
    assert reasons(found)[-1:] == ["cut_off"] and ids(found)[-1:] == ["KS2026000099"]
    locked = bytearray(good)
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        locked[locked.index(mark) + (6 if mark == b"PK\x03\x04" else 8)] |= 1
    assert reasons(lines("x.zip", bytes(locked))) == ["locked"]


@pytest.mark.parametrize(
    ("text", "days", "day"),
    [
        ("46328", 0, "2026-11-02"),
        ("46328.375", 0, "2026-11-02 09:00:00"),
        ("44866", 1462, "2026-11-02"),
        ("2026-11-02", 0, "2026-11-02"),
        ("17000", 0, "17000"),
        ("73051", 0, "73051"),
        ("463280", 0, "463280"),
        ("", 0, ""),
    ],
)
def test_serial_days(text: str, days: int, day: str) -> None:
    assert as_day(text, days) == day


def test_serial_days_in_csv_are_read_where_the_page_says_so() -> None:
    data = b"ID,CF_JDRQ,CF_NR_FK\na,46328,46328\n"
    assert lines("x.csv", data)[0].fields["CF_JDRQ"] == "46328"
    assert lines("x.csv", data, serials=True)[0].fields == {"ID": "a", "CF_JDRQ": "2026-11-02", "CF_NR_FK": "46328"}


def test_a_head_is_looked_for_at_the_beginning_only() -> None:
    head = Head(NAMES)
    assert all(head.takes(["标题"]) for _ in range(19)) and not head.takes(["标题"]) and not head.found
