"""Questions to a bureau's HTTPS interface: certificates always checked, answers bounded, waiting when it asks us to.

The environment's proxies and authorities are left aside, redirects are never followed (one would carry the token
elsewhere), and an answer is bounded as it is after unpacking. Only what may safely be asked twice goes through here:
reading, and deliveries under an idempotency key.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import InvalidHeader
from urllib3.util.retry import Retry

from adapters.base import SourceError
from adapters.login import Login

CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
ANSWER_BYTES, ANSWER_SECONDS = 32 * 1024 * 1024, 120.0
ATTEMPTS = 3
PATIENCE_SECONDS = 3.0
"""What is waited here; for longer the step fails, and until then the service is not asked at all."""
QUIET_SECONDS = 3_600.0
"""The longest wait that is granted to a service; it may have sent anything."""
BUSY = frozenset({429, 502, 503, 504})


class StatusRefused(SourceError):
    """The service answered with a status that is no success; ``status`` is the number."""

    def __init__(self, sentence: str, transient: bool, status: int) -> None:
        super().__init__(sentence, transient)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered: JSON, and the time on its own clock where it says one."""

    content: Any
    date: datetime | None = None


class Client:
    """A service at ``url``. ``ca_file`` is the only authority trusted; None means the public ones of ``certifi``."""

    def __init__(self, url: str, ca_file: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        if not url.startswith("https://"):
            raise SourceError("The service's address must begin with https://.", transient=False)
        self.url, self._clock = url.rstrip("/"), clock
        self._session = _session(ca_file)
        self._quiet_until = 0.0

    def get(self, path: str, params: dict[str, Any], login: Login) -> Answer:
        """Ask for what stands at a path. Raises ``SourceError``."""
        return self._asked("GET", path, login, params=params)

    def post(self, path: str, body: bytes, key: str, login: Login) -> Answer:
        """Deliver JSON under an idempotency key: the same key is the same delivery. Raises ``SourceError``."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        return self._asked("POST", path, login, data=body, headers=headers)

    def form(self, url: str, fields: dict[str, str], auth: tuple[str, str] | None) -> tuple[int, bytes]:
        """Post a form for a token, as the login does; status and answer as they are."""
        with self._sent("POST", url, url.rsplit("/", 1)[-1], data=fields, auth=auth) as response:
            return response.status_code, _bounded(response, "token")

    def close(self) -> None:
        """Close the kept-alive connections."""
        self._session.close()

    def _asked(self, method: str, path: str, login: Login, **what: Any) -> Answer:
        """Ask; once more with another token where one was refused, and again in a moment where it is busy."""
        renewed = False
        headers = what.pop("headers", {})
        for attempt in range(1, ATTEMPTS + 1):
            self._ask_quiet(path)
            bearer = login.bearer()
            shown = {**headers, "Authorization": f"Bearer {bearer}"}
            with self._sent(method, f"{self.url}/{path}", path, headers=shown, **what) as response:
                status = response.status_code
                if 200 <= status < 300:
                    return Answer(_json(_bounded(response, path), path), _date(response.headers.get("Date")))
                wait = _retry_after(response)
            if status == 401 and not renewed and login.renew(bearer):
                renewed = True
            elif status not in BUSY or attempt == ATTEMPTS or not self._waited(wait, attempt):
                break
        raise _refused(path, status, wait)

    def _waited(self, wait: float | None, attempt: int) -> bool:
        """Wait as long as the service asks, where that is a moment; a longer wait is noted, and kept by all calls."""
        seconds = 0.2 * 2**attempt if wait is None else wait
        if seconds > PATIENCE_SECONDS:
            self._quiet_until = self._clock() + min(seconds, QUIET_SECONDS)
            return False
        time.sleep(seconds)
        return True

    def _ask_quiet(self, path: str) -> None:
        left = self._quiet_until - self._clock()
        if left > 0:
            sentence = f"The service asked not to be asked for another {left:.0f} s; /{path} is asked then."
            raise SourceError(sentence, transient=True)

    def _sent(self, method: str, url: str, path: str, **what: Any) -> requests.Response:
        try:
            timeout = (CONNECT_SECONDS, READ_SECONDS)
            return self._session.request(method, url, timeout=timeout, allow_redirects=False, stream=True, **what)
        except requests.exceptions.SSLError:
            sentence = "The service's certificate is not the one expected (ca_file); nothing was sent or taken."
            raise SourceError(sentence, transient=False) from None
        except requests.RequestException as error:
            raise _silent(path, error) from None


def _session(ca_file: Path | None) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = str(ca_file) if ca_file else True
    session.headers.update({"Accept": "application/json", "Accept-Encoding": "gzip"})
    methods = ("GET", "POST")  # a POST here is a delivery under its key, or asks for a token
    retry = Retry(2, status=0, backoff_factor=0.2, allowed_methods=methods, respect_retry_after_header=False)
    session.mount("https://", HTTPAdapter(max_retries=retry))
    return session


def _silent(path: str, error: Exception) -> SourceError:
    return SourceError(f"The service did not answer /{path} ({type(error).__name__}); it is asked again.", True)


def _retry_after(response: requests.Response) -> float | None:
    """Seconds to wait by ``Retry-After``, given in seconds or as a date; None where it says nothing readable."""
    value = response.headers.get("Retry-After")
    try:
        return Retry().parse_retry_after(value) if value else None
    except (InvalidHeader, ValueError, OverflowError):
        return None


def _date(value: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(value) if value else None
    except ValueError:
        return None
    return date if date is not None and date.tzinfo is not None else None


def _refused(path: str, status: int, wait: float | None) -> StatusRefused:
    if status in (401, 403):
        sentence = f"The service refused the token at /{path} ({status}); give the node a valid one."
        return StatusRefused(sentence, False, status)
    transient = status == 429 or status >= 500
    then = "it is asked again" if transient else "its interface is not the one expected, a person must look"
    if transient and wait:
        then += f" in {min(wait, QUIET_SECONDS):.0f} s, as it asked"
    return StatusRefused(f"The service answered /{path} with {status}; {then}.", transient, status)


def _bounded(response: requests.Response, path: str) -> bytes:
    content, until = bytearray(), time.monotonic() + ANSWER_SECONDS
    try:
        for chunk in response.iter_content(65_536):
            content += chunk
            if len(content) > ANSWER_BYTES:
                sentence = f"The service's answer to /{path} is larger than 32 MiB; it was not read to the end."
                raise SourceError(sentence, transient=False)
            if time.monotonic() > until:
                sentence = f"The service's answer to /{path} took longer than 120 s; it is asked again."
                raise SourceError(sentence, transient=True)
    except requests.RequestException as error:
        raise _silent(path, error) from None
    return bytes(content)


def _json(content: bytes, path: str) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        sentence = f"The service's answer to /{path} is cut off or no JSON; it is asked again."
        raise SourceError(sentence, transient=True) from None
