"""The exchange 交换 over HTTPS: what peers may call (LEDGER §6).

Every call carries a client certificate; the bureau it proves stands in ``request.scope["state"]["bureau"]`` (set by
``web.server``). Bodies are raw bytes on plain routes, handed to a worker thread, so that the loop stays free.
"""

import re
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from syncd.flows.receive import Receive
from syncd.flows.serve import Serve
from syncd.flows.witness import Witness
from syncd.ledger.wire import BATCH_LIMIT
from syncd.ledger.witnessing import BODY_LIMIT
from syncd.peers import Answer

_TILE = re.compile(r"(?P<origin>.+?)/(?P<path>checkpoint|[a-z]+\.(?:vkey|policy)|tile/.+)")


def exchange(receive: Receive, serve: Serve, witness: Witness | None = None) -> Starlette:
    """The application that peers talk to; with ``witness`` outsiders too, who need no client certificate."""

    def post(take: Callable[[str, bytes, str], Answer]) -> Callable[[Request], object]:
        async def endpoint(request: Request) -> Response:
            sender = _sender(request)
            if sender is None:
                return _response(Answer(403, b"The client certificate is not one of a member of this agreement.\n"))
            body = await _body(request)
            if body is None:
                return _response(Answer(413, f"A body may hold {BATCH_LIMIT} bytes at most.\n".encode()))
            return _response(await run_in_threadpool(take, request.path_params["origin"], body, sender))

        return endpoint

    async def records(request: Request) -> Response:
        sender, origin, query = _sender(request), request.path_params["origin"], request.query_params
        if sender is None:
            return _response(Answer(403, b"The client certificate is not one of a member of this agreement.\n"))
        start, count = query.get("from", ""), query.get("count", "")
        return _response(await run_in_threadpool(serve.entries, origin, start, count, sender))

    async def static(request: Request) -> Response:
        match = _TILE.fullmatch(request.path_params["path"])
        if match is None or _sender(request) is None:
            return _response(Answer(404, b"Nothing is served here.\n"))
        return _response(await run_in_threadpool(serve.static, match["origin"], match["path"]))

    async def add_checkpoint(request: Request) -> Response:
        body = await _body(request, BODY_LIMIT)
        if body is None or witness is None:
            return _response(Answer(413, f"A body may hold {BODY_LIMIT} bytes at most.\n".encode()))
        return _response(await run_in_threadpool(witness.add_checkpoint, body))

    prefix = "/exchange/v1/logs"
    witnessing = [Route("/witness/add-checkpoint", add_checkpoint, methods=["POST"])] if witness is not None else []
    return Starlette(
        routes=[
            *witnessing,
            Route(prefix + "/{origin:path}/entries", post(receive.entries), methods=["POST"]),
            Route(prefix + "/{origin:path}/disclosures", post(receive.disclosures), methods=["POST"]),
            Route(prefix + "/{origin:path}/entries", records, methods=["GET"]),
            Route(prefix + "/{path:path}", static, methods=["GET"]),
        ]
    )


def _sender(request: Request) -> str | None:
    state = request.scope.get("state") or {}
    code = state.get("bureau")
    return code if isinstance(code, str) else None


async def _body(request: Request, limit: int = BATCH_LIMIT) -> bytes | None:
    """The whole body, or None as soon as it is longer than any may be."""
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > limit:
            return None
        parts.append(part)
    return b"".join(parts)


def _response(answer: Answer) -> Response:
    headers = {"Content-Type": answer.kind}  # as it is: a given media type would get a charset added
    if answer.retry_after is not None:
        headers["Retry-After"] = str(answer.retry_after)
    return Response(answer.body, answer.status, headers)
