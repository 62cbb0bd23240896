"""CSV text as bureaus exchange it: read line by line in GB18030 or UTF-8, and written so that no half file is seen.

Nothing is guessed within a file. It is decoded whole or not at all, for a damaged UTF-8 file read as GB18030 would give
names in other characters; and a line whose cells do not fit the header is never shifted into place.
"""

import codecs
import csv
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO

from adapters.base import FILE, RowFault

_CHUNK = 1 << 20
# Python 3.11 has the GB18030 mapping of 2000; these nineteen codes got real characters in 2005 and 2022.
_MOVED = "A8BC A6D9 A6DA A6DB A6DC A6DD A6DE A6DF A6EC A6ED A6F3 FE59 FE61 FE66 FE67 FE6D FE7E FE90 FEA0"
_MOVED_TO = (0x1E3F, 0xFE10, 0xFE12, 0xFE11, *range(0xFE13, 0xFE1A), *range(0x9FB4, 0x9FBC))
_PRIVATE_USE = {
    ord(bytes.fromhex(code).decode("gb18030")): now for code, now in zip(_MOVED.split(), _MOVED_TO, strict=True)
}


@dataclass(slots=True)
class Line:
    """One line of a file by its header, or the fault that kept the file or the line from being read."""

    where: str
    fields: dict[str, str]
    fault: RowFault | None = None


def find_encoding(file: IO[bytes], encodings: Sequence[str]) -> str | None:
    """The first encoding in which the whole file can be read, None if there is none. A mark 字节序标记 means UTF-8."""
    marked = file.read(3) == codecs.BOM_UTF8
    for encoding in ["utf-8"] if marked else encodings:
        decoder = codecs.getincrementaldecoder(encoding)()
        file.seek(0)
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    return None


def read_lines(path: Path, encoding: str | None, key: str) -> Iterator[Line]:
    """The lines of a CSV file with a header row of column codes, among them ``key``; faults come as lines too.

    Raises ``OSError`` where the file cannot be opened or read.
    """
    name = path.name
    if encoding is None:
        yield _fault(name, "undecodable", "The file is in none of the agreed encodings; nothing of it was read.")
        return
    with path.open("rb") as raw:
        text = TextIOWrapper(raw, "utf-8-sig" if encoding == "utf-8" else encoding, newline="")
        reader = csv.reader(_current(text) if encoding == "gb18030" else text, strict=True)
        try:
            header = [cell.strip() for cell in next(reader, [])]
            if key not in header or len(set(header)) < len(header):
                yield _fault(name, "header", f"The first line is no header with {key} and each column once.")
                return
            width = len(header)
            for cells in reader:
                if len(cells) == width:
                    yield Line(f"{name}:{reader.line_num}", dict(zip(header, cells, strict=True)))
                elif cells:
                    yield _fault(
                        f"{name}:{reader.line_num}", "cells", "The line has more or fewer cells than the header."
                    )
        except (csv.Error, UnicodeDecodeError):
            yield _fault(
                f"{name}:{reader.line_num}", "cut_off", "A quote stays open, or the file is damaged, from here on."
            )


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write UTF-8 with a mark, whole or not at all: under a ``.part`` name, synced, renamed, the folder synced.

    A crash before the renaming leaves a ``.part`` file that nobody reads; the same rows are then written once more.
    """
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([row[column] for column in columns] for row in rows)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _current(lines: Iterable[str]) -> Iterator[str]:
    """Lines with today's characters for those codes that Python still reads as private use."""
    for line in lines:
        yield line if line.rstrip("\r\n").isprintable() else line.translate(_PRIVATE_USE)


def _fault(where: str, reason: str, sentence: str) -> Line:
    again = "The source must export the file again; it is read again by itself."
    return Line(where, {}, RowFault(FILE, reason, f"{sentence} {again}"))
