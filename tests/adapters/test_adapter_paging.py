"""Paging by number, cursor and time over real HTTPS: rows put in or taken out while we page are not missed."""

import random
from collections.abc import Callable, Iterator
from typing import Protocol

import orjson
import pytest
from adapter_listings import Listings
from adapter_promise import findings, pages
from adapter_rows import facts_of, penalty, relief
from adapter_service import serve
from test_adapter_service import Certificates, ServiceSystem, whole

from adapters.base import Json, SourceError
from adapters.facts import SourceFacts
from adapters.modes import Service

pytestmark = pytest.mark.fast

NAMES = {"items": "data.list", "count": "", "more": "", "mark": "data.next"}


def facts(way: str, rows: int = 5, since: str = "changed_since") -> SourceFacts:
    """The facts page of a service that pages in another way."""
    page = facts_of("jiading")
    assert page.service is not None
    asked = {"limit": "size", "mark": "cursor", "since": since}
    changed = {"paging": way, "page_rows": rows, "ask": asked, "answer": NAMES | {"received": "received"}}
    service = Service.model_validate({**page.service.model_dump(exclude={"ask", "answer"}), **changed})
    return page.model_copy(update={"service": service})


class Opened(Protocol):
    """Makes a system that pages in a way."""

    def __call__(self, way: str, rows: int = 5, since: str = "changed_since") -> ServiceSystem: ...


@pytest.fixture
def opened(certificates: Certificates) -> Iterator[Opened]:
    servers = []

    def open_one(way: str, rows: int = 5, since: str = "changed_since") -> ServiceSystem:
        service = Listings(way=way)
        servers.append(serve(service, certificates.server))
        system = ServiceSystem(service, certificates.ca)
        system.facts = facts(way, rows, since)
        return system

    yield open_one
    for server in servers:
        server.shutdown()
        server.server_close()


def stamp(n: int) -> str:
    return f"2026-11-22 09:{n // 60:02d}:{n % 60:02d}"


def held(system: ServiceSystem) -> Listings:
    assert isinstance(system.service, Listings)
    return system.service


def keys(system: ServiceSystem, cursor: Json | None = None, restarts: bool = False) -> tuple[set[str], Json]:
    """The findings behind the cursor, and the cursor behind them."""
    collected = list(pages(system, cursor, restarts))
    return {one.row for one in findings(collected)}, collected[-1].cursor


@pytest.mark.parametrize("way", ["page", "cursor", "since"])
def test_all_rows_come_and_only_changed_ones_come_again(opened: Opened, way: str) -> None:
    system = opened(way)
    system.put([penalty(n, GXSJ=stamp(n)) for n in range(1, 23)], [relief(1), relief(2)])
    first, cursor = keys(system, restarts=True)
    assert len(first) == 22 and len(orjson.dumps(cursor)) < 1000
    held(system).asked.clear()
    system.put([penalty(3, GXSJ="2026-11-22 09:20:00"), penalty(40, GXSJ="2026-11-22 09:21:00")])
    again, _ = keys(system, cursor)
    assert {"KS2026000003", "KS2026000040"} <= again
    (asked, *_) = (one for one in held(system).asked if "penalties" in one)
    assert "changed_since=2026-11-22+08%3A50%3A22" in asked


@pytest.mark.parametrize("way", ["page", "cursor"])
@pytest.mark.parametrize("seed", range(5))
def test_rows_put_in_and_taken_out_while_we_page(opened: Opened, way: str, seed: int) -> None:
    """Every row that is there all the time is met, whatever else comes and goes between two pages."""
    system, dice = opened(way, since=""), random.Random(seed)
    system.put([penalty(n, GXSJ=stamp(n * 3)) for n in range(1, 28)])
    stay = {f"KS2026{n:06d}" for n in range(1, 28)}

    def meddle() -> None:
        rows = held(system).penalties
        for _ in range(dice.randint(0, 2)):
            if dice.random() < 0.6:
                gone = dice.choice(sorted(rows))
                stay.discard(gone)
                del rows[gone]
            else:
                number = dice.randint(100, 999)
                system.put([penalty(number, GXSJ=stamp(dice.randint(0, 200)))])

    held(system).between = [meddle if n % 3 == 0 else lambda: None for n in range(20)]
    found, cursor = keys(system)
    assert stay <= found
    held(system).between = []
    assert keys(system, cursor)[0] == set(held(system).penalties)


def test_a_row_taken_out_before_the_next_page_costs_one_page_more(opened: Opened) -> None:
    system = opened("page")
    system.put([penalty(n, GXSJ=stamp(n)) for n in range(1, 13)])
    held(system).between = [lambda: None, lambda: held(system).penalties.pop("KS2026000002")]
    found, _ = keys(system)
    assert found == {f"KS2026{n:06d}" for n in range(1, 13)}
    asked = [one.partition("page=")[2] for one in held(system).asked if "penalties" in one]
    assert asked == ["1", "2", "1", "2", "1", "3", "2"]


def test_rows_with_one_time_across_pages(opened: Opened) -> None:
    system = opened("since")
    system.put([penalty(n, GXSJ=stamp(1 + n // 4)) for n in range(1, 20)])
    assert len(keys(system)[0]) == 19
    system.put([penalty(n, GXSJ=stamp(30)) for n in range(20, 26)])
    with pytest.raises(SourceError, match="share one time") as caught:
        keys(system)
    assert not caught.value.transient


def test_rows_that_are_not_sorted_by_time(opened: Opened) -> None:
    system = opened("since")
    system.put([penalty(n, GXSJ=stamp(n)) for n in range(1, 4)])
    held(system).bend = [lambda answer: whole({"data": {"list": answer["data"]["list"][::-1]}})]
    with pytest.raises(SourceError, match="not sorted"):
        keys(system)


def test_a_cursor_that_has_expired_begins_the_listing_anew(opened: Opened) -> None:
    system = opened("cursor")
    system.put([penalty(n, GXSJ=stamp(n)) for n in range(1, 13)])
    held(system).bend = [whole, lambda _: 410]
    assert len(keys(system)[0]) == 12
    held(system).bend = [lambda answer: 410 if "next" not in answer["data"] else whole(answer)] * 40
    with pytest.raises(SourceError, match="anew 3 times"):
        keys(system)


def test_relief_waits_for_no_listing_from_the_second_round_on(opened: Opened) -> None:
    system = opened("page", since="")
    system.put([penalty(n, GXSJ=stamp(n)) for n in range(1, 31)], [relief(1)])
    _, cursor = keys(system)
    held(system).asked.clear()
    source = system.source()
    source.collect(cursor)
    assert held(system).asked[0].startswith("GET /relief")
    source.close()


def test_a_page_number_that_leads_nowhere(opened: Opened) -> None:
    system = opened("cursor")
    system.put([penalty(n, GXSJ=stamp(n)) for n in range(1, 13)])
    same: Callable[[Json], bytes] = lambda a: whole({"data": {**a["data"], "next": "0@5"}})  # noqa: E731
    held(system).bend = [same] * 9
    with pytest.raises(SourceError, match="lead nowhere"):
        keys(system)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"paging": "since"}, "ask.since"),
        ({"ask": {"since": "s"}}, "already says"),
        ({"paging": "page", "ask": {"page": ""}}, "ask.page"),
        ({"paging": "cursor", "answer": {"mark": ""}}, "answer.mark"),
    ],
)
def test_a_facts_page_whose_paging_does_not_fit(changed: Json, said: str) -> None:
    page = facts_of("jiading").service
    assert page is not None
    with pytest.raises(ValueError, match=said):
        Service.model_validate({**page.model_dump(exclude={"ask", "answer"}), **changed})
