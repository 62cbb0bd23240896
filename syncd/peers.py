"""The HTTP client to one peer: HTTPS with both sides authenticated, one member's CA per connection.

``verify`` is set to that member's own CA file, so that no public CA can speak for a bureau; after the handshake the
certificate must also carry the member's name ``urn:syncd:bureau:<code>``. Proxies of the environment are ignored.

A socket's timeouts begin again with every byte read, so a call has an end of its own: whoever drips its answer, or what
it takes, is cut off. What a call sends and receives makes it longer, so that a slow line carries what it has to.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import SSLError

from syncd.errors import Retry

TIMEOUT = (5.0, 30.0)
WHOLE_SECONDS = 120.0
BYTES_PER_SECOND = 16 * 1024
"""A call may take ``WHOLE_SECONDS`` in all, and a second for each so many bytes: a line of 128 kbit/s carries it."""
LOOK_SECONDS = 1.0
ANSWER_LIMIT, PAGE_LIMIT = 64 * 1024, 4 * 1024 * 1024
_ENTRIES = "application/zstd"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node answers to an exchange call: status, body, content type."""

    status: int
    body: bytes
    kind: str = "text/plain; charset=utf-8"
    retry_after: int | None = None


def seconds_for(moved: int) -> float:
    """What a call may take in all that has sent and received so many bytes."""
    return WHOLE_SECONDS + moved / BYTES_PER_SECOND


def timeout_for(sent: int) -> tuple[float, float]:
    """Seconds to connect, and of silence: the system may have taken at once what is still on its way to the peer."""
    connecting, silence = TIMEOUT
    return connecting, silence + sent / BYTES_PER_SECOND


class _Ends:
    """One thread for all calls that are under way; it cuts those that have lasted too long."""

    def __init__(self) -> None:
        self._calls = set["_Timed"]()
        self._begin = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, call: "_Timed") -> None:
        """From now on; a thread of its own for each call would cost more than many a call."""
        self._calls.add(call)
        with self._begin:
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="call-ends", daemon=True)
                self._thread.start()

    def remove(self, call: "_Timed") -> None:
        """The call is over."""
        self._calls.discard(call)

    def _look(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            for call in self._calls.copy():
                call.look(time.monotonic())


_ENDS = _Ends()


class _Timed(HTTPAdapter):
    """Knows the connection of the call under way, one at a time, and cuts it when the call has lasted too long."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._begun, self._moved, self._cut = 0.0, 0, False
        super().__init__(pool_connections=1, pool_maxsize=4, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        connected, writing = self.connected, self._writing

        class Connection(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                connected(self)

            def request(self, *args: Any, **kwargs: Any) -> None:
                self.timeout = writing()  # a body is one write, which would have to end within the time to connect
                super().request(*args, **kwargs)

        class Pool(HTTPSConnectionPool):
            ConnectionCls = Connection

        self.poolmanager.pool_classes_by_scheme = {"https": Pool}

    def connected(self, connection: HTTPSConnection) -> None:
        """A new connection is there, its handshake done."""
        self._socket = connection.sock

    def _writing(self) -> float:
        return timeout_for(self._moved)[1]

    def moved(self, count: int) -> None:
        """So many bytes of the answer have come."""
        self._moved += count

    @contextmanager
    def whole(self, sent: int) -> Iterator[None]:
        """A call, from its first byte to its last; raises ``requests.Timeout`` where it was cut."""
        self._begun, self._moved, self._cut = time.monotonic(), sent, False
        _ENDS.add(self)
        try:
            yield
        except requests.RequestException:
            if not self._cut:
                raise
        finally:
            _ENDS.remove(self)
        if self._cut:
            raise requests.Timeout(f"the call took longer than {seconds_for(self._moved):.0f} s in all")

    def look(self, now: float) -> None:
        """End what hangs in reading or writing, from another thread; past the TLS, which would wait for its goodbye."""
        if now > self._begun + seconds_for(self._moved):
            self._cut = True
            with suppress(OSError):
                if self._socket is not None:
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Pinned(_Timed):
    """Checks the bureau's name in the peer's certificate on every new connection."""

    def __init__(self, urn: str) -> None:
        self._urn = urn
        super().__init__()

    def connected(self, connection: HTTPSConnection) -> None:
        super().connected(connection)
        tls: Any = connection.sock
        if ("URI", self._urn) not in (tls.getpeercert() or {}).get("subjectAltName", ()):
            connection.close()
            raise SSLError(f"the certificate does not carry the name {self._urn}")


class PeerClient:
    """Speaks to one peer; safe for one thread at a time per instance."""

    def __init__(self, url: str, urn: str, ca_file: Path, certificate: Path, key: Path) -> None:
        self._url = url.rstrip("/")
        self._lock = threading.Lock()
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(ca_file)
        self._session.cert = (str(certificate), str(key))
        self._adapter = _Pinned(urn)
        self._session.mount("https://", self._adapter)

    def present(self, certificate: Path, key: Path) -> None:
        """Show this certificate on connections made from now on."""
        with self._lock:
            self._session.cert = (str(certificate), str(key))

    def post_entries(self, origin: str, body: bytes) -> Answer:
        """Offer entries; raises ``Retry`` if the peer cannot be reached or does not prove who it is."""
        return self._post(f"/exchange/v1/logs/{origin}/entries", body)

    def post_disclosures(self, origin: str, body: bytes) -> Answer:
        """Send disclosures again; raises ``Retry`` like ``post_entries``."""
        return self._post(f"/exchange/v1/logs/{origin}/disclosures", body)

    def get(self, origin: str, path: str) -> Answer:
        """``GET /exchange/v1/logs/{origin}/{path}``: a checkpoint, tile or page; raises ``Retry``."""
        return self._ask("GET", f"/exchange/v1/logs/{origin}/{path}", None, PAGE_LIMIT)

    def _post(self, path: str, body: bytes) -> Answer:
        return self._ask("POST", path, body, ANSWER_LIMIT)

    def _ask(self, method: str, path: str, body: bytes | None, limit: int) -> Answer:
        sent = len(body or b"")
        try:
            with self._lock, self._adapter.whole(sent):
                # No redirect is followed: it would take the body, disclosures and all, to whom it likes.
                response = self._session.request(
                    method, self._url + path, data=body, headers={"Content-Type": _ENTRIES},
                    timeout=timeout_for(sent), allow_redirects=False, stream=True,
                )  # fmt: skip
                answer = _read(response, limit, self._adapter.moved)
        except requests.exceptions.SSLError as error:
            raise Retry(
                f"{self._url} did not prove to be the member it should be ({_cause(error)}). Nothing was sent; "
                "compare the member file's fingerprint with the bureau."
            ) from None
        except requests.RequestException as error:
            raise Retry(
                f"{self._url} cannot be reached ({_cause(error)}). Everything is kept and sent later."
            ) from None
        kind = response.headers.get("Content-Type", "")
        return Answer(response.status_code, answer, kind)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


class WitnessClient:
    """Speaks to one outside witness: no client certificate, the given authority or the machine's public ones."""

    def __init__(self, url: str, ca_file: Path | None) -> None:
        self._url = f"{url}/add-checkpoint"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(ca_file) if ca_file is not None else True
        self._adapter = _Timed()
        self._session.mount("https://", self._adapter)

    def add_checkpoint(self, body: bytes) -> Answer:
        """``POST <prefix>/add-checkpoint``; raises ``Retry`` if it cannot be reached or does not prove its name."""
        try:
            with self._adapter.whole(len(body)):
                response = self._session.post(self._url, data=body, timeout=TIMEOUT, allow_redirects=False, stream=True)
                answer = _read(response, ANSWER_LIMIT, self._adapter.moved)
            return Answer(response.status_code, answer, response.headers.get("Content-Type", ""))
        except (requests.RequestException, OSError) as error:  # OSError: the authority's file is not there
            raise Retry(f"The witness at {self._url} cannot be reached ({_cause(error)}); asked again later.") from None


def _read(response: requests.Response, limit: int, moved: Callable[[int], None]) -> bytes:
    """The body, cut at ``limit`` bytes: no peer fills this node's memory."""
    parts, length = list[bytes](), 0
    for part in response.iter_content(64 * 1024):
        parts.append(part[: limit - length])
        length += len(parts[-1])
        moved(len(parts[-1]))
        if length >= limit:
            break
    response.close()
    return b"".join(parts)


def _cause(error: BaseException) -> str:
    inner: BaseException | None = error
    for _ in range(5):
        reason = getattr(inner, "reason", None) or (inner.args[0] if inner is not None and inner.args else None)
        if not isinstance(reason, BaseException):
            break
        inner = reason
    text = str(inner).split(": ", 1)[-1]
    return text[:160] or type(error).__name__
