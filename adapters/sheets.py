"""Worksheets of XLSX and XLS files as lines of text, read in a process of their own (``workbook``).

Every visible sheet with a head is read; sheets without one, as those of instructions, are passed over. Text stays as it
is. A number becomes text as it is shown, a serial number in a column of days that day; a number of more than 15 digits
was rounded by the spreadsheet and its row is set aside.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import orjson

from adapters.base import RowFault
from adapters.csvtext import Layout, Opened
from adapters.heading import Head, Line, file_fault
from adapters.serials import Rounded, as_day, as_text
from adapters.workbook import ROW_LIMIT

PROGRAM = Path(__file__).with_name("workbook.py")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"}
"""Nothing else of the node's environment, which may hold secrets."""
REFUSED = {
    "locked": "The workbook is locked by a password.",
    "no_workbook": "The file is no workbook, though its name says so (often a web page or text); save it as .xlsx.",
    "no_sheet": "The workbook has no visible sheet, or none of the name on the facts page (files.sheet).",
    "too_many_rows": f"A sheet has more than {ROW_LIMIT:,} rows; split it, or export it as CSV.",
    "damaged": "The workbook is damaged, or names cells far beyond its rows.",
}


def read_sheets(name: str, opened: Opened, layout: Layout) -> Iterator[Line]:
    """The lines of a workbook; faults come as lines too. Raises ``OSError`` where the file cannot be read."""
    with opened() as file, subprocess.Popen(
        [sys.executable, "-P", str(PROGRAM), *([layout.sheet] if layout.sheet else [])],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT,
    ) as program:  # fmt: skip
        try:
            assert program.stdin is not None and program.stdout is not None
            _hand_over(file, program.stdin)
            yield from _Sheets(name, layout).lines(program.stdout)
        finally:
            program.kill()  # it has ended, or nobody reads on


def _hand_over(file: IO[bytes], to: IO[bytes]) -> None:
    try:
        shutil.copyfileobj(file, to, 1 << 20)
        to.close()
    except BrokenPipeError:
        pass  # the program has ended; what it said until then is read


class _Sheets:
    """The lines of one workbook, from what the program says of it."""

    def __init__(self, name: str, layout: Layout) -> None:
        self._name, self._layout = name, layout
        self._sheet, self._number, self._rows, self._days = "", 0, 0, 0
        self._head = Head(layout.names, layout.notes, layout.below)
        self._any, self._within = False, False
        self._dated: list[bool] = []

    def lines(self, said: IO[bytes]) -> Iterator[Line]:
        reason = "damaged"
        for text in said:
            word = orjson.loads(text) if text.endswith(b"\n") else {}
            if isinstance(word, list):
                self._number += 1
                yield from self._row(word)
            elif "sheet" in word:
                self._begin(word["sheet"])
            elif "days" in word:
                self._days = word["days"]
            elif "refused" in word:
                reason = word["refused"]
                break
            elif "end" in word:
                reason = ""
            if self._rows > ROW_LIMIT:
                reason = "too_many_rows"
                break
        if reason:
            yield file_fault(self._name, reason, REFUSED[reason])
        elif not self._any:
            yield file_fault(self._name, "header", "No sheet has a head with the row key at its beginning.")

    def _begin(self, sheet: str) -> None:
        self._sheet, self._number, self._rows, self._within = sheet, 0, 0, False
        self._head = Head(self._layout.names, self._layout.notes, self._layout.below)

    def _row(self, cells: list[Any]) -> Iterator[Line]:
        if not self._within:
            texts = [cell if type(cell) is str else str(cell) for cell in cells]
            if self._head.takes(texts):
                return
            self._within = True
            if self._head.found:
                self._any = True
                self._dated = [column in self._layout.names.dated for column in self._head.columns]
        if self._head.found:
            yield from self._record(cells)

    def _record(self, cells: list[Any]) -> Iterator[Line]:
        columns, where = self._head.columns, f"{self._name}[{self._sheet}]:{self._number}"
        key = cells[self._head.key]
        if (type(key) is not str or not key or key.startswith(tuple(self._layout.notes))) and self._head.is_note(
            [cell if type(cell) is str else str(cell) for cell in cells]
        ):
            return
        self._rows += 1
        fault, fields = None, {}
        for column, dated, cell in zip(columns, self._dated, cells, strict=False):
            if type(cell) is str:
                text = as_day(cell, self._days) if dated else cell
            else:
                try:
                    text = as_text(cell, dated, self._days)
                except Rounded:
                    text, fault = str(int(cell)), _rounded(column)
            if column:
                fields[column] = text
            elif text.strip():
                yield file_fault(where, "cells", "Text stands under a column that has no name.")
                return
        yield Line(where, fields, fault)


def _rounded(column: str) -> RowFault:
    sentence = "The cell is a number of more than 15 digits, which the spreadsheet has rounded; make the column text."
    return RowFault(column, "rounded_number", sentence)
