"""A workbook read in a process of its own 子进程: what is damaged or a trap there ends that process and not the node.

A spreadsheet of a few kilobytes can name a cell a million rows away, and the library then asks for gigabytes and
aborts. So this file is run as a program with bounds on memory and time: workbook on standard input, one JSON line for
each row on standard output. It imports nothing of ours.

Lines: ``{"days"}`` to add to serial numbers, ``{"sheet", "rows"}`` before the rows of a sheet, ``[cell, …]`` for a row
(text, number, true or false; a day or time as text), ``{"refused"}`` with a reason, and ``{"end": true}`` behind all.
"""

import datetime as dt
import io
import resource
import sys
import zipfile
from typing import Any

MEMORY_BYTES, CPU_SECONDS = 1 << 30, 120
ROW_LIMIT = 20_000
HEAD_ROWS = 40
"""Rows above and below the header that a sheet may have beside its rows."""
OLE = b"\xd0\xcf\x11\xe0"
BEGINNINGS = (b"\x09\x08\x10\x00\x00\x06\x05\x00", b"\x09\x08\x08\x00\x00\x05\x05\x00")
"""The record BOF of the globals of a workbook, of the two versions that XLS files have."""
DATE_MODE, RECORDS = 0x22, 400


def main() -> None:
    """Read standard input; the name of one sheet may stand as argument."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import orjson
    import python_calamine as calamine

    out, data = sys.stdout.buffer, sys.stdin.buffer.read()
    try:
        book = calamine.load_workbook(io.BytesIO(data))
        wanted = sys.argv[1] if len(sys.argv) > 1 else ""
        names = [one.name for one in book.sheets_metadata if one.visible == calamine.SheetVisibleEnum.Visible]
        names = [name for name in names if name == wanted or not wanted]
        if not names:
            out.write(b'{"refused":"no_sheet"}\n')
        out.write(orjson.dumps({"days": 1462 if _counts_from_1904(data) else 0}) + b"\n")
        for name in names:
            sheet = book.get_sheet_by_name(name)
            out.write(orjson.dumps({"sheet": name, "rows": sheet.total_height}) + b"\n")
            if sheet.total_height > ROW_LIMIT + HEAD_ROWS:
                out.write(b'{"refused":"too_many_rows"}\n')
                break
            for row in sheet.iter_rows():
                out.write(orjson.dumps([_plain(cell) for cell in row]) + b"\n")
    except calamine.PasswordError:
        out.write(b'{"refused":"locked"}\n')
    except calamine.CalamineError:
        out.write(b'{"refused":"no_workbook"}\n')
    out.write(b'{"end":true}\n')
    out.flush()


def _plain(cell: Any) -> Any:
    if type(cell) is str or isinstance(cell, int | float):
        return cell
    if isinstance(cell, dt.datetime):
        midnight = not (cell.hour or cell.minute or cell.second or cell.microsecond)
        return cell.date().isoformat() if midnight else cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)


def _counts_from_1904(data: bytes) -> bool:
    """Whether day 0 of the workbook is 1904-01-01, as old programs of another make had it."""
    if data.startswith(OLE):
        return _says_1904(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts, parts.open("xl/workbook.xml") as file:
            head = file.read(65_536)
    except (zipfile.BadZipFile, KeyError, OSError, NotImplementedError):
        return False
    return b'date1904="1"' in head or b'date1904="true"' in head


def _says_1904(data: bytes) -> bool:
    """The record DATEMODE of an XLS file ([MS-XLS] 2.4.77), which stands near the beginning of its workbook."""
    at = next((found for begin in BEGINNINGS if (found := data.find(begin)) >= 0), len(data))
    for _ in range(RECORDS):
        kind, length = (int.from_bytes(data[at + n : at + n + 2], "little") for n in (0, 2))
        if kind in (0, DATE_MODE):
            return kind == DATE_MODE and data[at + 4 : at + 6] == b"\x01\x00"
        at += 4 + length
    return False


if __name__ == "__main__":
    main()
