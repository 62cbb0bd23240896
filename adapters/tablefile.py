"""A file of a table, whatever it is: CSV, a workbook, or a zip file of these.

Its name says which, and its content must agree.
"""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from adapters.csvtext import Layout, Opened, read_csv
from adapters.heading import Line, file_fault
from adapters.sheets import read_sheets
from adapters.zipped import members

TEXTS, BOOKS, ARCHIVE = (".csv", ".txt", ".tsv"), (".xlsx", ".xls"), ".zip"
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def read_table(name: str, opened: Opened, layout: Layout) -> Iterator[Line]:
    """The lines of a file, faults among them. Raises ``OSError`` where it cannot be opened or read."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix == ARCHIVE:
        for member in members(name, opened):
            if isinstance(member, Line):
                yield member
            else:
                yield from _inside(*member, layout)
    elif suffix in BOOKS:
        yield from read_sheets(name, opened, layout)
    elif suffix not in TEXTS:
        yield file_fault(name, "no_table", "The file is no CSV, XLSX, XLS or zip file; nothing of it was read.")
    elif _is_no_text(opened):
        yield file_fault(name, "no_text", "The file is a workbook or zip file under the name of a text; rename it.")
    else:
        yield from read_csv(name, opened, layout)


def _inside(name: str, opened: Opened, layout: Layout) -> Iterator[Line]:
    """The lines of a member of a zip file; where it is damaged the other members go on."""
    try:
        yield from read_table(name, opened, layout)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        yield file_fault(name, "cut_off", "The member is damaged or its checksum does not fit, from here on.")


def _is_no_text(opened: Opened) -> bool:
    with opened() as file:
        return file.read(4) in (_ZIP, _OLE)
