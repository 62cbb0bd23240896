"""Service mode 服务方式 (GB/T 39443-2020, 5.7): a bureau's HTTPS interface with JSON pages.

Its paths, names and way of paging stand on the facts page (``modes``). Writing is one POST for each page of orders,
under an idempotency key made of its content: the same orders sent again after a lost answer are the same delivery.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from adapters.acks import read_acks
from adapters.base import AckPage, Adapter, Json, Page, RawRow, RowFault, RowKind, SourceError
from adapters.facts import SourceFacts
from adapters.https import Answer, Client
from adapters.login import ClientLogin, Login, Secret, TokenLogin
from adapters.paging import Pages, dug
from adapters.rounds import AGAIN, Rounds

ACKS_LIMIT = 1_000
RECEIPT_LENGTH = 200
_NO_ROW = RowFault(
    "row", "shape", "The row is no object of plain columns; whoever maintains the source's interface must look."
)


@dataclass(frozen=True)
class ServiceConnection:
    """How to reach a service, and the secret: its token, or that of ``client_id``, read whenever it is needed.

    ``ca_file`` is the only authority trusted, None means the public ones. ``token_url`` is where client credentials
    are given a token, where that is not ``token_path`` of the facts page.
    """

    url: str
    secret: Secret = field(repr=False)
    ca_file: Path | None = None
    client_id: str = ""
    token_url: str = ""


class ServiceAdapter(Adapter):
    """Lists of penalties, relief and acknowledgements; orders go to a path of their own."""

    again = AGAIN

    def __init__(self, connection: ServiceConnection, facts: SourceFacts) -> None:
        assert facts.service is not None
        self._facts, self._service = facts, facts.service
        self._client = Client(connection.url, connection.ca_file)
        self._login = _login(connection, facts, self._client)
        way, rows = self._service.paging, self._service.page_rows
        self._lists: dict[RowKind, Pages] = {
            "penalty": Pages(facts, self._get, self._service.penalties, way, rows),
            "relief": Pages(facts, self._get, self._service.relief, way, rows),
        }
        self._rounds = Rounds(self._list)
        way = self._service.paging_acknowledgements
        self._acks = Pages(facts, self._get, self._service.acknowledgements, way, ACKS_LIMIT, first=0)

    def pull(self, cursor: Json | None) -> Page:
        """A page of one list and, once that is read to its end, of the other."""
        rows, state, more = self._rounds.page(cursor or {})
        return Page(rows, state, more)

    def push(self, rows: Sequence[Json]) -> str:
        """POST one delivery; the service must confirm it. Returns its acknowledgement number 受理号, or nothing."""
        if not rows:
            return ""
        names, content = self._service.send, orjson.dumps(list(rows))
        key = hashlib.sha256(content).hexdigest()[:32]
        sent = {names.batch: key} if names.batch else {}
        body = orjson.dumps({**sent, names.rows: orjson.Fragment(content)}) if names.rows else content
        return self._confirmed(self._client.post(self._service.orders, body, key, self._login), key, len(rows))

    def acknowledgements(self, cursor: Json | None) -> AckPage:
        """Acknowledgements behind the cursor."""
        items, after, more = self._acks.read((cursor or {}).get("after"))
        where = f"/{self._service.acknowledgements}"
        rows, faults = read_acks([(where, texts(item) or {}) for item in items], self._facts)
        return AckPage(rows, {"after": after}, more, faults)

    def close(self) -> None:
        """Close the kept-alive connections."""
        self._client.close()

    def _get(self, path: str, params: Json) -> Answer:
        return self._client.get(path, params, self._login)

    def _list(self, kind: RowKind, state: Any, room: int) -> tuple[list[RawRow], Any, bool]:
        """A page of a list; ``room`` is not asked for, since two pages of a service fit into one of ours."""
        items, following, more = self._lists[kind].read(state)
        return self._rows(kind, items), following, more

    def _rows(self, kind: RowKind, items: Sequence[Any]) -> list[RawRow]:
        key, where = self._facts.columns.row, f"/{self._lists[kind].path}"
        rows = []
        for item in items:
            fields = texts(item)
            if fields is None:
                rows.append(RawRow(kind, "", {}, where, _NO_ROW))
            else:
                rows.append(RawRow(kind, fields.get(key, ""), fields, where))
        return rows

    def _confirmed(self, answer: Answer, key: str, count: int) -> str:
        """The receiver's number of a delivery. It must say that it has all of it, in the ways the facts page names."""
        names = self._service.answer
        said = [(names.batch, key), (names.received, count)]
        receipt = dug(answer.content, names.receipt) if names.receipt else ""
        number = str(receipt) if type(receipt) in (str, int) else ""
        if any(name and dug(answer.content, name) != value for name, value in said) or (names.receipt and not number):
            sentence = "The service did not confirm the whole batch of orders; the same batch is sent again."
            raise SourceError(sentence, transient=True)
        return number[:RECEIPT_LENGTH]


def _login(connection: ServiceConnection, facts: SourceFacts, client: Client) -> Login:
    assert facts.service is not None
    service = facts.service
    if service.login == "token":
        return TokenLogin(connection.secret)
    url = connection.token_url or (f"{client.url}/{service.token_path}" if service.token_path else "")
    if not url.startswith("https://") or not connection.client_id:
        sentence = "Client credentials need a client id, and service.token_path or an https:// token_url."
        raise SourceError(sentence, transient=False)
    identity = (connection.client_id, connection.secret)
    return ClientLogin(client.form, url, identity, service.scope, service.credentials == "basic")


def texts(item: Any) -> dict[str, str] | None:
    """All columns as text: null is empty, numbers as written; None where a value is itself a list or an object."""
    if not isinstance(item, dict):
        return None
    if set(map(type, item.values())) == {str}:
        return item
    if any(isinstance(value, list | dict) for value in item.values()):
        return None
    return {name: "" if value is None else str(value) for name, value in item.items()}
