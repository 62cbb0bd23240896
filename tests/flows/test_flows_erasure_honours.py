"""An honour is erased as a finding is: everywhere, by its own bureau's order, and no road brings it back."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from network import ORGAN, Network, company, network, penalty
from sqlalchemy import select
from test_flows_erasure import HOME, OTHER, THIRD, ask, order, shown, texts

from syncd.errors import NeedsPerson
from syncd.evidence.audit import audit
from syncd.evidence.books import Evidence
from syncd.evidence.node_log import logs_of
from syncd.flows.honour import Honouring
from syncd.ledger.trust import plain_trust
from syncd.store import jobs
from syncd.store.honour_tables import honours
from syncd.store.tables import metadata

DAY = dt.date(2026, 11, 22)
NAME, NUMBER = "昆山待删诚信有限公司", "昆诚〔2026〕删号"
TRACES = (company(1), NAME, NUMBER)


def grant(net: Network, n: int = 1, code: str = HOME, **changes: Any) -> bytes:
    args = {"uscc": company(n), "honour": "HN-RED", "name": NAME if n == 1 else "昆山留存有限公司",
            "number": NUMBER if n == 1 else "昆诚〔2026〕2号", "organ": ORGAN, "on": "2026-11-01",
            "published": "2026-11-05", "until": "2027-10-31", "account": 7, "ground": "operator_request",
            **changes}  # fmt: skip
    done = Honouring(net.nodes[code].bureau).run("honour.grant", args, lambda conn, result: None)
    net.settle(collect=False)
    return bytes.fromhex(done["entry"])


def named(net: Network) -> dict[str, list[str]]:
    """Where a row of a store still names it."""
    found: dict[str, list[str]] = {}
    for code, node in net.nodes.items():
        with node.bureau.store.read() as conn:
            for table in metadata.sorted_tables:
                if any(word in str(value) for row in conn.execute(select(table)) for value in row for word in TRACES):
                    found.setdefault(code, []).append(table.name)
    return found


def forgotten(net: Network) -> None:
    assert named(net) == {}
    told = b"".join(texts(net)).decode()
    assert not any(word in told for word in TRACES) and company(2) in told
    for node in net.nodes.values():
        assert node.stages.inquiry.check(company(1), DAY)["honours"] == []
        assert node.stages.inquiry.check(company(2), DAY)["honours"]


def test_an_honour_is_erased_by_every_holder(tmp_path: Path, store_urls: Callable[[str], str]) -> None:
    net = network(tmp_path, store_urls)
    leaf, kept = grant(net), grant(net, 2)
    assert set(named(net)) == set(net.nodes), "before, it stands everywhere"
    refused = order(net, leaf)
    assert refused["state"] == "failed" and "--revoke" in refused["result"], "what stands is not erased unawares"
    net.links[HOME, THIRD].down = True
    done = order(net, leaf, revoke=True)
    assert done["state"] == "done", done
    net.settle()
    assert shown(net)["waiting_for"] == [THIRD], "one that was away owes its answer"
    net.links[HOME, THIRD].down = False
    net.settle()
    forgotten(net)
    for code, node in net.nodes.items():
        assert shown(net, code)["waiting_for"] == [] and shown(net, code)["here"] == "closed"
        with node.bureau.store.read() as conn:
            assert [row.leaf for row in conn.execute(select(honours.c.leaf))] == [kept]
            kinds = {row[0] for row in conn.exec_driver_sql("SELECT DISTINCT kind FROM entries")}
        assert not any(kind.startswith("restriction") for kind in kinds), "no region answers an honour, nor its erasure"
        assert not node.home.orders
    assert order(net, leaf)["state"] == "failed", "it is ordered once"
    brought_back_by_no_road(net)
    audited(net)
    net.close()


def brought_back_by_no_road(net: Network) -> None:
    for stage in ("recognise", "share"):
        ask(net, "resync", stage=stage, peer=None, dry_run=False)
    net.settle()
    for node in net.nodes.values():
        assert node.stages.recognise.reconsider() == 0
    forgotten(net)
    with pytest.raises(NeedsPerson, match="erasure was ordered"):
        grant(net)
    grant(net, number="昆诚〔2026〕3号", name="昆山另证有限公司")
    assert all(node.stages.inquiry.check(company(1), DAY)["honours"] for node in net.nodes.values()), "another document"


def audited(net: Network) -> None:
    """Whoever verifies the logs sees it erased, with the order."""
    bureau = net.nodes[OTHER].bureau
    members = {code: (one.log.vkey, one.receipt.vkey) for code, one in bureau.members.items()}
    evidence = Evidence(OTHER, bureau.agreement, plain_trust(bureau.agreement.id, members), bureau.logs)
    with evidence.logs.store.read() as conn:
        report = audit(logs_of(evidence, conn, whole=True), evidence.policy, "", 6, lambda name, count: None)
    assert report.ok, ([one for log in report.logs for one in log.faults], report.issues)
    assert sum(log.disclosures["erased"] for log in report.logs) >= 2, "what granted and what withdrew it"


def test_only_its_own_bureau_orders_it_and_a_finding_stays(tmp_path: Path) -> None:
    net = network(tmp_path, lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}")
    theirs, _ = grant(net, code=OTHER), grant(net, 2)
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    failed = order(net, theirs, revoke=True)
    assert failed["state"] == "failed" and "own log" in failed["result"]
    args = {"finding": theirs.hex(), "ground": "revoked", "number": "1", "revoke": True, "account": 1}
    with net.nodes[OTHER].bureau.store.write() as conn:
        jobs.ask(conn, "erase", args, "1", net.nodes[OTHER].bureau.now_text())
    net.nodes[OTHER].stages.work.step()
    net.settle()
    for node in net.nodes.values():
        answer = node.stages.inquiry.check(company(1), DAY)
        assert answer["honours"] == [] and answer["standing"] == "restricted", "the finding stands as it did"
    net.close()
