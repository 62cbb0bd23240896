"""Killed while it erases, or while it fetches entries back: started again, it goes on, and nothing is half done."""

import shutil
from pathlib import Path

import front
import verified
from crash_child import HOME, RELIEVED
from network import company, opened
from test_flows_crashes import OF_ERASURES, OF_OLD_STORES, Nodes, Runner, Workshop, run, workshop
from test_flows_recover import renew

from syncd.flows.erasures import listed

__all__ = ["run", "workshop"]
IN_ORDER = ("order_erasure.before_commit", "erase.before_off", "erase.keys_forgotten", "erase.before_clear",
            "erase.before_gone", "erase.before_done")  # fmt: skip


def die(run: Runner, nodes: Nodes, failpoint: str, deed: str) -> None:
    answer = run(nodes, f"{failpoint}:1", rows=deed)
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
