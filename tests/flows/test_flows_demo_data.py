"""The demonstration's own month, without what only a demonstration allows: all is shared, nothing imposed, and why."""

import datetime as dt
from pathlib import Path

from network import Network, network

from adapters.base import RawRow
from syncd.demo.generator import generate
from syncd.demo.scenario import Scenario
from syncd.store import outbox

DAY = dt.date(2026, 11, 22)


def with_month(folder: Path, allow_candidates: bool) -> tuple[Network, Scenario]:
    """Three nodes that have read the month's rows and come to rest."""
    net = network(folder, lambda code: f"sqlite:///{folder / code / 'syncd.db'}", allow_candidates=allow_candidates)
    scenario = generate(DAY, None)
    for code, load in scenario.loads.items():
        rows = [RawRow("penalty", row["ID"], dict(row), "month") for row in load.penalties]
        rows += [RawRow("relief", row["ID"], dict(row), "month") for row in load.relief]
        net.nodes[code].home.rows = rows
        net.nodes[code].home.written = len(rows)  # type: ignore[attr-defined]
    net.settle()
    return net, scenario


def test_without_candidates_everything_is_shared_and_nothing_imposed(tmp_path: Path) -> None:
    net, scenario = with_month(tmp_path, False)
    for code, node in net.nodes.items():
        register = node.stages.inquiry.register(None, DAY)
        findings = [finding for one in register for finding in one["findings"]]
        assert len(findings) == len(scenario.findings)
        assert {one["standing"] for one in register} == {"clear"} and not node.home.orders
        with node.bureau.store.read() as conn:
            assert outbox.counts(conn) == {}
            size = node.bureau.logs.state(conn, node.bureau.origin).size
            assert set(node.bureau.logs.countersigned_by_all(conn, node.bureau.origin).values()) == {size}
        why = {finding["reason"] for finding in findings if finding["answer"] == "finding.held"}
        assert {"candidate", "nothing_in_force"} <= why, f"{code} says why nothing follows"
        confirmed = next(finding for finding in findings if finding["reason"] == "nothing_in_force")
        assert all(detail["measure"] for detail in confirmed["details"])
        assert {detail["reason"] for detail in confirmed["details"]} >= {"candidate"}


def test_with_candidates_the_month_restricts_and_every_record_says_so(tmp_path: Path) -> None:
    net, scenario = with_month(tmp_path, True)
    for node in net.nodes.values():
        standings = [one["standing"] for one in node.stages.inquiry.register(None, DAY)]
        assert standings.count("restricted") > 50
        assert {order["CJD_YS"] for order in node.home.orders.values()} == {"演示"}
        texts = scenario.must_not_appear
        assert not any(text in str(order) for order in node.home.orders.values() for text in texts)
