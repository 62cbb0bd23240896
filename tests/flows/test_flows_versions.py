"""Several versions of the agreement: adopted by all on its day, held until both have it, old findings as judged."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from network import THREE, Network, Node, agreement_of, company, found, network, opened, penalty, relief, version_of

from syncd.errors import NeedsPerson
from syncd.flows.adopt import adopted
from syncd.flows.record import Saying, record, sign
from syncd.flows.rejudge import Rejudge
from syncd.flows.respond import respond
from syncd.flows.startup import establish
from syncd.ledger.entry import parse_entry
from syncd.ledger.policy import parse_policy
from syncd.ledger.wire import decode_records, decompress
from syncd.store import desk, register, versions
from syncd.store.checkpoints import countersigned_by_all, final_size

DAY, LATER = dt.date(2026, 11, 22), dt.date(2026, 12, 1)
HOME, OTHER, THIRD = "320583", "320585", "310114"
CHANGED = ("regions/320585.toml", 'id = "TC-R-EP-04"\ncriterion = "EP-04"\nmode = "automatic"\nmonths = 24',
           'id = "TC-R-EP-04"\ncriterion = "EP-04"\nmode = "automatic"\nmonths = 12')  # fmt: skip


RULE = (
    '[[rules]]\nid = "TC-R-EP-04"\ncriterion = "EP-04"\nmode = "automatic"\nmonths = 24\n'
    'measures = ["MA-04", "SF-01", "PP-03", "FS-05"]\n'
)
NO_RULE = ("regions/320585.toml", RULE, "")


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str]) -> Network:
    return network(tmp_path, store_urls)


def standing(node: Node, uscc: str, day: dt.date = DAY) -> str:
    return str(node.stages.inquiry.check(uscc, day)["standing"])


def on_desk(node: Node) -> dict[str, int]:
    with node.bureau.store.read() as conn:
        return desk.counts(conn)


def sign_at(net: Network, version: int, *codes: str) -> None:
    for code in codes:
        net.nodes[code].stages.adopt.adopt(version, 1001, "operator_request")
    net.settle(collect=False)


def until(node: Node, uscc: str, day: dt.date) -> str:
    return str(node.stages.inquiry.check(uscc, day)["until"])


def test_a_version_is_in_force_on_its_day_once_all_have_adopted_it(net: Network) -> None:
    second = version_of(THREE, 2, "2026-12-01", CHANGED)
    net.versions = {code: [second] for code in THREE}
    net.settle()
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    sign_at(net, 2, HOME, OTHER)
    net.now = dt.datetime(2026, 12, 2, 1, tzinfo=dt.UTC)
    net.settle(collect=False)
    assert {node.bureau.agreement.version for node in net.nodes.values()} == {1}, "one has not adopted it"
    sign_at(net, 2, THIRD)
    assert {node.bureau.agreement.version for node in net.nodes.values()} == {2}
    assert {node.bureau.timeline.since[2] for node in net.nodes.values()} == {dt.date(2026, 12, 2)}
    net.nodes[HOME].home.put(penalty("102", company(2), "KS-0104", HOME))
    net.settle()
    assert until(net.nodes[OTHER], company(1), LATER) == "2028-11-02", "judged by version 1, as it was"
    assert until(net.nodes[OTHER], company(2), dt.date(2026, 12, 2)) == "2027-11-02"
    with pytest.raises(NeedsPerson, match="not later"):
        net.nodes[HOME].stages.adopt.adopt(2, 1001, "operator_request")


def test_an_adoption_that_could_not_be_written_is_taken_up_at_the_next_look(net: Network) -> None:
    net.versions = {code: [version_of(THREE, 2, "2026-11-01")] for code in THREE}
    net.settle()
    sign_at(net, 2, HOME, OTHER)
    bureau = net.nodes[HOME].bureau
    known = bureau.timeline
    bureau.timeline = known.__class__((version_of(THREE, 1, "2019-12-30", CHANGED), *known.held[1:]), known.since)
    with pytest.raises(NeedsPerson, match="another version"):  # once it has read of it, before it has written of it
        sign_at(net, 2, THIRD)
    bureau.timeline = known
    net.settle(collect=False)
    assert bureau.agreement.version == 2, "no other entry, day or start was needed"


def test_it_waits_for_its_date_and_changes_at_midnight_in_shanghai(net: Network) -> None:
    net.versions = {code: [version_of(THREE, 2, "2026-12-01")] for code in THREE}
    net.settle()
    sign_at(net, 2, *THREE)
    net.now = dt.datetime(2026, 11, 30, 15, 59, tzinfo=dt.UTC)
    net.settle(collect=False)
    assert {node.bureau.agreement.version for node in net.nodes.values()} == {1}
    net.now = dt.datetime(2026, 11, 30, 16, 0, tzinfo=dt.UTC)
    net.settle(collect=False)
    assert {node.bureau.agreement.version for node in net.nodes.values()} == {2}


def test_a_node_that_is_behind_holds_and_countersigns_and_goes_on_by_itself(net: Network) -> None:
    old = penalty("101", company(1), "KS-0104", HOME)
    net.nodes[HOME].home.put(old)
    net.versions = {code: [version_of(THREE, 2, "2026-11-01")] for code in THREE}
    net.settle()
    behind, ahead = net.nodes[OTHER], net.nodes[HOME]
    net.links[THIRD, OTHER].down = True  # it does not hear that the third has adopted it too
    sign_at(net, 2, *THREE)
    assert ahead.bureau.agreement.version == 2 and behind.bureau.agreement.version == 1
    ahead.home.put(penalty("102", company(2), "KS-0104", HOME), relief("r1", old, "修复"))
    net.settle()
    assert standing(behind, company(1)) == "clear", "relief is never delayed by a version"
    assert not behind.home.in_force(company(1))
    assert standing(behind, company(2)) == "clear"
    assert on_desk(behind) == {"version": 1} and on_desk(ahead) == {"version_at_peer": 1}
    with ahead.bureau.store.read() as conn:
        size = ahead.bureau.logs.state(conn, ahead.bureau.origin).size
        assert countersigned_by_all(conn, ahead.bureau.origin)[OTHER] == size, "holding is not understanding"
    net.links[THIRD, OTHER].down = False
    net.settle(collect=False)
    behind.stages.recognise.reconsider()  # the daemon's bell
    net.settle(collect=False)
    assert standing(behind, company(2)) == "restricted" and behind.bureau.agreement.version == 2
    assert on_desk(behind) == {} and on_desk(ahead) == {}


def test_a_changed_text_of_a_known_version_is_never_taken_up(net: Network) -> None:
    node = net.nodes[HOME]
    net.versions = {HOME: [version_of(THREE, 1, "2026-11-01", CHANGED)]}
    before = node.bureau.agreement
    net.settle()
    assert node.bureau.agreement is before
    changed = version_of(THREE, 1, "2026-11-01", CHANGED)
    node.bureau.take(node.bureau.timeline.__class__((changed,), {1: dt.date.min}))
    with pytest.raises(NeedsPerson, match="another version"):
        establish(node.bureau)


def test_an_adoption_that_names_other_keys_counts_for_nothing(net: Network) -> None:
    second = version_of(THREE, 2, "2026-11-01")
    net.versions = {code: [second] for code in THREE}
    net.settle()
    sign_at(net, 2, HOME, OTHER)
    bureau = net.nodes[THIRD].bureau
    said = adopted(bureau, second)
    said["members"][1]["keys"]["log"] = bureau.members[OTHER].log.vkey
    with bureau.store.write() as conn:
        record(bureau, conn, [Saying("agreement.adopted", None, public=said)])
    sign(bureau)
    net.settle(collect=False)
    assert {node.bureau.agreement.version for node in net.nodes.values()} == {1}
    sign_at(net, 2, THIRD)
    assert {node.bureau.agreement.version for node in net.nodes.values()} == {2}


FOUR = (*THREE, "320507")


def test_a_fourth_member_joins_by_a_version_that_names_it(tmp_path: Path, store_urls: Callable[[str], str]) -> None:
    joins = version_of(FOUR, 2, "2026-12-01")
    found(tmp_path, FOUR)
    under = {code: agreement_of(THREE) for code in THREE} | {FOUR[3]: joins}
    net = opened(tmp_path, store_urls, FOUR, founded_under=lambda code: under[code])
    net.versions = {code: [agreement_of(THREE), joins] for code in FOUR}
    net.versions[HOME] = []
    net.establish()
    fourth = net.nodes[FOUR[3]]
    assert shown(net, FOUR[3], "entries?from=0&count=9").status == 403, "no version held there names it"
    net.versions[HOME] = net.versions[OTHER]
    net.settle(collect=False)
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    fourth.home.put(penalty("401", company(4), "KS-0104", FOUR[3]))
    net.settle()
    assert standing(net.nodes[OTHER], company(1)) == "restricted"
    assert standing(fourth, company(1)) == "clear" and standing(fourth, company(4)) == "clear", "it is no member yet"
    sign_at(net, 2, *THREE)
    net.now = dt.datetime(2026, 12, 1, 1, tzinfo=dt.UTC)
    net.settle(collect=False)
    net.nodes[HOME].home.put(penalty("102", company(2), "KS-0104", HOME))
    net.settle()
    assert {node.bureau.agreement.tag for node in net.nodes.values()} == {joins.tag}
    assert standing(fourth, company(1), LATER) == "clear", "a finding of version 1 owes no answer of a later member"
    assert all(standing(node, company(2), LATER) == "restricted" for node in net.nodes.values())
    assert all(standing(node, company(4), LATER) == "restricted" for node in net.nodes.values())
    assert Rejudge(fourth.bureau).propose(2, 1001, "operator_request")["effects"] == {"newly_restricted": 1}
    fourth.stages.work._decide.run(proposals(fourth)[company(1)][0], True, 1001, "operator_request")
    net.settle(collect=False)
    assert standing(fourth, company(1), LATER) == "restricted", "a person let it follow there too"
    with net.nodes[HOME].bureau.store.read() as conn:
        own = net.nodes[HOME].bureau
        signed = countersigned_by_all(conn, own.origin)
        assert signed[FOUR[3]] == own.logs.state(conn, own.origin).size
        adoption = [row for row in versions.adoptions(conn) if row.code == HOME][-1].body
    named = {one["code"]: one["from_sizes"] for one in adoption["members"]}
    assert named[OTHER] == [] and {one["log"] for one in named[FOUR[3]]} == set(own.origins)


def test_a_member_that_leaves_is_sealed_and_its_findings_end_that_day(net: Network) -> None:
    stays = (THIRD, HOME)
    net.versions = {code: [version_of(stays, 2, "2026-12-01")] for code in stays}
    rows = {code: penalty(key, company(int(key)), local, code)
            for code, key, local in ((HOME, "101", "KS-0104"), (OTHER, "102", "TC-A04"))}  # fmt: skip
    for code, row in rows.items():
        net.nodes[code].home.put(row)
    net.settle()
    sign_at(net, 2, *stays)
    assert standing(net.nodes[HOME], company(102)) == "restricted"
    assert standing(net.nodes[HOME], company(102), LATER) == "clear", "known before the day comes"
    net.now = dt.datetime(2026, 12, 1, 1, tzinfo=dt.UTC)
    net.nodes[OTHER].home.put(penalty("103", company(103), "TC-A04", OTHER))
    for node in (net.nodes[THIRD], net.nodes[HOME]):
        node.stages.adopt.step()
    with pytest.raises(NeedsPerson, match="403"):
        net.settle()
    for code in stays:
        net.links[OTHER, code].down = True
    net.settle()
    for code in stays:
        node = net.nodes[code]
        assert standing(node, company(102), LATER) == "clear" and not node.home.in_force(company(102))
        assert standing(node, company(101), LATER) == "restricted"
        assert standing(node, company(103), LATER) == "clear"
    node = net.nodes[HOME].bureau
    with node.store.read() as conn:
        entries = node.logs.read_entries(conn, node.origin, 0, node.logs.state(conn, node.origin).size)
        sealed = [parse_entry(row.leaf) for row in entries if row.kind == "log.sealed"]
    assert [one.body["log"] for one in sealed] == [f"jiakuntai-eco/{OTHER}/1"]
    assert sealed[0].body["successor"] is None and sealed[0].agreement == node.agreement.tag
    policy = parse_policy(net.nodes[HOME].stages.serve.static(node.origin, "trust.policy").body)
    assert policy.groups["members"][1] == list(stays), "no quorum waits for it"
    assert policy.sealed.keys() == {f"jiakuntai-eco/{OTHER}/1"} and len(policy.logs) == 3, (
        "what it said is verified still"
    )
    with node.store.read() as conn:
        assert final_size(conn, node.origin, node.owing) == node.logs.state(conn, node.origin).size


def shown(net: Network, code: str, path: str) -> Any:
    """What home answers a member that asks it for its own log."""
    return net.links[code, HOME].get(net.nodes[HOME].bureau.origin, path)


def disclosed(net: Network, code: str) -> bytes:
    """All disclosures of home's log that a member is shown."""
    answer = shown(net, code, "entries?from=0&count=512")
    if answer.status == 403:
        return b""
    return b"".join(one.disclosure for one in decode_records(decompress(answer.body), 0))


def test_a_member_that_has_left_is_shown_no_disclosure_any_more(net: Network) -> None:
    stays = (THIRD, HOME)
    net.versions = {code: [version_of(stays, 2, "2026-12-01")] for code in stays}
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    sign_at(net, 2, *stays)
    assert company(1).encode() in disclosed(net, OTHER), "until that day it is a member"
    net.now = dt.datetime(2026, 12, 1, 1, tzinfo=dt.UTC)
    for code in stays:
        net.links[OTHER, code].down = True
    net.settle(collect=False)
    net.nodes[HOME].home.put(penalty("102", company(2), "KS-0104", HOME))
    net.settle()
    net.links[OTHER, HOME].down = False
    assert company(2).encode() in disclosed(net, THIRD)
    assert shown(net, OTHER, "entries?from=0&count=9").status == 403 and disclosed(net, OTHER) == b""
    for path in ("checkpoint", "trust.policy", "tile/0/000.p/1", "tile/entries/000.p/1"):
        assert shown(net, OTHER, path).status == 200, "what it countersigned it can still verify"


def test_a_node_that_has_left_ends_what_it_imposed_under_the_agreement(net: Network) -> None:
    stays = (THIRD, HOME)
    net.versions = {code: [version_of(stays, 2, "2026-12-01")] for code in THREE}
    net.nodes[HOME].home.put(penalty("101", company(101), "KS-0104", HOME))
    net.settle()
    left = net.nodes[OTHER]
    assert left.home.in_force(company(101))
    sign_at(net, 2, *stays)
    net.now = dt.datetime(2026, 12, 1, 1, tzinfo=dt.UTC)
    left.home.put(penalty("103", company(103), "TC-A04", OTHER))
    net.settle(collect=False)
    net.settle()
    assert not left.bureau.acts and left.bureau.agreement.version == 1
    assert not left.home.in_force(company(101)) and standing(left, company(101), LATER) == "clear"
    assert left.stages.inquiry.check(company(103), LATER)["findings"] == []


def test_an_explanation_is_the_same_after_the_text_has_changed(net: Network) -> None:
    net.versions = {code: [version_of(THREE, 2, "2026-12-01", CHANGED)] for code in THREE}
    row = penalty("101", company(1), "KS-0104", HOME)
    net.nodes[HOME].home.put(row)
    net.settle()
    before = net.nodes[OTHER].stages.inquiry.explain(company(1), DAY)
    sign_at(net, 2, *THREE)
    net.now = dt.datetime(2026, 12, 1, 1, tzinfo=dt.UTC)
    net.settle(collect=False)
    assert net.nodes[OTHER].bureau.agreement.version == 2
    after = net.nodes[OTHER].stages.inquiry.explain(company(1), DAY)
    assert _without_receipts(after) == _without_receipts(before)
    rule = next(step for step in after["findings"][0]["steps"] if step["step"] == "rule")
    assert rule["months"] == 24, "by the text that judged it"
    net.nodes[HOME].home.put(relief("r1", row, "修复", XF_RQ="2026-12-01"))
    net.settle()
    later = net.nodes[OTHER].stages.inquiry.explain(company(1), DAY)
    assert later["standing"] == "restricted", "on that day it was"
    assert [step["later"] for step in later["findings"][0]["steps"] if step["step"] == "relief"] == [True]


def _without_receipts(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {name: _without_receipts(value) for name, value in answer.items() if name not in ("receipts", "home")}
    return [_without_receipts(one) for one in answer] if isinstance(answer, list) else answer


def proposals(node: Node) -> dict[str, Any]:
    """Open proposals to judge anew, by organisation."""
    with node.bureau.store.read() as conn:
        found = [row for row in desk.listing(conn) if row.kind == "rejudge"]
    return {orjson.loads(row.facts)["uscc"]: (row.id, orjson.loads(row.facts)) for row in found}


def test_judging_anew_is_proposed_and_a_person_releases_it_one_by_one(net: Network) -> None:
    net.versions = {code: [version_of(THREE, 2, "2026-12-01", CHANGED)] for code in THREE}
    node = net.nodes[OTHER]
    net.nodes[HOME].home.put(*[penalty(str(n), company(n), "KS-0104", HOME) for n in (1, 2)])
    net.settle()
    with pytest.raises(NeedsPerson, match="not in force"):
        Rejudge(node.bureau).propose(2, 1001, "operator_request")
    sign_at(net, 2, *THREE)
    net.now = dt.datetime(2026, 12, 1, 1, tzinfo=dt.UTC)
    net.settle(collect=False)
    at_home = Rejudge(net.nodes[HOME].bureau).propose(2, 1001, "operator_request")
    assert at_home["proposed"] == 0, "its rules are the same"
    assert Rejudge(node.bureau).propose(2, 1001, "operator_request")["effects"] == {"changed": 2}
    item, facts = proposals(node)[company(1)]
    assert (facts["until_was"], facts["until_now"]) == ("2028-11-02", "2027-11-02")
    node.stages.work._decide.run(item, True, 1001, "operator_request")
    node.stages.work._decide.run(proposals(node)[company(2)][0], False, 1001, "operator_request")
    net.settle(collect=False)
    assert until(node, company(1), LATER) == "2027-11-02" and until(node, company(2), LATER) == "2028-11-02"
    steps = node.stages.inquiry.explain(company(1), LATER)["findings"][0]["steps"]
    assert next(step for step in steps if step["step"] == "rule")["months"] == 12
    assert [step["kind"] for step in steps if step["step"] == "released"] == ["version-2"]
    with node.bureau.store.write() as conn:
        respond(node.bureau, conn, [row.leaf for row in register.findings_of(conn)])
    assert until(node, company(1), LATER) == "2027-11-02", "what was released for a version stays"


def test_a_version_that_restricts_no_more_lifts_only_what_is_released(net: Network) -> None:
    second = version_of(THREE, 2, "2026-11-01", NO_RULE)
    net.versions = {code: [second] for code in THREE}
    net.nodes[HOME].home.put(penalty("1", company(1), "KS-0104", HOME))
    net.settle()
    sign_at(net, 2, *THREE)
    node = net.nodes[OTHER]
    assert standing(node, company(1)) == "restricted", "judged by version 1"
    Rejudge(node.bureau).propose(2, 1001, "operator_request")
    item, facts = proposals(node)[company(1)]
    assert (facts["effect"], facts["gained"]) == ("released", [])
    node.stages.work._decide.run(item, True, 1001, "operator_request")
    net.settle(collect=False)
    assert standing(node, company(1)) == "clear" and not node.home.in_force(company(1))
    (finding,) = node.stages.inquiry.check(company(1), DAY)["findings"]
    assert finding["reason"] == "version_2"
    with node.bureau.store.write() as conn:
        assert respond(node.bureau, conn, [row.leaf for row in register.findings_of(conn)]) == 0
