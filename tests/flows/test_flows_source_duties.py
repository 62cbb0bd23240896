"""The base's duties seen from the log: rows that wait for a day, amendments by name, status of rows, provenance."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from network import Network, Node, company, network, penalty

from adapters.base import FILE, AckFault, AckPage, RawRow, RowFault
from syncd.store import desk, sourcebook

Json = dict[str, Any]
HOME, OTHER = "320583", "310114"
TWO = (OTHER, HOME)


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str]) -> Network:
    return network(tmp_path, store_urls, TWO)


def standing(node: Node, n: int = 1) -> str:
    return str(node.stages.inquiry.check(company(n), node.bureau.today())["standing"])


def on_desk(node: Node) -> dict[str, int]:
    with node.bureau.store.read() as conn:
        return desk.counts(conn)


def read_all(node: Node) -> None:
    """Have the whole source read again."""
    assert node.stages.collect is not None
    with node.bureau.store.write() as conn:
        node.stages.collect.read_again(conn)


def steps(node: Node, kind: str) -> list[Json]:
    (finding,) = node.stages.inquiry.explain(company(1), node.bureau.today())["findings"]
    return [step for step in finding["steps"] if step["step"] == kind]


def test_a_row_to_be_published_later_is_taken_by_itself_on_its_day(net: Network) -> None:
    node = net.nodes[HOME]
    node.home.put(penalty("101", company(1), "KS-0104", HOME, GSRQ="2026-11-25"), penalty("102", "bad", "", HOME))
    net.settle()
    assert standing(node) == "clear"
    with node.bureau.store.read() as conn:
        assert sourcebook.counts(conn, "taicang")["waiting"] == 1
        assert sourcebook.read_one(conn, "waits:taicang") == {"first": "2026-11-25"}
    net.now += dt.timedelta(days=2)
    net.settle()
    assert standing(node) == "clear"
    net.now += dt.timedelta(days=1)
    net.settle()
    assert standing(node) == standing(net.nodes[OTHER]) == "restricted"
    with node.bureau.store.read() as conn:
        assert sourcebook.read_one(conn, "waits:taicang") == {"first": None}


def test_an_amendment_names_what_has_changed_everywhere(net: Network) -> None:
    node = net.nodes[HOME]
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    node.home.put(penalty("101", company(1), "KS-0104", HOME, CF_NR_FK="3", CF_GSJZQ="2027-11-02", BZ="free text"))
    net.settle()
    for one in net.nodes.values():
        (step,) = steps(one, "amended")
        assert step["fields"] == ["amount.fine", "ends.publicity"]
        assert (step["came_from"] is None) == (one is not node)
    assert node.stages.collect is not None
    with node.bureau.store.write() as conn:
        for origin in node.bureau.origins:
            node.bureau.logs.set_cursor(conn, f"recognise:{origin}", "0")
    net.settle()
    assert len(steps(node, "amended")) == 1, "reading the log again is no difference"


def test_free_text_alone_changes_nothing(net: Network) -> None:
    node = net.nodes[HOME]
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    node.home.put(penalty("101", company(1), "KS-0104", HOME, CF_SY="另一段文字", CF_FRDB="丙某某"))
    net.settle()
    assert steps(node, "amended") == []


def test_each_entry_knows_the_row_it_came_from(net: Network) -> None:
    node = net.nodes[HOME]
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    came = steps(node, "finding")[0]["came_from"]
    assert (came["source"], came["row"], came["place"]) == ("taicang", "101", "test:101")
    assert came["read_at"].startswith("2026-11-22T01:00") and len(came["digest"]) == 64
    assert steps(net.nodes[OTHER], "finding")[0]["came_from"] is None, "others need not know the row's file"


def test_the_status_of_a_row_disputes_upholds_and_revokes(net: Network) -> None:
    node = net.nodes[HOME]

    def disputed() -> list[bool]:
        net.settle()
        return [one.stages.inquiry.check(company(1), one.bureau.today())["findings"][0]["disputed"]
                for one in net.nodes.values()]  # fmt: skip

    node.home.put(penalty("101", company(1), "KS-0104", HOME, CF_ZT="2"))
    assert disputed() == [True, True] and standing(node) == "restricted"
    node.home.put(penalty("101", company(1), "KS-0104", HOME, CF_ZT="0"))
    assert disputed() == [False, False]
    node.home.put(penalty("101", company(1), "KS-0104", HOME, CF_ZT="1"))
    net.settle()
    assert standing(node) == standing(net.nodes[OTHER]) == "clear"
    assert steps(node, "relief")[-1]["came_from"]["row"] == "101"
    assert on_desk(node) == {}


def test_a_row_that_was_revoked_before_it_was_met_is_nothing(net: Network) -> None:
    node = net.nodes[HOME]
    for _ in range(2):
        node.home.put(penalty("101", company(1), "KS-0104", HOME, CF_ZT="1"))
        net.settle()
    assert on_desk(node) == {}
    assert node.stages.inquiry.check(company(1), node.bureau.today())["findings"] == []
    node.home.put(penalty("101", company(1), "KS-0104", HOME, CF_ZT="0"))
    net.settle()
    assert standing(node) == "restricted"


def test_what_was_wrong_with_a_file_is_over_once_it_is_read_again(net: Network) -> None:
    node = net.nodes[HOME]
    fault = RowFault(FILE, "cells", "The line has more cells than the header.")
    places = ["A_1.csv", "A_1.csv:3", "A_1.xlsx[sheet]:3", "A_10.csv:3"]
    faults = [RawRow("penalty", place, {}, place, fault) for place in places]
    node.home.put(*faults)
    net.settle()
    assert on_desk(node) == {"quarantine": 4}
    node.home.rows, node.home.begun = [faults[1]], ["A_1.csv", "A_1.xlsx"]
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    with node.bureau.store.read() as conn:
        assert desk.open_marks(conn, "quarantine") == {"taicang/A_1.csv:3", "taicang/A_10.csv:3"}


def test_what_a_full_reading_no_longer_meets_leaves_the_quarantine(net: Network) -> None:
    node = net.nodes[HOME]
    fault = RowFault(FILE, "undecodable", "The file is neither GB18030 nor UTF-8.")
    files = [RawRow("penalty", place, {}, place, fault) for place in ("XZCF_1.csv", "XZCF_2.csv")]
    node.home.put(*files, penalty("102", "bad", "KS-0104", HOME), penalty("101", company(1), "KS-0104", HOME))
    node.home.acknowledgements = lambda cursor: AckPage(
        [], {"read": 1}, False, [] if cursor else [AckFault("HZ_1.csv:2", "HZ_ZT", "unknown_value")]
    )
    net.settle()
    assert on_desk(node) == {"quarantine": 4}
    node.home.remove("XZCF_1.csv")
    node.home.remove("102")
    net.settle()
    assert on_desk(node) == {"quarantine": 4}, "nothing was read, so nothing is known to be gone"
    read_all(node)
    net.settle()
    with node.bureau.store.read() as conn:
        marks = desk.open_marks(conn, "quarantine")
    assert marks == {"taicang/XZCF_2.csv", "taicang/acknowledgements/HZ_ZT/unknown_value"}


def test_a_row_of_another_place_says_where_that_is_no_members(net: Network) -> None:
    node = net.nodes[HOME]
    node.home.put(penalty("101", company(1), "KS-0104", OTHER), penalty("102", company(2), "KS-0104", "999999"))
    net.settle()
    with node.bureau.store.read() as conn:
        items = {item.reason: desk.facts_of(item) for item in desk.listing(conn)}
    assert items.keys() == {"other_place", "no_members_place"} and "sentence" not in items["other_place"]
    said = items["no_members_place"]
    assert (said["row"], said["place"]) == ("102", "999999") and "No member of this agreement" in said["sentence"]


def test_rows_without_a_key_leave_the_quarantine_once_none_is_met_any_more(tmp_path: Path) -> None:
    net = network(tmp_path, lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}", TWO)
    node = net.nodes[HOME]
    nameless = [penalty("", company(n), "KS-0104", HOME) for n in (2, 3)]
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    node.home.rows += nameless
    net.settle()
    assert on_desk(node)["quarantine"] == 1
    for left in (nameless[:1], []):
        node.home.rows = [row for row in node.home.rows if row.key] + left
        read_all(node)
        net.settle()
        assert on_desk(node).get("quarantine", 0) == len(left)
