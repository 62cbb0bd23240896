"""A bureau's HTTPS service, small and true: pages by (time of change, key), a token, orders, acknowledgements."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import orjson
from adapter_rows import Row

from adapters.base import Json

TOKEN = "a-token-nobody-should-see"
Bend = Callable[[Json], "bytes | int | Bent"]


@dataclass
class Bent:
    """An answer with headers of its own."""

    status: int
    headers: dict[str, str]
    body: bytes = b"{}"


@dataclass
class Service:
    """What the service holds, and ``bend``: what it does to its next answers on a bad day."""

    penalties: dict[str, Row] = field(default_factory=dict)
    relief: dict[str, Row] = field(default_factory=dict)
    acks: list[Row] = field(default_factory=list)
    orders: dict[tuple[str, str], Json] = field(default_factory=dict)
    bend: list[Bend] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)
    url: str = ""
    tokens: list[str] = field(default_factory=lambda: [TOKEN])
    keys: list[str] = field(default_factory=list)
    forms: list[tuple[dict[str, str], str]] = field(default_factory=list)
    granted: list[Json] = field(default_factory=list)

    def grant(self, form: dict[str, str], authorization: str) -> Json | int:
        """A token for client credentials: the next of ``granted``, and only it is taken from then on."""
        self.forms.append((form, authorization))
        if not self.granted:
            return 401
        answer = self.granted.pop(0)
        self.tokens = [answer["access_token"]]
        return answer

    def answer(self, path: str, query: dict[str, str]) -> Json:
        """One page."""
        limit = int(query["limit"])
        if path == "/acknowledgements":
            after = int(query["after"])
            items = self.acks[after : after + limit]
            end = after + len(items)
            return {"count": len(items), "items": items, "after": end, "more": end < len(self.acks)}
        rows = {"/penalties": self.penalties, "/relief": self.relief}[path]
        after = tuple(query["after"].split("|")) if query["after"] else ("", "")
        news = sorted((row["GXSJ"], key) for key, row in rows.items() if (row["GXSJ"], key) > after)
        items = [rows[key] for _, key in news[:limit]]
        mark = "|".join(news[:limit][-1]) if items else query["after"]
        return {"count": len(items), "items": items, "after": mark, "more": len(news) > limit}

    def take(self, sent: Json) -> Json:
        """Orders: lower counters are ignored, lifted wins at equal ones."""
        self.batches.append(sent["batch"])
        for row in sent["rows"]:
            key = (row["CJD_RDBH"], row["CJD_CS"])
            held = self.orders.get(key)
            new = (row["CJD_BBH"], -row["CJD_ZT"])
            if held is None or new >= (held["CJD_BBH"], -held["CJD_ZT"]):
                self.orders[key] = row
        return {"batch": sent["batch"], "received": len(sent["rows"])}


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.1 with kept-alive connections."""

    protocol_version = "HTTP/1.1"
    service: Service

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(asked.query, keep_blank_values=True).items()}
        self._reply(lambda: self.service.answer(asked.path, query))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/oauth/token":
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            granted = self.service.grant(form, self.headers.get("Authorization", ""))
            if isinstance(granted, int):
                return self._send(granted, b'{"error": "invalid_client"}')
            return self._send(200, orjson.dumps(granted))
        self.service.keys.append(self.headers["Idempotency-Key"])
        return self._reply(lambda: self.service.take(orjson.loads(body)))

    def _reply(self, work: Callable[[], Json]) -> None:
        self.service.asked.append(f"{self.command} {self.path}")
        if self.headers.get("Authorization") not in [f"Bearer {token}" for token in self.service.tokens]:
            return self._send(401, b"{}")
        answer = work()
        bent = self.service.bend.pop(0)(answer) if self.service.bend else orjson.dumps(answer)
        if isinstance(bent, Bent):
            return self._send(bent.status, bent.body, bent.headers)
        return self._send(bent, b"{}") if isinstance(bent, int) else self._send(200, bent)

    def _send(self, status: int, body: bytes, headers: Json | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status in (301, 302):
            self.send_header("Location", "https://elsewhere.invalid/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def serve(service: Service, certificate: Path) -> ThreadingHTTPServer:
    """Start serving over TLS on a free port of loopback; the caller shuts it down."""

    class Bound(Handler):
        pass

    Bound.service = service
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    service.url = f"https://127.0.0.1:{server.server_address[1]}"
    return server
