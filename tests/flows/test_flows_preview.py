"""What ``agreement diff --against register`` says before anybody signs is what a real judging anew then does."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from network import THREE, Network, company, network, penalty, relief, version_of

from syncd.agreement.model import Agreement
from syncd.flows.preview import preview
from syncd.flows.rejudge import Rejudge
from syncd.store import desk

DAY = dt.date(2026, 11, 22)
HOME, OTHER, THIRD = "320583", "320585", "310114"
RULE = (
    '[[rules]]\nid = "TC-R-EP-04"\ncriterion = "EP-04"\nmode = "automatic"\nmonths = 24\n'
    'measures = ["MA-04", "SF-01", "PP-03", "FS-05"]\n'
)
WITHOUT = ("regions/320585.toml", RULE, "")  # version 1 has no rule for EP-04 there, version 2 has
REVIEWED = ("regions/320583.toml", 'criterion = "EP-05"\nmode = "automatic"', 'criterion = "EP-05"\nmode = "review"')
SHORTER = ("regions/310114.toml", 'criterion = "EP-04"\nmode = "automatic"\nmonths = 24\nmeasures = ["MA-04", "SF-01"',
           'criterion = "EP-04"\nmode = "automatic"\nmonths = 12\nmeasures = ["MA-04", "MA-08"')  # fmt: skip
Stood = dict[tuple[str, str], dict[str, str]]
"""By region and finding: the measures in force, each with its last day."""
Effect = tuple[str, str, str, tuple[str, ...], tuple[str, ...]]
"""Region, finding, effect, and the measures gained and lost."""


def test_what_is_foretold_is_what_judging_anew_does(tmp_path: Path, store_urls: Callable[[str], str]) -> None:
    one, two = version_of(THREE, 1, "2019-12-30", WITHOUT), version_of(THREE, 2, "2026-11-01", REVIEWED, SHORTER)
    net = network(tmp_path, store_urls, agreement=one)
    net.versions = {code: [two] for code in THREE}
    filled(net)
    told = {code: foretold(net, code, one, two) for code in THREE}
    assert told[HOME] == told[OTHER] == told[THIRD], "every member is told the same"
    before = stood(net)
    for code in THREE:
        net.nodes[code].stages.adopt.adopt(2, 1001, "operator_request")
    net.settle(collect=False)
    assert stood(net) == before, "findings keep the version they were judged by"
    judged_anew(net)
    assert happened(before, stood(net)) == told[HOME]
    kinds = {(region, effect) for region, _, effect, *_ in told[HOME]}
    assert kinds == {(OTHER, "newly_restricted"), (HOME, "released"), (THIRD, "changed")}
    assert len(told[HOME]) == 8, "three findings of EP-04 in two places, two of EP-05 in one"
    net.close()


def filled(net: Network) -> None:
    """Findings of several criteria at two members, of one company two, one repaired, one that is not severe."""
    repaired = penalty("104", company(4), "KS-0104", HOME)
    net.nodes[HOME].home.put(
        penalty("101", company(1), "KS-0104", HOME),
        penalty("102", company(2), "KS-0105", HOME),
        repaired,
        penalty("105", company(5), "KS-0104", HOME),
        penalty("106", company(5), "KS-0105", HOME, CF_WFXW="超标排放大气污染物"),
        penalty("107", company(6), "KS-0106", HOME),
        penalty("108", company(7), "KS-0142X", HOME),
    )
    net.nodes[OTHER].home.put(penalty("103", company(3), "TC-A04", OTHER))
    net.settle()
    net.nodes[HOME].home.put(relief("r4", repaired, "修复"))
    net.settle()


def foretold(net: Network, code: str, one: Agreement, two: Agreement) -> set[Effect]:
    bureau = net.nodes[code].bureau
    with bureau.store.read() as conn:
        rows = list(preview(bureau, conn, one, two, DAY, THREE))
    return {
        (row["region"], row["finding"], row["effect"], tuple(sorted(row["gained"])), tuple(sorted(row["lost"])))
        for row in rows
    }


def stood(net: Network) -> Stood:
    """How each region restricts because of each finding, as its own node says."""
    return {
        (code, one["finding"]): {measure["id"]: measure["to"] for measure in one["measures"]}
        for code, node in net.nodes.items()
        for organisation in node.stages.inquiry.register(None, DAY)
        for one in organisation["findings"]
    }


def judged_anew(net: Network) -> None:
    """Every bureau proposes and releases, until nobody has anything to propose any more."""
    for _ in range(3):
        proposed = 0
        for node in net.nodes.values():
            proposed += Rejudge(node.bureau).propose(2, 1001, "operator_request")["proposed"]
            with node.bureau.store.read() as conn:
                items = [row.id for row in desk.listing(conn) if row.kind == "rejudge"]
            for item in items:
                node.stages.work._decide.run(item, True, 1001, "operator_request")
        net.settle()
        if not proposed:
            return
    raise AssertionError("judging anew does not come to rest")


def happened(before: Stood, after: Stood) -> set[Effect]:
    found: set[Effect] = set()
    for (region, finding), was in before.items():
        now = after[region, finding]
        if was != now:
            effect = "changed" if was and now else "newly_restricted" if now else "released"
            found.add(
                (
                    region,
                    finding,
                    effect,
                    tuple(sorted(now.keys() - was.keys())),
                    tuple(sorted(was.keys() - now.keys())),
                )
            )
    return found
