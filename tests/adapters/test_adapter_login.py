"""Tokens and client credentials, busy services, packed answers: over real HTTPS."""

import base64
import datetime as dt
import gzip
import time
from collections.abc import Iterator
from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path

import orjson
import pytest
from adapter_promise import findings, pages
from adapter_rows import facts_of, order, penalty
from adapter_service import Bent, Service, serve
from test_adapter_service import Certificates, ServiceSystem, fails, whole

from adapters import https
from adapters.base import Json, SourceError
from adapters.login import ClientLogin, TokenLogin

pytestmark = pytest.mark.fast

SECRET = "a secret/with signs"


@pytest.fixture
def system(certificates: Certificates) -> Iterator[ServiceSystem]:
    service = Service()
    server = serve(service, certificates.server)
    yield ServiceSystem(service, certificates.ca)
    server.shutdown()
    server.server_close()


@pytest.fixture
def by_client(system: ServiceSystem) -> ServiceSystem:
    """The service takes client credentials alone."""
    page = facts_of("jiading").service
    assert page is not None
    service = page.model_copy(update={"login": "oauth2", "token_path": "oauth/token", "scope": "read"})
    system.facts = facts_of("jiading").model_copy(update={"service": service})
    system.connection = replace(system.connection, client_id="node 1", secret=lambda: SECRET)
    system.service.tokens = []
    return system


def token(name: str, life: object = 3600) -> Json:
    return {"access_token": name, "token_type": "Bearer", "expires_in": life}


def rows(system: ServiceSystem) -> int:
    return len(findings(list(pages(system))))


def test_client_credentials_by_basic(by_client: ServiceSystem) -> None:
    by_client.put([penalty(n) for n in range(1, 601)])
    by_client.service.granted = [token("t1")]
    assert rows(by_client) == 600
    ((form, shown),) = by_client.service.forms
    assert form == {"grant_type": "client_credentials", "scope": "read"}
    assert base64.b64decode(shown.removeprefix("Basic ")) == b"node%201:a%20secret%2Fwith%20signs"


def test_client_credentials_in_the_form(by_client: ServiceSystem) -> None:
    page = by_client.facts.service
    assert page is not None
    body = page.model_copy(update={"credentials": "body"})
    by_client.facts = by_client.facts.model_copy(update={"service": body})
    by_client.service.granted = [token("t1")]
    assert rows(by_client) == 0
    ((form, shown),) = by_client.service.forms
    assert (form["client_id"], form["client_secret"], shown) == ("node 1", SECRET, "")


def test_a_token_that_the_service_forgot_is_fetched_once_more(by_client: ServiceSystem) -> None:
    by_client.put([penalty(n) for n in range(1, 601)])
    by_client.service.granted = [token("t1"), token("t2")]
    source = by_client.source()
    first = source.collect(None)
    by_client.service.tokens = ["t2-to-come"]
    assert source.collect(first.cursor).rows == 100
    assert len(by_client.service.forms) == 2
    by_client.service.tokens = []
    with pytest.raises(SourceError, match="invalid_client") as caught:
        source.collect(None)
    assert not caught.value.transient and SECRET not in str(caught.value)
    source.close()


@pytest.mark.parametrize(("life", "good_for"), [(3600, 3540), (60, 54), ("3600", 3540), (None, 540)])
def test_a_token_is_renewed_before_it_expires(life: object, good_for: float) -> None:
    now, fetched = [0.0], list[str]()

    def form(url: str, fields: dict[str, str], auth: tuple[str, str] | None) -> tuple[int, bytes]:
        fetched.append(url)
        answer = token(f"t{len(fetched)}", life)
        return 200, orjson.dumps({name: value for name, value in answer.items() if value is not None})

    login = ClientLogin(form, "https://x/token", ("id", lambda: SECRET), clock=lambda: now[0])
    assert login.bearer() == "t1"
    now[0] = good_for - 1
    assert login.bearer() == "t1"
    now[0] = good_for
    assert login.bearer() == "t2"
    assert login.renew("t1") and login.bearer() == "t2"  # another thread was faster
    assert login.renew("t2") and login.bearer() == "t3"


@pytest.mark.parametrize(
    ("status", "answer", "transient"),
    [
        (400, {"error": "invalid_scope"}, False),
        (401, {"error": f"{SECRET}"}, False),
        (503, {}, True),
        (429, {}, True),
        (200, {"access_token": "t", "token_type": "mac"}, False),
        (200, {"access_token": "two words", "token_type": "bearer"}, False),
        (200, {"token_type": "bearer"}, False),
        (200, {"access_token": "t", "token_type": "bearer", "expires_in": "soon"}, False),
    ],
)
def test_no_token(status: int, answer: Json, transient: bool) -> None:
    login = ClientLogin(lambda *_: (status, orjson.dumps(answer)), "https://x/token", ("id", lambda: SECRET))
    with pytest.raises(SourceError) as caught:
        login.bearer()
    assert caught.value.transient is transient and SECRET not in caught.value.sentence


def test_a_token_file_that_was_exchanged_needs_no_restart(system: ServiceSystem, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old-token")
    system.connection = replace(system.connection, secret=file.read_text)
    system.service.tokens = ["old-token"]
    source = system.source()
    source.collect(None)
    system.service.tokens = ["new-token"]
    with pytest.raises(SourceError, match="valid one"):
        source.collect(None)
    file.write_text("new-token")
    source.collect(None)
    source.close()
    with pytest.raises(SourceError, match="one word"):
        TokenLogin(lambda: "two\nlines").bearer()


@pytest.mark.parametrize("status", [429, 503])
def test_a_short_wait_is_waited_for(system: ServiceSystem, status: int) -> None:
    system.put([penalty(1)])
    system.service.bend = [lambda _: Bent(status, {"Retry-After": "1"})]
    started = time.monotonic()
    assert rows(system) == 1
    assert time.monotonic() - started >= 1


@pytest.mark.parametrize("written", ["600", "date", "99999999999", "soon", "-5"])
def test_a_long_wait_fails_the_step_and_nobody_is_asked_until_then(
    system: ServiceSystem, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=600), usegmt=True)
    value = value if written == "date" else written
    monkeypatch.setattr(https, "PATIENCE_SECONDS", 0.05 if written in ("soon", "-5") else 3.0)
    system.service.bend = [lambda _: Bent(429, {"Retry-After": value})] * 3
    source = system.source()
    with pytest.raises(SourceError) as caught:
        source.collect(None)
    assert caught.value.transient and "429" in caught.value.sentence
    asked = len(system.service.asked)
    if written in ("600", "date", "99999999999"):
        with pytest.raises(SourceError, match="not to be asked") as caught:
            source.push([order(1)])
        left = int(caught.value.sentence.split("another ")[1].split(" s")[0])
        assert caught.value.transient and len(system.service.asked) == asked == 1
        assert 590 <= left <= (3600 if written == "99999999999" else 600)
    source.close()


def test_packed_answers(system: ServiceSystem) -> None:
    system.put([penalty(n) for n in range(1, 4)])
    system.service.bend = [lambda a: Bent(200, {"Content-Encoding": "gzip"}, gzip.compress(whole(a)))]
    assert rows(system) == 3
    bomb = gzip.compress(b"[" + b" " * (40 * 1024 * 1024) + b"]")
    error = fails(system, lambda _: Bent(200, {"Content-Encoding": "gzip"}, bomb))
    assert not error.transient and "32 MiB" in error.sentence
    error = fails(system, lambda _: Bent(200, {"Content-Encoding": "gzip"}, b"no gzip"))
    assert error.transient


def test_orders_under_a_key_and_their_number(system: ServiceSystem) -> None:
    page = system.facts.service
    assert page is not None
    answer = page.answer.model_copy(update={"receipt": "no"})
    system.facts = system.facts.model_copy(update={"service": page.model_copy(update={"answer": answer})})
    system.service.bend = [lambda a: Bent(503, {}), lambda a: Bent(201, {}, whole({**a, "no": 7}))]
    source = system.source()
    assert source.push([order(1)]) == ["7"]
    first, again = system.service.keys
    assert first == again == system.service.batches[0]
    with pytest.raises(SourceError, match="did not confirm"):
        source.push([order(2)])
    source.close()
