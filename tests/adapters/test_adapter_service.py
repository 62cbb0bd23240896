"""The service mode over real HTTPS: the promise, and the bad days of a service."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import orjson
import pytest
from adapter_promise import AdapterPromise, BureauSystem, findings, pages
from adapter_rows import Row, ack, facts_of, order, penalty
from adapter_service import TOKEN, Bend, Service, serve

from adapters.base import Json, SourceError
from adapters.service import ServiceAdapter, ServiceConnection

pytestmark = pytest.mark.fast


class Certificates(Protocol):
    """As the fixture of this folder makes them."""

    ca: Path
    server: Path
    other_ca: Path


class ServiceSystem(BureauSystem):
    """The service on loopback."""

    facts = facts_of("jiading")

    def __init__(self, service: Service, ca: Path) -> None:
        self.service = service
        self.connection = ServiceConnection(service.url, lambda: TOKEN, ca)

    def adapter(self) -> ServiceAdapter:
        return ServiceAdapter(self.connection, self.facts)

    def put(self, penalties: Sequence[Row] = (), reliefs: Sequence[Row] = ()) -> None:
        self.service.penalties.update({row["ID"]: row for row in penalties})
        self.service.relief.update({row["ID"]: row for row in reliefs})

    @contextmanager
    def ruin(self) -> Iterator[None]:
        """Its answers are cut off, however often it is asked."""
        self.service.bend += [lambda answer: orjson.dumps(answer)[:-40]] * 10
        yield
        self.service.bend.clear()

    def put_acks(self, acks: Sequence[Row]) -> None:
        self.service.acks.extend(acks)

    def orders(self) -> dict[tuple[str, str], Json]:
        return self.service.orders


@pytest.fixture
def system(certificates: Certificates) -> Iterator[ServiceSystem]:
    service = Service()
    server = serve(service, certificates.server)
    yield ServiceSystem(service, certificates.ca)
    server.shutdown()
    server.server_close()


class TestPromise(AdapterPromise):
    """Service mode."""


def whole(answer: Json) -> bytes:
    return orjson.dumps(answer)


def fails(system: ServiceSystem, *bends: Bend) -> SourceError:
    """The error of one collecting with answers bent."""
    system.service.bend = list(bends)
    source = system.source()
    with pytest.raises(SourceError) as caught:
        source.collect(None)
    source.close()
    return caught.value


def test_a_page_cut_short_is_not_taken_and_read_again(system: ServiceSystem) -> None:
    system.put([penalty(1), penalty(2)])
    error = fails(system, lambda answer: orjson.dumps({**answer, "items": answer["items"][:1]}))
    assert error.transient and "/penalties" in error.sentence
    assert len(findings(list(pages(system)))) == 2


def test_an_answer_cut_off_in_the_middle(system: ServiceSystem) -> None:
    system.put([penalty(1)])
    assert fails(system, lambda answer: orjson.dumps(answer)[:-40]).transient
    assert fails(system, lambda _: b"[]").transient
    assert fails(system, lambda _: b"").transient


@pytest.mark.parametrize(
    ("change", "transient"),
    [
        ({"after": ""}, False),
        ({"after": 7.5}, False),
        ({"after": "x" * 300}, False),
        ({"after": None}, False),
        ({"more": "yes"}, True),
        ({"count": "1"}, True),
        ({"items": None}, True),
    ],
)
def test_a_page_that_is_none(system: ServiceSystem, change: Json, transient: bool) -> None:
    system.put([penalty(1)])
    assert fails(system, lambda answer: orjson.dumps({**answer, **change})).transient is transient


def test_more_without_items_would_never_end(system: ServiceSystem) -> None:
    error = fails(system, lambda answer: orjson.dumps({**answer, "more": True}))
    assert not error.transient


def test_more_rows_than_asked_for(system: ServiceSystem) -> None:
    rows = [penalty(1)] * 501
    error = fails(system, lambda a: orjson.dumps({**a, "items": rows, "count": 501, "after": "x"}))
    assert not error.transient and "501" in error.sentence


def test_the_token_is_wrong_and_never_shown(system: ServiceSystem) -> None:
    assert TOKEN not in repr(system.connection)
    system.connection = replace(system.connection, secret=lambda: "another-secret")
    error = fails(system)
    assert not error.transient and "token" in error.sentence
    assert "another-secret" not in repr(error)


@pytest.mark.parametrize(
    ("status", "transient"), [(403, False), (404, False), (302, False), (429, True), (500, True), (503, True)]
)
def test_statuses(system: ServiceSystem, status: int, transient: bool) -> None:
    error = fails(system, *[lambda _: status] * 5)
    assert error.transient is transient
    assert str(status) in error.sentence


def test_one_unavailable_answer_is_asked_again_at_once(system: ServiceSystem) -> None:
    system.put([penalty(1)])
    system.service.bend = [lambda _: 503]
    assert len(findings(list(pages(system)))) == 1


def test_the_server_is_down_and_comes_back(system: ServiceSystem, certificates: Certificates) -> None:
    system.put([penalty(1)])
    first = list(pages(system))
    system.connection = replace(system.connection, url="https://127.0.0.1:9")
    started = time.monotonic()
    assert fails(system).transient
    assert time.monotonic() - started < 5
    system.connection = replace(system.connection, url=system.service.url)
    system.put([penalty(2, GXSJ="2026-11-23 00:00:00.000000")])
    assert [one.row for one in findings(list(pages(system, first[-1].cursor)))] == ["KS2026000002"]


def test_a_certificate_of_another_authority(system: ServiceSystem, certificates: Certificates) -> None:
    system.connection = replace(system.connection, ca_file=certificates.other_ca)
    error = fails(system)
    assert not error.transient and "certificate" in error.sentence
    assert system.service.asked == []


def test_plain_http_is_refused(system: ServiceSystem) -> None:
    system.connection = replace(system.connection, url="http://127.0.0.1:1")
    with pytest.raises(SourceError, match="https"):
        system.adapter()


def test_the_environment_does_not_lead_astray(system: ServiceSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    system.put([penalty(1)])
    assert len(findings(list(pages(system)))) == 1


def test_values_that_are_no_text(system: ServiceSystem) -> None:
    rows = [penalty(1) | {"CF_NR_FK": 2.5, "BZ": None}, penalty(2) | {"CF_SY": {"a": 1}}, "row"]
    system.put([penalty(n) for n in range(1, 4)])
    system.service.bend = [lambda answer: orjson.dumps({**answer, "items": rows})]
    (page,) = pages(system)
    assert [one.body["amount"]["fine"] for one in findings([page])] == ["25000.00"]
    assert [(one.field, one.reason) for one in page.quarantined] == [("row", "shape")] * 2


def test_the_same_orders_are_the_same_batch(system: ServiceSystem) -> None:
    source = system.source()
    source.push([order(1)])
    source.push([order(1)])
    source.push([order(2)])
    one, again, other = system.service.batches
    assert one == again != other
    source.close()


def test_a_lost_answer_to_orders(system: ServiceSystem) -> None:
    system.service.bend = [lambda _: b'{"batch":'] * 3
    source = system.source()
    with pytest.raises(SourceError) as caught:
        source.push([order(1)])
    assert caught.value.transient
    system.service.bend = []
    source.push([order(1)])
    assert len(system.orders()) == 1
    source.close()


def test_fewer_orders_received_than_sent(system: ServiceSystem) -> None:
    system.service.bend = [lambda answer: orjson.dumps({**answer, "received": 0})]
    source = system.source()
    with pytest.raises(SourceError) as caught:
        source.push([order(1)])
    assert caught.value.transient
    source.close()


def test_an_answer_without_end(system: ServiceSystem) -> None:
    error = fails(system, lambda _: b"[" + b" " * (33 * 1024 * 1024) + b"]")
    assert not error.transient and "32 MiB" in error.sentence


def test_acknowledgements_cut_short(system: ServiceSystem) -> None:
    system.put_acks([ack(1), ack(2)])
    system.service.bend = [lambda answer: orjson.dumps({**answer, "items": answer["items"][:1]})]
    source = system.source()
    with pytest.raises(SourceError):
        source.acknowledgements(None)
    assert len(source.acknowledgements(None).rows) == 2
    source.close()
