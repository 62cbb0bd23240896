"""CSV text as bureaus exchange it, in UTF-8 or GB18030, cells parted by comma, semicolon, tab or bar.

Nothing is guessed within a file. It is decoded whole or not at all, for a damaged UTF-8 file read as GB18030 would give
names in other characters. What parts the cells is what splits out the name of the row key, and must be just one sign. A
line whose cells do not fit the head is never shifted into place.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import chain, compress, islice
from typing import IO, Any

from adapters.heading import HEAD_ROWS, Head, Line, Names, file_fault
from adapters.serials import as_day

csv.field_size_limit(4 * 1024 * 1024)
"""A cell larger than Python's own 128 KiB costs its row, refused for its size, and not the rest of the file."""

_CHUNK = 1 << 20
_HEAD_TEXT = 1 << 16
DELIMITERS = (",", ";", "\t", "|")
_CHINESE = re.compile("[\u2000-\U0010ffff]")
# Python 3.11 has the GB18030 mapping of 2000; these nineteen codes got real characters in 2005 and 2022.
_MOVED = "A8BC A6D9 A6DA A6DB A6DC A6DD A6DE A6DF A6EC A6ED A6F3 FE59 FE61 FE66 FE67 FE6D FE7E FE90 FEA0"
_MOVED_TO = (0x1E3F, 0xFE10, 0xFE12, 0xFE11, *range(0xFE13, 0xFE1A), *range(0x9FB4, 0x9FBC))
_PRIVATE_USE = {
    ord(bytes.fromhex(code).decode("gb18030")): now for code, now in zip(_MOVED.split(), _MOVED_TO, strict=True)
}

Opened = Callable[[], IO[bytes]]
Record = list[str] | csv.Error


@dataclass(frozen=True)
class Layout:
    """What a facts page says of the tables in files of one kind (``modes.Files``)."""

    names: Names
    encodings: Sequence[str]
    delimiter: str = ""
    sheet: str = ""
    notes: Sequence[str] = ()
    below: int = 0
    serials: bool = False


class Undecodable(Exception):
    """The file cannot be read as text: a reason code, and a sentence."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(reason)
        self.reason, self.sentence = reason, sentence


def find_encoding(opened: Opened, encodings: Sequence[str]) -> str:
    """The agreed encoding in which the whole file can be read; GBK is read as GB18030, which holds it.

    1. a mark 字节序标记 at the beginning means UTF-8 and nothing else;
    2. UTF-8, which other encodings hardly ever happen to be, goes before GB18030, which takes nearly every byte;
    3. what could be both, and holds no Chinese as UTF-8, is refused. Raises ``Undecodable``.
    """
    agreed = {"gb18030" if name == "gbk" else name for name in encodings}
    with opened() as file:
        marked = file.read(3) == codecs.BOM_UTF8
    if marked:
        agreed = {"utf-8"}
    chinese = _decoded(opened, "utf-8") if "utf-8" in agreed else None
    if chinese or (chinese is not None and "gb18030" not in agreed):
        return "utf-8"
    other = _decoded(opened, "gb18030") if "gb18030" in agreed else None
    if chinese is None and other is None:
        raise Undecodable("undecodable", "The file is in none of the agreed encodings; nothing of it was read.")
    if chinese is None:
        return "gb18030"
    if other:
        sentence = "The file could be UTF-8 or GB18030, and says different things; a byte-order mark would tell."
        raise Undecodable("ambiguous_encoding", f"{sentence} Nothing of it was read.")
    return "utf-8"


def _decoded(opened: Opened, encoding: str) -> bool | None:
    """Whether the file, read in an encoding, holds Chinese text; None where it cannot be read in it."""
    decoder, found = codecs.getincrementaldecoder(encoding)(), False
    with opened() as file:
        try:
            while chunk := file.read(_CHUNK):
                text = decoder.decode(chunk)
                found = found or bool(_CHINESE.search(text))
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return None
    return found


def read_csv(name: str, opened: Opened, layout: Layout) -> Iterator[Line]:
    """The lines of a CSV file by its head; faults come as lines too. Raises ``OSError`` where it cannot be read."""
    try:
        encoding = find_encoding(opened, layout.encodings)
        delimiter = layout.delimiter or _delimiter(opened, encoding, layout.names)
    except Undecodable as fault:
        yield file_fault(name, fault.reason, fault.sentence)
        return
    with opened() as raw:
        text = _text(raw, encoding)
        reader = csv.reader(_current(text) if encoding == "gb18030" else text, delimiter=delimiter, strict=True)
        try:
            head, records = Head(layout.names, layout.notes, layout.below), _records(reader)
            first = next((one for one in records if not head.takes(one if isinstance(one, list) else [])), None)
            if not head.found:
                yield file_fault(name, "header", "No line at its beginning is a head with the row key, each name once.")
            elif first is not None:
                yield from _lines(name, reader, chain([first], records), head, layout)
        except (csv.Error, UnicodeDecodeError):
            where = f"{name}:{reader.line_num}"
            yield file_fault(where, "cut_off", "A quote stays open, or the file is damaged, from here on.")


def _lines(name: str, reader: Any, records: Iterable[Record], head: Head, layout: Layout) -> Iterator[Line]:
    columns, width, key, notes = head.columns, len(head.columns), head.key, tuple(layout.notes)
    named = [bool(column) for column in columns]
    unnamed = not all(named)
    dated = [column for column in columns if column in layout.names.dated] if layout.serials else []
    for cells in records:
        if isinstance(cells, csv.Error):
            yield file_fault(f"{name}:{reader.line_num}", "quote", "A quote stands within a cell and is not doubled.")
        elif len(cells) == width and cells[key] and not cells[key].startswith(notes) and not unnamed:
            fields = dict(zip(columns, cells, strict=True))
            if dated:
                fields |= {column: as_day(fields[column]) for column in dated}
            yield Line(f"{name}:{reader.line_num}", fields)
        elif cells and not head.is_note(cells):
            yield _odd(f"{name}:{reader.line_num}", cells, head, named)


def _records(reader: Any) -> Iterator[Record]:
    """The records of a table, and in place of one with a quote within a cell that is not doubled its error.

    Where such a record began and ended on one line it costs that line alone. One of several lines may have taken others
    into it, so nothing is read behind it.
    """
    before = reader.line_num
    while True:
        try:
            for cells in reader:
                yield cells
                before = reader.line_num
            return
        except csv.Error as error:
            if reader.line_num - before != 1 or "expected after" not in str(error):
                raise
            broken = error
        yield broken
        before = reader.line_num


def _odd(where: str, cells: list[str], head: Head, named: Sequence[bool]) -> Line:
    """A line without a key or under a head with empty names, or one that does not fit the head."""
    if len(cells) != len(head.columns):
        return file_fault(where, "cells", "The line has more or fewer cells than the header.")
    if any(cell.strip() for cell, has_name in zip(cells, named, strict=True) if not has_name):
        return file_fault(where, "cells", "Text stands under a column that has no name.")
    return Line(where, dict(zip(compress(head.columns, named), compress(cells, named), strict=True)))


def _delimiter(opened: Opened, encoding: str, names: Names) -> str:
    """The one sign that splits out the name of the row key. Raises ``Undecodable`` where it is not just one."""
    with opened() as raw:
        text = _text(raw, encoding).read(_HEAD_TEXT)
    found = [sign for sign in DELIMITERS if _splits(text, sign, names)]
    if len(found) > 1:
        sentence = "More than one sign could part the cells of its header; name it on the facts page (files.delimiter)."
        raise Undecodable("delimiter", f"{sentence} Nothing of it was read.")
    return found[0] if found else ","


def _splits(text: str, sign: str, names: Names) -> bool:
    try:
        rows = list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=sign), HEAD_ROWS))
    except csv.Error:
        return False
    return any(len(row) > 1 and any(cell.strip() in names.keys for cell in row) for row in rows)


def write_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    """A CSV file in UTF-8 with a mark. Where no cell holds a sign of CSV its lines are joined: that costs half."""
    lines: list[Sequence[str]] = [columns]
    for row in rows:
        cells = [row[column] for column in columns]
        lines.append([cell if type(cell) is str else "" if cell is None else str(cell) for cell in cells])
    text = "\r\n".join([",".join(line) for line in lines]) + "\r\n"
    signs = [text.count(sign) for sign in ',\r\n"']
    if signs != [len(lines) * (len(columns) - 1), len(lines), len(lines), 0]:
        quoted = io.StringIO(newline="")
        csv.writer(quoted).writerows(lines)
        text = quoted.getvalue()
    return text.encode("utf-8-sig")


def _text(raw: IO[bytes], encoding: str) -> TextIOWrapper:
    return TextIOWrapper(raw, "utf-8-sig" if encoding == "utf-8" else encoding, newline="")


def _current(lines: Iterable[str]) -> Iterator[str]:
    """Lines with today's characters for those codes that Python still reads as private use."""
    for line in lines:
        yield line if line.rstrip("\r\n").isprintable() else line.translate(_PRIVATE_USE)
