"""The rows of the adapters' benchmark in all their forms, and a service that gives them out page by page."""

import csv
import datetime as dt
import sqlite3
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import orjson

from adapters.ddl import ddl
from adapters.facts import SourceFacts, parse_facts
from syncd.demo.bulk import generate_bulk
from syncd.demo.certificate import make_certificate
from syncd.demo.places import load_places

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"csv": "kunshan", "xlsx": "kunshan", "database": "taicang", "service": "jiading"}
FILE_ROWS, PAGE_ROWS, TOKEN = 20_000, 500, "bench"
BEGAN = dt.datetime(2026, 11, 1)


def write(folder: Path, count: int, modes: list[str]) -> None:
    """The rows in all their forms. Slow for XLSX, and outside of every clock."""
    today = dt.date(2026, 11, 22)
    for part in ("csv/in", "csv/out", "csv/ack", "xlsx/in", "xlsx/out", "xlsx/ack"):
        (folder / part).mkdir(parents=True)
    for number, start in enumerate(range(0, count, FILE_ROWS)):
        rows = list(some_rows("csv", start, min(FILE_ROWS, count - start), today))
        write_csv(folder / f"csv/in/XZCF_{number:03d}.csv", rows)
        if "xlsx" in modes:
            write_xlsx(folder / f"xlsx/in/XZCF_{number:03d}.xlsx", rows)
    if "database" in modes:
        write_database(folder / "front.db", some_rows("database", 0, count, today))
    if "service" in modes:
        pages = folder / "pages"
        pages.mkdir()
        for number, start in enumerate(range(0, count, PAGE_ROWS)):
            rows = list(some_rows("service", start, min(PAGE_ROWS, count - start), today))
            page = {"count": len(rows), "items": rows, "after": f"p{number + 1}", "more": start + PAGE_ROWS < count}
            (pages / f"{number}.json").write_bytes(orjson.dumps(page))
        (folder / "tls").mkdir()
        make_certificate(folder / "tls")


def some_rows(mode: str, start: int, count: int, today: dt.date) -> Iterator[dict[str, str]]:
    """Rows of the bureau whose page the mode is read by."""
    code = facts_of(mode).publisher.code
    for n, row in enumerate(generate_bulk(code, count, today, start, load_places()), start):
        yield row | {"GXSJ": (BEGAN + dt.timedelta(seconds=n)).isoformat(" ", "microseconds")}


def write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    """GB18030 with a header line."""
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_xlsx(path: Path, rows: list[dict[str, str]]) -> None:
    """A workbook of text cells."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(list(row.values()))
    book.save(path)


def write_database(path: Path, rows: Iterator[dict[str, str]]) -> None:
    """A front database as ``syncd adapter ddl`` makes it."""
    front = sqlite3.connect(path)
    front.executescript(ddl(facts_of("database"), "sqlite"))
    first = next(rows)
    marks = ", ".join("?" * len(first))
    front.execute(f"INSERT INTO xzcf ({', '.join(first)}) VALUES ({marks})", list(first.values()))
    front.executemany(f"INSERT INTO xzcf ({', '.join(first)}) VALUES ({marks})", (list(row.values()) for row in rows))
    front.commit()
    front.close()


def facts_of(mode: str) -> SourceFacts:
    """The shipped page of the mode; XLSX by the page of the files mode."""
    text = (ROOT / f"config/sources/{PAGES[mode]}.toml").read_text("utf-8")
    return parse_facts((text.replace('"XZCF_*.csv"', '"XZCF_*.xlsx"') if mode == "xlsx" else text).encode())


class Pages(BaseHTTPRequestHandler):
    """Pages that were made before the clock began: ``after`` is ``p`` and the number of the page."""

    protocol_version = "HTTP/1.1"
    folder: Path

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        after = parse_qs(asked.query, keep_blank_values=True)["after"][0]
        file = self.folder / f"pages/{after.removeprefix('p') or 0}.json"
        if asked.path == "/penalties" and file.is_file():
            body = file.read_bytes()
        else:
            body = orjson.dumps({"count": 0, "items": [], "after": after, "more": False})
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def serve(folder: Path) -> None:
    """Serve over TLS until killed; the address is the one line that is printed."""
    Pages.folder = folder
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls/cert.pem", folder / "tls/key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(f"https://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
