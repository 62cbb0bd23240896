"""Killed in the midst of what a person asked for: started again, the node goes on, and nothing is half done.

An erasure, entries fetched back, a changed key, a sealed log, a later version of the agreement.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import front
import orjson
import verified
from crash_child import HOME, OTHER, RELIEVED
from network import Network, Node, company, find_spare, opened
from test_flows_crashes import OF_DEEDS, OF_ERASURES, OF_OLD_STORES, Nodes, Runner, Workshop, run, workshop
from test_flows_recover import renew

from syncd import keyring
from syncd.flows.erasures import listed
from syncd.ledger.entry import parse_entry
from syncd.ledger.key_history import active
from syncd.ledger.notes import parse_note
from syncd.ledger.policy import lacking, parse_policy, satisfied
from syncd.store import desk

__all__ = ["run", "workshop"]
IN_ORDER = ("order_erasure.before_commit", "erase.before_off", "erase.keys_forgotten", "erase.before_clear",
            "erase.before_gone", "erase.before_done")  # fmt: skip

KEYS = ("keys.added", "keys.retired")
VERSIONS = ("adopt.before_commit:1", "adopt.before_commit:2", "adopt.before_commit:4", "rejudge.after_commit")


def die(run: Runner, nodes: Nodes, failpoint: str, deed: str) -> None:
    answer = run(nodes, failpoint, rows=deed)
    assert answer["killed"], (failpoint, answer["words"])


def well(run: Runner, nodes: Nodes, deed: str) -> None:
    answer = run(nodes, rows=deed)
    assert answer["code"] == 0, answer["words"]


def test_an_erasure_is_killed_at_each_place_and_goes_on(workshop: Workshop, run: Runner) -> None:
    assert set(IN_ORDER) == OF_ERASURES
    nodes = workshop.nodes(began=True)
    for place in IN_ORDER:
        die(run, nodes, place, "erase")
    well(run, nodes, "erase")
    net = opened(nodes.folder, nodes.urls.__getitem__, home=front.at(nodes.folder))
    try:
        net.establish()
        net.settle()
        verified.trees(net)
        for code, node in net.nodes.items():
            with node.bureau.store.read() as conn:
                told = listed(node.bureau, conn, node.bureau.today())
            assert [(one["waiting_for"], one["here"]) for one in told] == [([], "closed")], code
            leaf = told[0]["finding"]
            assert {state for (finding, _), state in node.home.ordered().items() if finding == leaf} == {"0"}, "lifted"
            for origin in node.bureau.origins:
                texts = verified.disclosed(node, verified.rows_of(node, origin))
                assert not any(company(RELIEVED).encode() in text for text in texts if text)
    finally:
        net.close()
    for path in nodes.folder.rglob("*.db*"):
        if "front" not in path.name:
            assert company(RELIEVED).encode() not in path.read_bytes(), path


def test_fetching_back_is_killed_between_pages_and_goes_on(workshop: Workshop, run: Runner) -> None:
    nodes = workshop.nodes(began=True)
    database = nodes.folder / HOME / "syncd.db"
    copy = Path(shutil.copy(database, nodes.folder / "copy"))
    well(run, nodes, "second")
    for old in database.parent.glob("syncd.db*"):
        old.unlink()
    shutil.copy(copy, database)
    for place in sorted(OF_OLD_STORES):
        die(run, nodes, place, "recover")
    well(run, nodes, "recover")
    net = opened(nodes.folder, nodes.urls.__getitem__, home=front.at(nodes.folder))
    try:
        net.establish()
        net.settle()
        renew(net)
        net.settle()
        verified.trees(net)
        verified.mirrors(net)
        for node in net.nodes.values():
            verified.findings(node)
            verified.home(node)
    finally:
        net.close()


@contextmanager
def after(nodes: Nodes) -> Iterator[Network]:
    """The nodes started once more, here, and at rest."""
    net = opened(nodes.folder, nodes.urls.__getitem__, home=front.at(nodes.folder))
    try:
        find_spare(net, nodes.folder)
        net.establish()
        net.settle()
        verified.trees(net)
        verified.mirrors(net)
        yield net
    finally:
        net.close()


def said(node: Node, kind: str) -> list[dict[str, Any]]:
    """The bodies of one kind in a node's own log."""
    rows = verified.rows_of(node, node.bureau.origin)
    return [body for row in rows if row.kind == kind and isinstance(body := parse_entry(row.leaf).body, dict)]


def acts(node: Node) -> Counter[str]:
    """What persons asked for at a node, by act, as its log tells it."""
    rows = [row for row in verified.rows_of(node, node.bureau.origin) if row.kind == "operator.acted"]
    return Counter(orjson.loads(text)["body"]["act"] for text in verified.disclosed(node, rows) if text)


def test_a_change_of_keys_is_killed_at_each_place_and_goes_on(workshop: Workshop, run: Runner) -> None:
    nodes = workshop.nodes(began=True)
    keyring.add_signing_key(nodes.folder / HOME / "keys", "log")
    assert {*KEYS, "seal.after_commit", "rejudge.after_commit"} == OF_DEEDS
    for place in KEYS:
        die(run, nodes, place, "rotate")
    with after(nodes) as net:
        new = [key.vkey for key in net.nodes[HOME].bureau.signing("log")]
        for node in net.nodes.values():
            assert active(node.bureau.members[HOME].history(), "log")[-1:] == new and len(new) == 1
            serve = node.stages.serve
            policy = parse_policy(serve.static(net.nodes[HOME].bureau.origin, "trust.policy").body)
            note = parse_note(serve.static(net.nodes[HOME].bureau.origin, "checkpoint").body)
            assert satisfied(policy, note), lacking(policy, note)
        assert len(said(net.nodes[HOME], "key.changed")) == 2 and acts(net.nodes[HOME]) == {"keys.rotate": 1}


def test_a_seal_is_killed_and_stands(workshop: Workshop, run: Runner) -> None:
    nodes = workshop.nodes(began=True)
    die(run, nodes, "seal.after_commit", "seal")
    with after(nodes) as net:
        sealed = net.nodes[OTHER].bureau.origin
        assert net.nodes[HOME].bureau.sealed.keys() == {sealed}
        assert [body["log"] for body in said(net.nodes[HOME], "log.sealed")] == [sealed]
        assert acts(net.nodes[HOME]) == {"keys.seal": 1}


def test_a_change_of_version_is_killed_at_each_place_and_goes_on(workshop: Workshop, run: Runner) -> None:
    nodes = workshop.nodes(began=True)
    for place in VERSIONS:
        die(run, nodes, place, "change")
    well(run, nodes, "change")
    with after(nodes) as net:
        for code, node in net.nodes.items():
            assert node.bureau.agreement.version == 2
            assert [body["version"] for body in said(node, "agreement.adopted")] == [1, 2], "adopted once"
            assert acts(node) == {"agreement.sign": 1} | ({"agreement.replay": 1} if code == OTHER else {})
        with net.nodes[OTHER].bureau.store.read() as conn:
            assert desk.counts(conn)["rejudge"] == 2, "one for each finding, once"
