"""Orders 惩戒单 as a file, CSV or XLSX, and its manifest 清单: how many rows it has and what its content comes to."""

import hashlib
import io
from collections.abc import Sequence
from typing import Any

import orjson

from adapters.base import Json
from adapters.csvtext import write_csv


def order_file(name: str, columns: Sequence[str], rows: Sequence[Json]) -> bytes:
    """The content of a file of orders, by the ending of its name."""
    return _workbook(columns, rows) if name.endswith(".xlsx") else write_csv(columns, rows)


def manifest(name: str, content: bytes, rows: Sequence[Json]) -> bytes:
    """What stands beside a file of orders: written last, so that the file is whole where it is there."""
    said = {"file": name, "rows": len(rows), "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return orjson.dumps(said, option=orjson.OPT_INDENT_2)


def _workbook(columns: Sequence[str], rows: Sequence[Json]) -> bytes:
    """A workbook of text cells alone: a code stays as it is written, and nothing is taken for a formula."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("惩戒单")

    def text(value: object) -> Any:
        cell = WriteOnlyCell(sheet, str(value))
        cell.data_type, cell.number_format = "s", "@"
        return cell

    sheet.append([text(column) for column in columns])
    for row in rows:
        sheet.append([text(row[column]) for column in columns])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
