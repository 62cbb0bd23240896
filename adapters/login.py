"""How the node shows who it is to a service: a token, or client credentials (OAuth 2.0, RFC 6749, 4.4).

A secret is read when it is needed and again when the service refuses it, so a file that was changed needs no restart.
It never stands in a message or a log line, and a repr does not show it.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import quote

import orjson

from adapters.base import SourceError

EARLY_SECONDS = 60.0
"""A token is renewed so long before it expires, or after nine tenths of its life where that is shorter."""
LIFE_SECONDS = 600.0
"""How long a token is used whose life the service does not say."""
KNOWN_ERRORS = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
     "invalid_scope"}
)  # fmt: skip
"""Codes of RFC 6749, 5.2: nothing else of an answer is repeated."""

Secret = Callable[[], str]
Form = Callable[[str, dict[str, str], tuple[str, str] | None], tuple[int, bytes]]


class Login(Protocol):
    """What a question carries, and whether there is another one after it was refused."""

    def bearer(self) -> str:
        """The token to show. Raises ``SourceError``."""

    def renew(self, refused: str) -> bool:
        """Whether there is a token now that is not the refused one."""


class TokenLogin:
    """A token that somebody gave the node."""

    def __init__(self, secret: Secret) -> None:
        self._secret, self._token = secret, ""

    def bearer(self) -> str:
        """The token, read at its first use."""
        self._token = self._token or _shown(self._secret())
        return self._token

    def renew(self, refused: str) -> bool:
        """Read the token once more: it may have been exchanged since."""
        self._token = _shown(self._secret())
        return self._token != refused


class ClientLogin:
    """Client credentials: a token is fetched at ``url``, renewed before it expires and when it is refused."""

    def __init__(
        self,
        form: Form,
        url: str,
        client: tuple[str, Secret],
        scope: str = "",
        basic: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._form, self._url, self._client, self._scope, self._basic = form, url, client, scope, basic
        self._clock, self._lock = clock, threading.Lock()
        self._token, self._until = "", 0.0

    def bearer(self) -> str:
        """The token; a fresh one where the last is about to expire."""
        with self._lock:
            if not self._token or self._clock() >= self._until:
                self._fetch()
            return self._token

    def renew(self, refused: str) -> bool:
        """Fetch a token unless another thread has done so since."""
        with self._lock:
            if self._token == refused:
                self._fetch()
            return True

    def _fetch(self) -> None:
        fields = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        name, secret = self._client[0], self._client[1]()
        if self._basic:  # both are form-encoded first (RFC 6749, 2.3.1)
            status, content = self._form(self._url, fields, (quote(name, safe=""), quote(secret, safe="")))
        else:
            status, content = self._form(self._url, fields | {"client_id": name, "client_secret": secret}, None)
        answer = _object(content)
        if status != 200:
            raise _no_token(status, answer)
        kind = str(answer.get("token_type", "")).lower()
        token, life = answer.get("access_token"), _seconds(answer.get("expires_in", LIFE_SECONDS))
        if kind != "bearer" or not isinstance(token, str) or life is None:
            sentence = "The service's answer to the client credentials holds no bearer token; nothing was asked."
            raise SourceError(sentence, transient=False)
        self._token = _shown(token)
        self._until = self._clock() + life - min(EARLY_SECONDS, life / 10)


def _seconds(value: Any) -> float | None:
    """A number of seconds; some services write it as text."""
    is_text = isinstance(value, str) and value.isascii() and value.isdigit()
    return float(value) if is_text or type(value) in (int, float) else None


def _no_token(status: int, answer: dict[str, Any]) -> SourceError:
    code = answer.get("error")
    named = f", {code}" if code in KNOWN_ERRORS else ""
    if 400 <= status < 429:
        sentence = f"The service gave no token for the client credentials ({status}{named})"
        return SourceError(f"{sentence}; check id, secret and scope.", transient=False)
    return SourceError(f"The service gave no token just now ({status}{named}); it is asked again.", transient=True)


def _object(content: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _shown(token: str) -> str:
    """A token that can stand in a header: visible ASCII, not empty."""
    if not token or not all("!" <= sign <= "~" for sign in token):
        raise SourceError("The token of the service is empty, or more than one word.", transient=False)
    return token
