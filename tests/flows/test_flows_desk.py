"""What leaves the desk has gone: a decision closes an item, or the end of its cause; never that it was looked at."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from network import THREE, Json, Node, agreement_of, company, network, penalty, relief

from adapters.base import AckFault, AckPage
from syncd.agreement.model import Agreement
from syncd.flows import respond
from syncd.flows.answer import Answer, Case, Rules, answer
from syncd.flows.record import Saying, record, sign
from syncd.store import desk

DAY = dt.date(2026, 11, 22)
HOME = "320583"
Urls = Callable[[str], str]
CODE = "KS-0104"


def open_items(node: Node) -> dict[str, int]:
    """Numbers of the open items by kind."""
    with node.bureau.store.read() as conn:
        return {item.kind: item.id for item in desk.listing(conn)}


def release(node: Node, item: int) -> Json:
    result: Json = node.stages.work._decide.run(item, True, 1001, "operator_request")
    return result


def still_open(node: Node) -> set[int]:
    """Numbers of the open items."""
    with node.bureau.store.read() as conn:
        return {item.id for item in desk.listing(conn)}


def read_all(node: Node) -> None:
    """Have the whole source read again."""
    assert node.stages.collect is not None
    with node.bureau.store.write() as conn:
        node.stages.collect.read_again(conn)


def without_rule() -> Agreement:
    """The shipped agreement, where the home region has no rule for EP-04."""
    agreement = agreement_of(THREE)
    region = agreement.regions[HOME]
    rules = {code: rule for code, rule in region.rules.items() if code != "EP-04"}
    return replace(agreement, regions={**agreement.regions, HOME: replace(region, rules=rules)})


def for_agencies() -> Agreement:
    """The shipped agreement, where the home region's code for EP-04 names agencies, which EP-04 does not reach."""
    agreement = agreement_of(THREE)
    region = agreement.regions[HOME]
    codes = {**region.local_codes, CODE: replace(region.local_codes[CODE], subject_type="MONITORING_AGENCY")}
    return replace(agreement, regions={**agreement.regions, HOME: replace(region, local_codes=codes)})


def breaks_at_home(case: Case, rules: Rules) -> Answer:
    if rules.region == HOME:
        raise RuntimeError("a judge that fails")
    return answer(case, rules)


@pytest.mark.parametrize(
    ("reason", "local_code", "agreement"),
    [
        ("unmapped", "KS-9999", lambda: None),
        ("no_rule", CODE, without_rule),
        ("subject_type", CODE, for_agencies),
    ],
)
def test_a_finding_that_is_judged_again_to_the_same_end_stays_on_the_desk(
    tmp_path: Path, store_urls: Urls, reason: str, local_code: str, agreement: Callable[[], Agreement | None]
) -> None:
    net = network(tmp_path, store_urls, agreement=agreement())
    node = net.nodes[HOME]
    node.home.put(penalty("101", company(1), local_code, HOME))
    net.settle()
    item = open_items(node)[reason]
    result = release(node, item)
    assert result["state"] == "open" and f"still {reason}: the item stays open" in result["done"]
    assert open_items(node) == {reason: item}
    net.settle()
    assert open_items(node) == {reason: item}


def test_what_broke_its_judge_stays_on_the_desk_until_it_can_be_judged_and_comes_back(
    tmp_path: Path, store_urls: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = network(tmp_path, store_urls)
    node = net.nodes[HOME]
    node.home.put(penalty("101", company(1), CODE, HOME))
    with monkeypatch.context() as broken:
        broken.setattr(respond, "answer", breaks_at_home)
        net.settle()
        assert release(node, open_items(node)["exception"])["state"] == "open"
        item = open_items(node)["exception"]
    assert release(node, item)["state"] == "cleared"
    assert open_items(node) == {} and node.stages.inquiry.check(company(1), DAY)["standing"] == "restricted"


def test_what_was_released_and_was_changed_since_is_asked_again(tmp_path: Path, store_urls: Urls) -> None:
    """A release is of the finding as it was: what its bureau amended is held for review once more, in sight."""
    net = network(tmp_path, store_urls)
    node = net.nodes[HOME]
    codes = node.bureau.agreement.regions[HOME].local_codes.values()
    code = next(one.code for one in codes if one.criterion == "EP-A6")
    node.home.put(penalty("101", company(1), code, HOME))
    net.settle()
    assert release(node, open_items(node)["review"])["state"] == "released"
    assert open_items(node) == {}
    changed = penalty("101", company(1), code, HOME, CF_NR_FK="3", GXSJ="2026-11-23 08:00:00.000000")
    node.home.put(changed)
    net.settle()
    assert node.stages.inquiry.check(company(1), DAY)["standing"] == "clear"
    assert list(open_items(node)) == ["review"]


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"XF_RQ": "2026-02-30"}, "XF_RQ", "no_such_day"),
        ({"XF_RQ": "abc"}, "XF_RQ", "format"),
        ({"XF_RQ": "1900-01-01"}, "XF_RQ", "sentinel"),
        ({"XF_RQ": "2020-01-01"}, "XF_RQ", "before_decision"),
        ({"XF_LX": "公司已经整改", "XF_WS": "文" * 129}, "XF_LX XF_WS", "invalid"),
    ],
)
def test_what_is_wrong_beside_relief_is_seen_and_keeps_no_relief_back(
    tmp_path: Path, store_urls: Urls, changes: dict[str, str], field: str, reason: str
) -> None:
    net = network(tmp_path, store_urls)
    node = net.nodes[HOME]
    row = penalty("101", company(1), CODE, HOME)
    node.home.put(row, relief("r1", row, "修复", **changes))
    net.settle()
    assert node.stages.inquiry.check(company(1), DAY)["standing"] == "clear"
    with node.bureau.store.read() as conn:
        [item] = desk.listing(conn)
    facts = desk.facts_of(item)
    assert (item.kind, item.reason, facts["row"], facts["field"]) == ("relief_fault", reason, "relief/r1", field)
    read_all(node)
    net.settle()
    assert open_items(node) == {"relief_fault": item.id}, "the row is still as it was"
    assert release(node, item.id)["state"] == "released" and open_items(node) == {}
    node.home.put(relief("r1", row, "撤销", **changes))
    net.settle()
    assert open_items(node) == {"relief_fault": item.id}, "a new version with a fault is asked about anew"
    node.home.put(relief("r1", row, "修复"))
    net.settle()
    assert open_items(node) == {}


def test_what_is_wrong_beside_relief_that_waits_is_seen_until_it_is_corrected(tmp_path: Path, store_urls: Urls) -> None:
    net = network(tmp_path, store_urls)
    node = net.nodes[HOME]
    row = penalty("101", company(1), CODE, HOME)
    node.home.put(relief("r1", row, "修复", XF_RQ="abc"))
    net.settle()
    assert open_items(node).keys() == {"relief_fault", "relief_waiting"}
    node.home.put(row)
    net.settle()
    assert node.stages.inquiry.check(company(1), DAY)["standing"] == "clear"
    assert open_items(node).keys() == {"relief_fault"}


@pytest.mark.parametrize("decided", [False, True])
def test_what_was_wrong_while_relief_waited_stands_beside_what_its_finding_shows(
    tmp_path: Path, store_urls: Urls, decided: bool
) -> None:
    net = network(tmp_path, store_urls)
    node = net.nodes[HOME]
    row = penalty("101", company(1), CODE, HOME)
    node.home.put(relief("r1", row, "修复", XF_RQ="2020-01-01", XF_LX="公司已经整改"))
    net.settle()
    item = open_items(node)["relief_fault"]
    if decided:
        release(node, item)
    node.home.put(row)
    net.settle()
    with node.bureau.store.read() as conn:
        [one] = desk.listing(conn)
    facts = desk.facts_of(one)
    expected = ("XF_RQ", "before_decision") if decided else ("XF_LX XF_RQ", "invalid")
    assert (one.id, facts["field"], one.reason) == (item, *expected)
    assert "lies before the decision" in facts["sentence"]
    assert facts["sentence"].count(".") == (1 if decided else 2), "what a person has decided is not asked again"


def test_what_puts_a_finding_in_force_again_from_a_day_before_its_decision_is_kept_back(
    tmp_path: Path, store_urls: Urls
) -> None:
    net = network(tmp_path, store_urls)
    node = net.nodes[HOME]
    row = penalty("101", company(1), CODE, HOME)
    node.home.put(row, relief("r1", row, "中止"))
    net.settle()
    node.home.put(relief("r2", row, "恢复", XF_RQ="2020-01-01"))
    net.settle()
    assert node.stages.inquiry.check(company(1), DAY)["standing"] == "clear"
    assert open_items(node).keys() == {"relief_fault"}
    with node.bureau.store.read() as conn:
        assert "not said and the mark stays" in desk.facts_of(desk.listing(conn)[0])["sentence"]
    answer = release(node, open_items(node)["relief_fault"])
    assert "stands as it was read" not in answer["done"] and "was not said" in answer["done"]
    assert node.stages.inquiry.check(company(1), DAY)["standing"] == "clear"
    node.home.put(relief("r2", row, "恢复"))
    net.settle()
    assert node.stages.inquiry.check(company(1), DAY)["standing"] == "restricted" and open_items(node) == {}


def test_a_quarantined_row_stays_on_the_desk_until_it_was_really_read_again(tmp_path: Path, store_urls: Urls) -> None:
    net = network(tmp_path, store_urls)
    node = net.nodes[HOME]
    good = penalty("101", company(1), CODE, HOME)
    node.home.put(penalty("101", "bad", CODE, HOME), penalty("102", "bad", CODE, HOME))
    net.settle()
    with node.bureau.store.read() as conn:
        items = {desk.facts_of(item)["row"]: item.id for item in desk.listing(conn)}
    node.home.down = True
    result = release(node, items["101"])
    net.settle()
    assert result["state"] == "open" and "to be read again" in result["done"]
    assert still_open(node) == set(items.values())
    node.home.down = False
    net.settle()
    assert still_open(node) == set(items.values()), "it was read, and is as bad as before"
    node.home.put(good)
    net.settle()
    assert still_open(node) == {items["102"]}
    node.home.remove("102")
    release(node, items["102"])
    net.settle()
    assert still_open(node) == set()


def test_what_is_released_of_acknowledgements_is_closed_until_it_happens_again(
    tmp_path: Path, store_urls: Urls
) -> None:
    """They are read once, so nothing else could take the item away."""
    net = network(tmp_path, store_urls)
    node = net.nodes[HOME]
    restrict = node.stages.restrict
    assert restrict is not None
    read = []

    def faulty(cursor: Json | None) -> AckPage:
        read.append(cursor)
        return AckPage([], {"read": len(read)}, False, [AckFault(f"HZ_{len(read)}.csv:2", "HZ_ZT", "unknown_value")])

    node.home.acknowledgements = faulty
    restrict.acknowledgements()
    item = open_items(node)["quarantine"]
    assert release(node, item)["state"] == "released" and open_items(node) == {}
    restrict.acknowledgements()
    assert open_items(node) == {"quarantine": item}


def test_an_entry_that_still_cannot_be_read_stays_on_the_desk(tmp_path: Path, store_urls: Urls) -> None:
    net = network(tmp_path, store_urls)
    node, third = net.nodes[HOME], net.nodes["310114"]
    with node.bureau.store.write() as conn:
        record(node.bureau, conn, [Saying("weather.reported", None, public={"schema": "weather/1.0"})])
    sign(node.bureau)
    net.settle()
    item = open_items(third)["unreadable"]
    release(third, item)
    net.settle()
    assert open_items(third) == {"unreadable": item}


def test_the_own_log_is_recognised_to_its_end_after_feedback(tmp_path: Path, store_urls: Urls) -> None:
    net = network(tmp_path, store_urls)
    node = net.nodes[HOME]
    node.home.silent = True
    node.home.put(penalty("101", company(1), CODE, HOME))
    net.settle()
    node.home.silent, node.rung = False, set()
    assert node.stages.restrict is not None
    node.stages.restrict.acknowledgements()
    assert {"share", "recognise"} <= node.rung
