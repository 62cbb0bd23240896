"""Lists of organisations' codes in CSV or XLSX, and the table of answers in the same forms.

Only the column of codes is read; whatever else the list holds, persons' columns among it, stays in it. A code that
cannot be taken keeps its line and a reason, never its text: somebody may have typed a person's number.
"""

import csv
import io
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from adapters.sheets import ENVIRONMENT, PROGRAM, REFUSED
from schemas.fault import Fault
from schemas.identifiers import canonical_uscc, is_sole_proprietor
from syncd.errors import Refuse

HEADS = frozenset({"统一社会信用代码", "社会信用代码", "信用代码", "USCC", "CF_XDR_SHXYM", "行政相对人代码_1"})
MOST_ROWS, MOST_ROWS_XLSX = 1_000_000, 20_000
MOST_BYTES = 256 * 1024 * 1024
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list: its number in the file (the head is line 1), and its code, or the reason why it is none."""

    line: int
    uscc: str | None
    fault: str | None


def read_codes(path: Path, data: bytes) -> list[Listed]:
    """The codes of a list in the order of its lines; empty lines are left out. ``path`` says the form by its ending.

    Raises ``Refuse`` for a file that cannot be read as a whole; a single bad code never stops the others.
    """
    if len(data) > MOST_BYTES:
        raise Refuse(f"The list has more than {MOST_BYTES >> 20} MiB; nothing of it was asked. Divide it.")
    excel = ask_form(path) == "xlsx"
    rows = _excel_rows(data) if excel else _text_rows(data)
    if len(rows) > (most := MOST_ROWS_XLSX if excel else MOST_ROWS) + 1:
        more = "; save it as CSV, which may be longer" if excel else "; divide it"
        raise Refuse(f"The list has more than {most} lines, and nothing of it was asked{more}.")
    column, first = _column(rows)
    cells = ((at, row[column] if column < len(row) else "") for at, row in enumerate(rows[first:], first + 1))
    return [_listed(at, cell) for at, cell in cells if cell.strip()]


def ask_form(path: Path) -> str:
    """``csv`` or ``xlsx``, by the file's ending; raises ``Refuse`` for another."""
    form = path.suffix.lower().removeprefix(".")
    if form not in ("csv", "xlsx"):
        raise Refuse("Lists and results are files that end with .csv or .xlsx. Nothing was asked.")
    return form


def _column(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Where the codes stand, and the first row of them: by a known head, or the first column where there is none."""
    heads = [cell.strip().upper() for cell in rows[0]] if rows else []
    found = next((at for at, head in enumerate(heads) if head.split(" ")[0].split("（")[0] in HEADS), None)
    return (found, 1) if found is not None else (0, 0)


def _listed(line: int, cell: str) -> Listed:
    try:
        code = canonical_uscc(cell)
    except Fault as fault:
        return Listed(line, None, fault.reason)
    return Listed(line, None, "sole_proprietor") if is_sole_proprietor(code) else Listed(line, code, None)


def _text_rows(data: bytes) -> list[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        try:
            return list(csv.reader(io.StringIO(text, newline="")))
        except csv.Error:
            break
    raise Refuse("The list is no CSV in UTF-8 or GB18030. Nothing of it was asked; save it again as one of them.")


def _excel_rows(data: bytes) -> list[list[str]]:
    """The rows of the first visible sheet, read in a process of its own, as workbooks of a source are."""
    program = [sys.executable, "-P", str(PROGRAM)]
    ran = subprocess.run(program, input=data, capture_output=True, env=ENVIRONMENT, check=False)
    rows: list[list[str]] = []
    reason, sheets = "damaged", 0
    for line in ran.stdout.split(b"\n")[:-1]:  # what stands behind the last line break was cut off
        word = orjson.loads(line)
        if isinstance(word, list):
            rows.append([_cell(value) for value in word])
        sheets += "sheet" in word
        if sheets > 1 or "end" in word:
            return rows
        if "refused" in word:
            reason = word["refused"]
            break
    raise Refuse(f"{REFUSED[reason]} Nothing of the list was asked.")


def _cell(value: object) -> str:
    """A cell as text; a number in a column of codes has lost digits already and fails its check."""
    return value if isinstance(value, str) else str(value) if value not in (None, "") else ""


def table_bytes(form: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The answers as a file: CSV in UTF-8 with a mark, which spreadsheets open rightly, or XLSX with all cells text."""
    if form == "csv":
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(heads)
        writer.writerows([_plain(cell) for cell in row] for row in rows)
        return text.getvalue().encode("utf-8-sig")
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("审查结果")
    for row in (heads, *rows):
        cells = []
        for text_of in row:
            cell = WriteOnlyCell(sheet, value=text_of)
            cell.data_type = "s"  # or a name that begins with "=" would be a formula
            cells.append(cell)
        sheet.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _plain(cell: str) -> str:
    """A spreadsheet must not take a name for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
