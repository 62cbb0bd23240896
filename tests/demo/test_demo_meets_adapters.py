"""Both sides of each format meet: the real adapters read the stand-ins, and what the generator expects comes true.

The two sides share no code, so this is where a misreading of the format on either side shows.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import pytest
from demo_processes import TOKEN, order, running, service_options, until

from adapters.base import Ack, Adapter
from adapters.database import DatabaseAdapter
from adapters.facts import SourceFacts, parse_facts
from adapters.files import FilesAdapter
from adapters.records import FindingRecord, ReliefRecord
from adapters.service import ServiceAdapter, ServiceConnection
from adapters.source import Collected, Source
from schemas.text import normalise_name
from syncd.demo.generator import generate
from syncd.demo.places import CONFIG
from syncd.demo.scenario import Scenario
from syncd.demo.writers import BureauSystem, DatabaseSystem, FolderSystem, ServiceSystem

TODAY = date(2026, 11, 22)
BUREAUS = {"310114": "jiading", "320583": "kunshan", "320585": "taicang"}
LATER = datetime(2026, 12, 1).timestamp()
FAST = ("--poll-ms", "20")


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return generate(TODAY)


def facts_of(code: str) -> SourceFacts:
    return parse_facts((CONFIG / "sources" / f"{BUREAUS[code]}.toml").read_bytes())


@contextmanager
def bureau(code: str, directory: Path) -> Iterator[tuple[BureauSystem, Source]]:
    """A running stand-in, seen by its own people and by the real adapter."""
    facts = facts_of(code)
    system: BureauSystem
    adapter: Adapter
    if facts.source.mode == "service":
        with running("service", directory, *service_options(directory)) as standin:
            ca, url = directory / "tls" / "ca.pem", standin.ready["url"]
            system = ServiceSystem(url, directory, ca)
            adapter = ServiceAdapter(ServiceConnection(url, lambda: TOKEN, ca), facts)
            yield system, Source(adapter, facts, bytes(32))
    elif facts.source.mode == "files":
        with running("folder", directory, *FAST):
            system = FolderSystem(directory, 25, ("gb18030", "utf-8-sig", "utf-8"))
            yield system, Source(FilesAdapter(directory, facts), facts, bytes(32))
    else:
        with running("database", directory, *FAST):
            url = f"sqlite:///{directory / 'front.sqlite'}"
            adapter = DatabaseAdapter(url, facts, clock=lambda: LATER)
            yield DatabaseSystem(directory), Source(adapter, facts, bytes(32))


def collect(source: Source) -> list[Collected]:
    pages, cursor, more = [], None, True
    while more:
        pages.append(source.collect(cursor))
        cursor, more = pages[-1].cursor, pages[-1].more
    assert source.collect(cursor).rows == 0
    return pages


def acknowledged(source: Source) -> list[Ack]:
    acks, cursor, more = [], None, True
    while more:
        page = source.acknowledgements(cursor)
        assert page.faults == []
        acks += page.rows
        cursor, more = page.cursor, page.more
    return acks


@pytest.mark.parametrize("code", BUREAUS)
def test_what_comes_of_the_first_rows_is_what_the_scenario_expects(
    code: str, scenario: Scenario, tmp_path: Path
) -> None:
    load = scenario.loads[code]
    said = load.expected
    with bureau(code, tmp_path) as (system, source):
        assert system.put_penalties(load.penalties) == 60
        system.put_relief(load.relief)
        pages = collect(source)
    records = [r for page in pages for r in page.records if isinstance(r, FindingRecord)]
    mine = {r.row: r.body for r in records if r.body["place"] == code}
    quarantined = Counter(q.reason for page in pages for q in page.quarantined)
    keys = Counter((b["key"]["organ"], b["key"]["number"], b["subject"]["uscc"]) for b in mine.values())
    assert sum(page.rows for page in pages) == said.rows + len(load.relief)
    assert len(keys) == said.accepted and quarantined == said.quarantined
    assert len(records) - len(mine) == said.linked
    assert sum(page.duplicates for page in pages) + len(mine) - len(keys) == said.duplicates
    assert sum((Counter(page.refused) for page in pages), Counter()) == said.refused
    assert sum(len(page.waiting) for page in pages) == said.waiting
    assert not any(page.unknown_columns for page in pages)
    assert sum(page.personal["CF_FRDB"] for page in pages) > 50
    for finding in (f for f in scenario.findings if f.bureau == code):
        body = mine[finding.row]
        assert body["subject"]["uscc"] == finding.company.uscc
        assert body["subject"]["name"] == normalise_name(finding.company.name)
        assert (body["key"]["organ"], body["key"]["number"]) == (finding.organ, finding.number)
        assert (body["decided_on"], body["local_code"]) == (finding.decided_on.isoformat(), finding.local_code)
        assert all(end is None or end > TODAY.isoformat() for end in body["ends"].values())
    assert not any(word in str(pages) for word in scenario.must_not_appear)


def test_relief_rows_are_read_as_the_story_means_them(scenario: Scenario, tmp_path: Path) -> None:
    kinds = {"修复": "relief.repaired", "异议": "relief.disputed", "撤销": "relief.revoked"}
    for code in BUREAUS:
        lines = [line for line in scenario.stories.values() if line.relief_bureau == code]
        with bureau(code, tmp_path / code) as (system, source):
            assert system.put_relief(line.relief for line in lines) == len(lines)
            reliefs = [r for page in collect(source) for r in page.records if isinstance(r, ReliefRecord)]
        said = {(r.kind, r.organ, r.number, r.uscc, r.body["effective_from"]) for r in reliefs}
        assert said == {
            (kinds[line.relief_state], f.organ, f.number, f.company.uscc, line.relief["XF_RQ"])
            for line in lines
            for f in [line.relieved]
        }


@pytest.mark.parametrize("code", BUREAUS)
def test_orders_pushed_by_the_adapter_are_held_and_their_acknowledgements_come_back(code: str, tmp_path: Path) -> None:
    measures = ("MA-01", "SF-01", "DI-01")
    orders = [order(n, measure) for n in range(700) for measure in measures]
    with bureau(code, tmp_path) as (system, source):
        source.push(orders)
        until(5, lambda: system.counts()["orders"] == 2100)
        until(5, lambda: len(acknowledged(source)) == 2100)
        source.push([order(7, measure, counter=2, state="0") for measure in measures])
        until(5, lambda: system.counts()["lifted"] == 3)
        until(5, lambda: sum(ack.state == "lifted" for ack in acknowledged(source)) == 3)
        source.push([order(7, "MA-01")])
        source.push([order(8, "MA-01", CJD_BJ="异议")])
        until(5, lambda: any(o["CJD_BJ"] for o in system.held("91310114MA0000015X")))
        assert {ack.counter for ack in acknowledged(source) if ack.finding == f"{7:064x}"} >= {2}
        assert f"{7:064x}" not in {o["CJD_RDBH"] for o in system.held("91310114MA0000015X")}
        assert system.counts() | {"penalties": 0, "relief": 0} == {
            "orders": 2100,
            "in_force": 2097,
            "lifted": 3,
            "findings": 699,
            "penalties": 0,
            "relief": 0,
        }
