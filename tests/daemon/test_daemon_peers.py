"""Peers that are away, die, or are somebody else: nothing is lost, nobody waits for a third, nobody is asked."""

import time
from pathlib import Path

from daemon_nodes import FAR, HOME, NEAR, Node, until
from impostor import Impostor, forged, own, serving, stranger

from syncd.keyring import bureau_urn


def restricted(node: Node, rows: list[dict[str, str]]) -> bool:
    """Whether each row's organisation is restricted at a node."""
    return all(node.standing(row["CF_XDR_SHXYM"]) == "restricted" for row in rows)


def test_a_peer_that_is_away_holds_nobody_up_and_catches_up(home: Node, near: Node, far: Node) -> None:
    """Away from the start, where no other test has had it running."""
    rows = home.put(3)
    until(lambda: restricted(home, rows) and restricted(near, rows), "two bureaus restrict while the third is away")
    away = home.peer(FAR)
    assert away["countersigned"] < away["entries"] and "cannot be reached" in away["error"]
    far.start()
    until(lambda: restricted(far, rows), "the third restricts too")
    until(lambda: home.agrees_with(FAR) and near.agrees_with(FAR), "everybody agrees")
    until(lambda: home.peer(FAR)["error"] is None, "and there is nothing to wait for any more")


def test_a_killed_peer_catches_up_without_a_person(home: Node, near: Node) -> None:
    near.kill()
    rows = home.put(5)
    until(lambda: restricted(home, rows), "home restricts")
    until(lambda: home.peer(NEAR)["error"], "it is said that the peer is away")
    near.start()
    until(lambda: restricted(near, rows), "the peer restricts")
    until(lambda: home.agrees_with(NEAR) and near.agrees_with(HOME), "both agree")


def test_a_daemon_killed_between_two_steps_goes_on(home: Node, near: Node) -> None:
    near.stop()
    near.start(SYNCD_FAILPOINT="receive.after_commit:2")
    assert near.process is not None
    rows = home.put(2)
    until(lambda: home.agrees_with(NEAR) or near.process.poll() is not None, "a batch")
    rows += home.put(2)
    assert near.process.wait(30) == -9, "the armed place was passed"
    near.start()
    until(lambda: restricted(near, rows), "the peer restricts")
    until(lambda: home.agrees_with(NEAR) and near.agrees_with(HOME), "both agree")


def test_an_impostor_in_a_peers_place_is_told_nothing(home: Node, near: Node, tmp_path: Path) -> None:
    near.stop()
    shown = {"another key": stranger(tmp_path), "another name": forged(tmp_path / "x", near, bureau_urn(HOME))}
    for what, papers in shown.items():
        with serving(papers, Impostor(near.port)) as impostor:
            rows = home.put(1)
            until(lambda rows=rows: restricted(home, rows), "home restricts")
            said = "did not prove to be the member"
            until(lambda said=said: said in (home.peer(NEAR)["error"] or ""), "it is said", 40)
            assert impostor.connections and not impostor.heard, what
        until(lambda: "cannot be reached" in (home.peer(NEAR)["error"] or ""), "it is said that nobody is there", 40)
    near.start()
    until(lambda: restricted(near, rows), "the true peer restricts")
    until(lambda: home.agrees_with(NEAR), "and has everything")


def test_a_peer_that_never_answers_keeps_nobody_from_stopping(home: Node, near: Node) -> None:
    near.stop()
    with serving(own(near), Impostor(near.port, silent=True)) as hanging:
        rows = home.put(1)
        until(lambda: hanging.heard, "the call has begun")
        until(lambda: restricted(home, rows), "home restricts all the same")
        code, seconds = home.stop()
        assert code == 0 and seconds < 5
    near.start()
    home.start()
    until(lambda: restricted(near, rows) and home.agrees_with(NEAR), "what was under way is sent again")


def test_a_new_finding_is_everywhere_at_once(three: dict[str, Node], home: Node, near: Node) -> None:
    three[FAR].running()
    until(lambda: home.agrees_with(NEAR) and home.agrees_with(FAR), "all is quiet")
    begun = time.monotonic()
    rows = home.put(1)
    until(lambda: restricted(near, rows) and restricted(three[FAR], rows), "everybody restricts")
    assert time.monotonic() - begun < 5, "nothing polls between stages"
