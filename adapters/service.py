"""Service mode 服务方式 (GB/T 39443-2020, 5.7): a bureau's HTTPS interface with JSON pages and a bearer token.

Reading is by page behind a mark the service gives (``after``), sorted by time of change and row key, so rows that
arrive while we page are met later and none is skipped. Writing is one POST for each page, known by a batch id made of
its content: the same page sent again after a lost answer is the same batch.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from adapters.acks import read_acks
from adapters.base import PAGE_ROWS, AckPage, Adapter, Json, Page, RawRow, RowFault, RowKind, SourceError
from adapters.facts import SourceFacts

CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
ANSWER_BYTES = 32 * 1024 * 1024
ACKS_LIMIT = 1_000
MARK_LENGTH = 256


@dataclass(frozen=True)
class ServiceConnection:
    """How to reach a service. ``ca_file`` is the only authority trusted; the token never shows in a repr."""

    url: str
    token: str = field(repr=False)
    ca_file: Path


class ServiceAdapter(Adapter):
    """Pages of ``{"count", "items", "after", "more"}``; the paths stand on the facts page."""

    def __init__(self, connection: ServiceConnection, facts: SourceFacts) -> None:
        if not connection.url.startswith("https://"):
            raise SourceError("The service's address must begin with https://.", transient=False)
        assert facts.service is not None
        self._service = facts.service
        self._url = connection.url.rstrip("/")
        self._facts = facts
        self._session = _session(connection)

    def pull(self, cursor: Json | None) -> Page:
        """A page of penalties and, once these are read to the end, a page of relief.

        Relief comes behind, for it has nothing to act on before its finding was read.
        """
        marks = {"penalty": "", "relief": ""} | (cursor or {})
        rows, more = self._rows("penalty", self._service.penalties, marks)
        if not more:
            relieving, more = self._rows("relief", self._service.relief, marks)
            rows += relieving
        return Page(rows, marks, more)

    def push(self, rows: Sequence[Json]) -> None:
        """POST one batch; the service must answer with the batch's id and the number of rows it has."""
        if not rows:
            return
        content = orjson.dumps(list(rows))
        batch = hashlib.sha256(content).hexdigest()[:32]
        body = b'{"batch":"%s","rows":%s}' % (batch.encode(), content)
        answer = self._ask("POST", self._service.orders, data=body, headers={"Content-Type": "application/json"})
        if answer.get("batch") != batch or answer.get("received") != len(rows):
            sentence = "The service did not confirm the whole batch of orders; the same batch is sent again."
            raise SourceError(sentence, transient=True)

    def acknowledgements(self, cursor: Json | None) -> AckPage:
        """Acknowledgements behind a running number."""
        after = (cursor or {}).get("after", 0)
        items, after, more = self._page(self._service.acknowledgements, after, ACKS_LIMIT)
        lines = [(f"/{self._service.acknowledgements}", _texts(item) or {}) for item in items]
        rows, faults = read_acks(lines, self._facts)
        return AckPage(rows, {"after": after}, more, faults)

    def close(self) -> None:
        """Close the kept-alive connections."""
        self._session.close()

    def _rows(self, kind: RowKind, path: str, marks: Json) -> tuple[list[RawRow], bool]:
        items, marks[kind], more = self._page(path, marks[kind], PAGE_ROWS)
        key = self._facts.columns.row
        return [_row(kind, item, key, f"/{path}") for item in items], more

    def _page(self, path: str, after: Any, limit: int) -> tuple[list[Json], Any, bool]:
        answer = self._ask("GET", path, params={"after": after, "limit": limit})
        items, count, mark, more = (answer.get(name) for name in ("items", "count", "after", "more"))
        if not isinstance(items, list) or len(items) != count or not isinstance(more, bool):
            sentence = f"The service cut a page of /{path} short; none of it was taken, and it is read again."
            raise SourceError(sentence, transient=True)
        if len(items) > limit:
            sentence = f"The service gave {len(items)} rows of /{path} where {limit} were asked for; none was taken."
            raise SourceError(sentence, transient=False)
        if not items and mark is None:
            mark = after
        fits = isinstance(mark, type(after)) and len(str(mark)) <= MARK_LENGTH
        if not fits or (items and mark == after) or (more and not items):
            sentence = f"The service's mark `after` of /{path} does not move or is none; nothing was taken."
            raise SourceError(sentence, transient=False)
        return items, mark, more

    def _ask(self, method: str, path: str, **what: Any) -> Json:
        """One question; the answer must be a JSON object, whole and of bounded size."""
        try:
            with self._session.request(
                method,
                f"{self._url}/{path}",
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,  # a redirect would carry the token elsewhere
                stream=True,
                **what,
            ) as response:
                if response.status_code != 200:
                    _refused(path, response.status_code)
                content = _bounded(response, path)
        except requests.exceptions.SSLError:
            sentence = "The service's certificate is not the one expected (ca_file); nothing was sent or taken."
            raise SourceError(sentence, transient=False) from None
        except requests.RequestException as error:
            sentence = f"The service did not answer /{path} ({type(error).__name__}); it is asked again."
            raise SourceError(sentence, transient=True) from None
        try:
            answer = orjson.loads(content)
        except orjson.JSONDecodeError:
            answer = None
        if not isinstance(answer, dict):
            sentence = f"The service's answer to /{path} is cut off or no JSON object; it is asked again."
            raise SourceError(sentence, transient=True)
        return answer


def _session(connection: ServiceConnection) -> requests.Session:
    """A session that trusts only ``ca_file``: the environment's proxies and authorities are left aside."""
    session = requests.Session()
    session.trust_env = False
    session.verify = str(connection.ca_file)
    session.headers["Authorization"] = f"Bearer {connection.token}"
    retry = Retry(
        total=2,
        backoff_factor=0.2,
        status_forcelist=(429, 502, 503, 504),
        allowed_methods=None,  # POST too: a batch is known by its id
        raise_on_status=False,
        respect_retry_after_header=False,  # waiting is the scheduler's business, not this thread's
    )
    session.mount("https://", HTTPAdapter(max_retries=retry))
    return session


def _refused(path: str, status: int) -> NoReturn:
    if status in (401, 403):
        sentence = f"The service refused the token at /{path} ({status}); give the node a valid token."
        raise SourceError(sentence, transient=False)
    transient = status == 429 or status >= 500
    then = "it is asked again" if transient else "its interface is not the one expected, a person must look"
    raise SourceError(f"The service answered /{path} with {status}; {then}.", transient)


def _bounded(response: requests.Response, path: str) -> bytes:
    content = bytearray()
    for chunk in response.iter_content(65_536):
        content += chunk
        if len(content) > ANSWER_BYTES:
            sentence = f"The service's answer to /{path} is larger than 32 MiB; it was not read to the end."
            raise SourceError(sentence, transient=False)
    return bytes(content)


def _row(kind: RowKind, item: Any, key: str, where: str) -> RawRow:
    fields = _texts(item)
    if fields is None:
        fault = RowFault(
            "row", "shape", "The row is no object of plain columns; whoever maintains the source's interface must look."
        )
        return RawRow(kind, "", {}, where, fault)
    return RawRow(kind, fields.get(key, ""), fields, where)


def _texts(item: Any) -> dict[str, str] | None:
    """All columns as text: null is empty, numbers as written; None where a value is itself a list or an
    object.
    """
    if not isinstance(item, dict):
        return None
    fields: dict[str, str] = {}
    for name, value in item.items():
        text = value if type(value) is str else _text(value)
        if text is None:
            return None
        fields[name] = text
    return fields


def _text(value: Any) -> str | None:
    if value is None:
        return ""
    return str(value) if isinstance(value, int | float) else None
