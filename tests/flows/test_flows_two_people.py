"""Two people 双人复核: where a rule asks for two, no refusal, mapping or later version makes one enough."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from network import THREE, Network, company, network, penalty, version_of

from syncd.errors import NeedsPerson
from syncd.flows.rejudge import Rejudge
from syncd.store import desk, register

Json = dict[str, Any]
HOME, OTHER = "320583", "310114"
DAY = dt.date(2026, 11, 22)


def items(net: Network, code: str, kind: str) -> list[Json]:
    """Open items of a kind on a bureau's desk, with their facts."""
    with net.nodes[code].bureau.store.read() as conn:
        rows = [row for row in desk.listing(conn) if row.kind == kind]
    return [{"id": row.id, **orjson.loads(row.facts)} for row in rows]


def decide(net: Network, code: str, item: int, release: bool = True, account: int = 1001) -> Json:
    result: Json = net.nodes[code].stages.work._decide.run(item, release, account, "desk_decision")
    net.settle()
    return result


def standings(net: Network, uscc: str) -> list[str]:
    return [net.nodes[code].stages.inquiry.check(uscc, DAY)["standing"] for code in THREE]


TWO_PEOPLE = (
    "regions/310114.toml",
    'criterion = "EP-A6"\nmode = "review"',
    'criterion = "EP-A6"\nmode = "review"\npersons = 2',
)


def released_by(net: Network, code: str) -> list[str | None]:
    with net.nodes[code].bureau.store.read() as conn:
        return [one.released_by for by in register.responses_of(conn, None, code).values() for one in by.values()]


def test_two_people_release_where_the_rule_asks_for_two(tmp_path: Path, store_urls: Callable[[str], str]) -> None:
    net = network(tmp_path, store_urls, agreement=version_of(THREE, 1, "2019-12-30", TWO_PEOPLE))
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0199", HOME))
    net.settle()
    [item] = items(net, OTHER, "review")
    assert decide(net, OTHER, item["id"])["state"] == "open"
    net.settle()
    assert standings(net, company(1))[0] == "clear"
    with pytest.raises(NeedsPerson, match="another one must release"):
        decide(net, OTHER, item["id"])
    assert decide(net, OTHER, item["id"], account=1002)["state"] == "released"
    net.settle()
    assert standings(net, company(1))[THREE.index(OTHER)] == "restricted"
    assert released_by(net, OTHER) == ["first:1001/review:1002"]
    net.close()


def test_a_mapping_that_differs_is_no_way_around_the_second_person(
    tmp_path: Path, store_urls: Callable[[str], str]
) -> None:
    net = network(tmp_path, store_urls, agreement=version_of(THREE, 1, "2019-12-30", TWO_PEOPLE))
    net.settle()
    bureau = net.nodes[HOME].bureau
    region = bureau.agreement.regions[HOME]  # its own list reads the code otherwise than the others hold it
    codes = {**region.local_codes, "KS-0104": replace(region.local_codes["KS-0104"], criterion="EP-A6")}
    regions = {**bureau.agreement.regions, HOME: replace(region, local_codes=codes)}
    bureau.agreement = replace(bureau.agreement, regions=regions)
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    [item] = items(net, OTHER, "mapping_differs")
    assert decide(net, OTHER, item["id"])["state"] == "open"
    net.settle()
    assert standings(net, company(1))[THREE.index(OTHER)] == "clear", "one person is not two"
    assert decide(net, OTHER, item["id"], account=1002)["state"] == "released"
    net.settle()
    assert standings(net, company(1))[THREE.index(OTHER)] == "restricted"
    assert released_by(net, OTHER) == ["first:1001/mapping_differs:1002"]


def test_the_second_person_is_asked_for_by_the_version_that_judges(
    tmp_path: Path, store_urls: Callable[[str], str]
) -> None:
    net = network(tmp_path, store_urls, agreement=version_of(THREE, 1, "2019-12-30", TWO_PEOPLE))
    net.versions = {code: [version_of(THREE, 2, "2026-11-01")] for code in THREE}
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0199", HOME))
    net.settle()
    for code in THREE:
        net.nodes[code].stages.adopt.adopt(2, 1001, "operator_request")
    net.settle(collect=False)
    assert net.nodes[OTHER].bureau.agreement.version == 2, "which asks for one person"
    [item] = items(net, OTHER, "review")
    assert decide(net, OTHER, item["id"])["state"] == "open", "the finding is judged by version 1, which asks for two"


def test_a_refusal_takes_the_first_word_back(tmp_path: Path, store_urls: Callable[[str], str]) -> None:
    net = network(tmp_path, store_urls, agreement=version_of(THREE, 1, "2019-12-30", TWO_PEOPLE))
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0199", HOME))
    net.settle()
    [item] = items(net, OTHER, "review")
    assert decide(net, OTHER, item["id"])["state"] == "open"
    assert decide(net, OTHER, item["id"], release=False, account=1003)["state"] == "refused"
    assert released_by(net, OTHER) == [None]
    with net.nodes[OTHER].bureau.store.write() as conn:
        desk.open_again(conn, item["id"])
    assert decide(net, OTHER, item["id"], account=1002)["state"] == "open", "two people look at it anew"
    assert standings(net, company(1))[THREE.index(OTHER)] == "clear"
    assert decide(net, OTHER, item["id"])["state"] == "released"
    assert standings(net, company(1))[THREE.index(OTHER)] == "restricted"
    net.close()


def test_one_persons_word_under_an_earlier_version_is_not_two_peoples(
    tmp_path: Path, store_urls: Callable[[str], str]
) -> None:
    net = network(tmp_path, store_urls)
    shorter = (TWO_PEOPLE[0], TWO_PEOPLE[1] + "\nmonths = 12", TWO_PEOPLE[2] + "\nmonths = 6")
    net.versions = {code: [version_of(THREE, 2, "2026-11-01", shorter)] for code in THREE}
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0199", HOME))
    net.settle()
    [item] = items(net, OTHER, "review")
    assert decide(net, OTHER, item["id"])["state"] == "released", "version 1 asks for one"
    until = net.nodes[OTHER].stages.inquiry.check(company(1), DAY)["until"]
    for code in THREE:
        net.nodes[code].stages.adopt.adopt(2, 1001, "operator_request")
    net.settle(collect=False)
    Rejudge(net.nodes[OTHER].bureau).propose(2, 1001, "operator_request")
    [item] = items(net, OTHER, "rejudge")
    assert decide(net, OTHER, item["id"])["state"] == "open"
    assert released_by(net, OTHER) == ["review:1001"], "nothing was changed by the first"
    assert decide(net, OTHER, item["id"], release=False)["state"] == "refused"
    with net.nodes[OTHER].bureau.store.write() as conn:
        desk.open_again(conn, item["id"])
    assert decide(net, OTHER, item["id"], account=1002)["state"] == "open", "a refusal takes the first word back"
    with pytest.raises(NeedsPerson, match="another one must release"):
        decide(net, OTHER, item["id"], account=1002)
    assert net.nodes[OTHER].stages.inquiry.check(company(1), DAY)["until"] == until
    assert decide(net, OTHER, item["id"], account=1003)["state"] == "released"
    assert released_by(net, OTHER) == ["first:1002/review:1003/version-2:1003"]
    now = net.nodes[OTHER].stages.inquiry.check(company(1), DAY)
    assert now["standing"] == "restricted" and now["until"] < until
    net.close()
