"""A stand-in bureau system of the service mode 服务方式 (GB/T 39443-2020, 5.7): HTTPS, JSON, a bearer token.

For the exchange (token of ``--token-file``):
``GET /penalties?after=GXSJ|ID&limit=500`` and ``GET /relief?…`` → ``{"count", "items", "after", "more"}``;
``POST /restrictions`` ``{"batch", "rows"}`` → ``{"batch", "received"}``;
``GET /acknowledgements?after=N&limit=1000`` → ``{"count", "items", "after", "more"}``.

For the bureau's own people (token of ``DIR/admin.token``, made at the first start):
``POST /admin/rows`` ``{"penalties", "relief"}``, ``POST /admin/remove`` (lists of ``ID``),
``POST /admin/faults`` ``{"truncate": n, "fail": n}`` (the next n pages cut short, n calls answered 503),
``GET /held?uscc=…&all=1`` and ``GET /held/counts``.

Rows and orders are in SQLite files: a restart loses nothing.
"""

import asyncio
import hmac
import secrets
import socket
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from syncd.demo.formats import ACK_COLUMNS
from syncd.demo.orders import OrderBook, kept_of, read_counts, read_held
from syncd.demo.source_rows import ADMIN_TOKEN, KINDS, SourceRows
from syncd.demo.standin import Stopping, arguments, say_ready

MAX_PAGE = 5000
MAX_BODY = 64 * 1024 * 1024

Handler = Callable[[Request], Awaitable[Response]]


def answer(value: object, status: int = 200) -> Response:
    """A JSON response."""
    return Response(orjson.dumps(value), status, media_type="application/json")


class Refused(Exception):
    """A request that gets no answer but a status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class ServiceStandin:
    """The service's calls; everything is done in the event loop, one call after another."""

    def __init__(self, directory: Path, token: str, silent: bool = False) -> None:
        self.rows, self.book = SourceRows(directory), OrderBook(directory)
        self._token, self._admin_token, self._silent = token, admin_token(directory), silent
        self._truncate = self._fail = 0

    def app(self) -> Starlette:
        """The routes, each behind its token."""
        exchange, own = self._token, self._admin_token
        return Starlette(
            routes=[
                Route("/penalties", self._guard(self.page, exchange)),
                Route("/relief", self._guard(self.page, exchange)),
                Route("/restrictions", self._guard(self.restrictions, exchange), methods=["POST"]),
                Route("/acknowledgements", self._guard(self.acknowledgements, exchange)),
                Route("/admin/rows", self._guard(self.put, own), methods=["POST"]),
                Route("/admin/remove", self._guard(self.remove, own), methods=["POST"]),
                Route("/admin/faults", self._guard(self.faults, own), methods=["POST"]),
                Route("/held", self._guard(self.held, own)),
                Route("/held/counts", self._guard(self.counts, own)),
            ]
        )

    def _guard(self, handler: Handler, token: str) -> Handler:
        """Asks for the token, keeps the appointed failures, and turns what cannot be read into 400."""
        expected = f"Bearer {token}".encode()

        async def guarded(request: Request) -> Response:
            given = request.headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, expected):
                return answer({"error": "The token is missing or not the one agreed."}, 401)
            if self._fail and token is self._token:
                self._fail -= 1
                return answer({"error": "The system is being maintained; try again later."}, 503)
            try:
                return await handler(request)
            except Refused as refused:
                return answer({"error": refused.sentence}, refused.status)
            except (ValueError, KeyError, TypeError, AttributeError, sqlite3.IntegrityError) as error:
                return answer({"error": f"The request cannot be read: {type(error).__name__}."}, 400)

        return guarded

    async def page(self, request: Request) -> Response:
        """A page of source rows; ``count`` says how many there should be."""
        kind = request.url.path.strip("/")
        items, after, more = self.rows.page(kind, request.query_params.get("after", ""), _limit(request, 500))
        count = len(items)
        if self._truncate and count > 1:
            self._truncate -= 1
            items = items[: count // 2]
        head = orjson.dumps({"count": count, "after": after, "more": more})
        body = b"".join((head[:-1], b',"items":[', b",".join(items), b"]}"))
        return Response(body, media_type="application/json")

    async def restrictions(self, request: Request) -> Response:
        """Takes orders 惩戒单; answers only when they are in the book."""
        sent = orjson.loads(await _body(request))
        return answer({"batch": sent["batch"], "received": self.book.apply(map(kept_of, sent["rows"]))})

    async def acknowledgements(self, request: Request) -> Response:
        """What was applied or lifted since number ``after``."""
        after = int(request.query_params.get("after") or 0)
        if self._silent:
            return answer({"count": 0, "items": [], "after": after, "more": False})
        acks, number, more = self.book.acknowledgements(after, _limit(request, 1000))
        items = [dict(zip(ACK_COLUMNS, ack, strict=True)) for ack in acks]
        return answer({"count": len(items), "items": items, "after": number, "more": more})

    async def put(self, request: Request) -> Response:
        """The bureau's clerks write rows."""
        sent = orjson.loads(await _body(request))
        return answer({kind: self.rows.put(kind, sent[kind]) for kind in KINDS if sent.get(kind)})

    async def remove(self, request: Request) -> Response:
        """The bureau's clerks let rows vanish."""
        sent = orjson.loads(await _body(request))
        return answer({kind: self.rows.remove(kind, sent[kind]) for kind in KINDS if sent.get(kind)})

    async def faults(self, request: Request) -> Response:
        """Appoints bad days, for tests."""
        sent = orjson.loads(await _body(request))
        self._truncate, self._fail = int(sent.get("truncate", 0)), int(sent.get("fail", 0))
        return answer({"truncate": self._truncate, "fail": self._fail})

    async def held(self, request: Request) -> Response:
        """What the bureau's system restricts now; ``all=1`` adds what it has lifted."""
        query = request.query_params
        items = read_held(self.book.db, query.get("uscc"), query.get("all") == "1")
        return answer({"count": len(items), "items": items})

    async def counts(self, request: Request) -> Response:
        """How much the book and the source hold."""
        rows = {kind: self.rows.count(kind) for kind in KINDS}
        return answer({**read_counts(self.book.db), **rows})


def _limit(request: Request, default: int) -> int:
    limit = int(request.query_params.get("limit") or default)
    if not 0 < limit <= MAX_PAGE:
        raise Refused(400, f"A page has 1 to {MAX_PAGE} rows.")
    return limit


async def _body(request: Request) -> bytes:
    if int(request.headers.get("content-length") or 0) > MAX_BODY:
        raise Refused(413, f"A request has at most {MAX_BODY} bytes; send it in parts.")
    return await request.body()


def admin_token(directory: Path) -> str:
    """The token of the bureau's own people, made at the first start and readable only by its owner."""
    path = directory / ADMIN_TOKEN
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text().strip()


async def serve(app: Starlette, listening: socket.socket, cert: Path, key: Path, stopping: Stopping) -> None:
    """Serves until told to stop; a call under way has 0.4 s to end.

    Then connections are dropped: an idle client does not answer the goodbye of TLS, and waiting for it takes
    longer than a stand-in may.
    """
    config = uvicorn.Config(
        app,
        ssl_certfile=cert,
        ssl_keyfile=key,
        http="httptools",
        log_level="warning",
        lifespan="off",
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not (server.started or running.done()):
        await asyncio.sleep(0.01)
    say_ready("service", url=f"https://127.0.0.1:{listening.getsockname()[1]}")
    while not (running.done() or server.should_exit or stopping.now()):
        await asyncio.sleep(0.1)
    server.should_exit = True
    await asyncio.wait({running}, timeout=0.4)
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    await running


def main() -> int:
    """Runs until told to stop. Port 0 takes a free one; the ready line tells it."""
    parser = arguments("service", __doc__ or "", watches=False)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--cert", type=Path, required=True, help="server certificate chain, PEM")
    parser.add_argument("--key", type=Path, required=True, help="its private key, PEM")
    options = parser.parse_args()
    stopping = Stopping(options.with_parent)
    system = ServiceStandin(options.dir, options.token_file.read_text().strip(), options.silent)
    with (
        socket.create_server(("127.0.0.1", options.port), backlog=128) as listening,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(serve(system.app(), listening, options.cert, options.key, stopping))
    system.rows.close()
    system.book.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
