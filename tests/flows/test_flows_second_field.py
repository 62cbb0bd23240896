"""A second field runs on the same code: Kunshan's yellow card of work safety, as an agreement of one member."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from network import ROOT, company, network, penalty, relief

from adapters.facts import parse_facts
from syncd.agreement_files import read_agreement

FOLDER = ROOT / "config" / "agreements" / "kunshan-safety"
HOME, DAY = "320583", dt.date(2026, 11, 22)
EIGHT = {"SY-01", "SY-02", "SY-03", "SY-05", "SY-06", "SY-07", "SY-08", "SY-09"}


def test_a_yellow_card_acts_in_kunshan_alone_and_is_lifted(tmp_path: Path, store_urls: Callable[[str], str]) -> None:
    net = network(tmp_path, store_urls, [HOME], agreement=read_agreement(FOLDER))
    node = net.nodes[HOME]
    assert not net.links and not node.stages.shares, "an agreement of one member sends nothing to anybody"
    card = penalty("1", company(1), "AQ-Y", HOME, CF_CFLB="其他-黄牌警示")
    node.home.put(card, penalty("2", company(2), "AQ-ZJ-D", HOME), penalty("3", company(3), "AQ-R", HOME))
    net.settle()
    assert node.home.in_force(company(1)) == EIGHT, "SY-04 acts on persons and is nowhere"
    assert {row["CJD_LY"] for row in node.home.orders.values()} == {"安全生产"}
    yellow, grade, red = (node.stages.inquiry.check(company(n), DAY) for n in (1, 2, 3))
    assert yellow["standing"] == "restricted" and yellow["region"] == HOME
    assert (grade["standing"], grade["findings"][0]["reason"]) == ("clear", "not_severe"), "a grade maps to nothing"
    assert grade["findings"][0]["grade"] == "AQ-ZJ D" and yellow["findings"][0]["grade"] is None
    assert (red["standing"], red["findings"][0]["reason"]) == ("clear", "unmapped"), "nobody knows its consequences"
    with node.bureau.store.read() as conn:
        state = node.bureau.logs.state(conn, node.bureau.origin)
        assert conn.exec_driver_sql("SELECT count(*) FROM logs").scalar_one() == 1
    assert state.origin == f"kunshan-safety/{HOME}/1" and state.size > 5
    node.home.put(relief("r1", card, "修复"))
    net.settle()
    assert node.stages.inquiry.check(company(1), DAY)["standing"] == "clear" and not node.home.in_force(company(1))
    net.close()


def test_without_a_demonstration_only_advice_follows(tmp_path: Path) -> None:
    def url(code: str) -> str:
        return f"sqlite:///{tmp_path / code / 'syncd.db'}"

    net = network(tmp_path, url, [HOME], allow_candidates=False, agreement=read_agreement(FOLDER))
    node = net.nodes[HOME]
    node.home.put(penalty("1", company(1), "AQ-Y", HOME))
    net.settle()
    found = node.stages.inquiry.check(company(1), DAY)
    assert found["standing"] == "noted" and not found["demonstration"]
    assert node.home.in_force(company(1)) == {"SY-06", "SY-07"}, "审慎性参考: no article was read for the other six"
    net.close()


def test_its_source_has_a_facts_page_of_its_own() -> None:
    facts = parse_facts((ROOT / "config" / "sources" / "kunshan-safety.toml").read_bytes())
    assert facts.illustrative and facts.publisher.name == "昆山市应急管理局" and facts.place == HOME
