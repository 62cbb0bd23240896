"""A receiver that cannot take a batch now, and a peer that says what is not so: retried by itself, never in a spin."""

import datetime as dt
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from network import Network, Node, company, network, penalty
from sqlalchemy import inspect

from syncd.errors import NeedsPerson, Retry, Stop, SyncdError
from syncd.flows import receive
from syncd.flows.share import Share, drain
from syncd.peers import Answer
from syncd.store import engine

DAY = dt.date(2026, 11, 22)
HOME, THIRD = "320583", "310114"
SIZE = "text/x.tlog.size"


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> Network:
    """What the third member has not heard yet stands in home's log."""
    monkeypatch.setattr(engine, "_BUSY_MILLISECONDS", 50)
    made = network(tmp_path, store_urls)
    made.settle()
    made.nodes[HOME].home.put(penalty("1", company(1), "KS-0104", HOME))
    drain(made.nodes[HOME].stages.steps()["collect"])
    return made


def share(net: Network) -> Share:
    return net.nodes[HOME].stages.shares[THIRD]


def origin(net: Network) -> str:
    return net.nodes[HOME].bureau.origin


def held(node: Node, log: str) -> int:
    with node.bureau.store.read() as conn:
        return node.bureau.logs.state(conn, log).size


def signed(net: Network) -> int:
    with net.nodes[HOME].bureau.store.read() as conn:
        return net.nodes[HOME].bureau.logs.countersigned(conn, origin(net), THIRD)


def failing(monkeypatch: pytest.MonkeyPatch, place: str, error: Exception) -> None:
    """The receiver's store is in trouble at this place."""

    def fail(name: str) -> None:
        if name == place:
            raise error

    monkeypatch.setattr(receive, "failpoint", fail)


def arrives(net: Network) -> None:
    """Once the trouble is over everything is there, without a person."""
    net.settle()
    assert held(net.nodes[THIRD], origin(net)) == held(net.nodes[HOME], origin(net)) == signed(net)
    assert net.nodes[THIRD].stages.inquiry.check(company(1), DAY)["standing"] == "restricted"


@pytest.mark.parametrize("error", [Retry("The disk is full."), Stop("The store is damaged.")])
def test_what_was_not_stored_is_never_told_as_stored(
    net: Network, monkeypatch: pytest.MonkeyPatch, error: SyncdError
) -> None:
    before, said = held(net.nodes[THIRD], origin(net)), list[tuple[str, object]]()
    net.nodes[THIRD].bureau.notice = lambda event, facts: said.append((event, facts.get("because")))
    with monkeypatch.context() as trouble:
        failing(trouble, "receive.before_commit", error)
        answers = [net.nodes[THIRD].stages.receive.entries(origin(net), body(net), HOME) for _ in range(2)]
        assert [(one.status, one.retry_after) for one in answers] == [(500, 60)] * 2
        assert str(error).encode() not in answers[0].body, "what ails this node is its own matter"
        assert said == [("exchange.waits", str(error))] * 2
        with pytest.raises(Retry, match="cannot take entries now"):
            share(net).step()
    assert held(net.nodes[THIRD], origin(net)) == before
    arrives(net)


def body(net: Network) -> bytes:
    """The batch that comes next."""
    batch = share(net)._next()
    assert batch is not None
    return batch[2]


def test_what_is_stored_is_told_as_stored_if_the_line_has_to_wait(
    net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as trouble:
        failing(trouble, "receive.after_sizes", Retry("The disk is full."))
        net.nodes[THIRD].rung.clear()
        assert net.nodes[THIRD].stages.receive.entries(origin(net), body(net), HOME).status == 503
        assert "recognise" in net.nodes[THIRD].rung, "what is stored is read, signed or not"
        for _ in range(3):
            with pytest.raises(Retry, match="has stored the entries"):
                drain(share(net).step)
    arrives(net)


def test_a_row_where_the_next_entry_belongs_stops_no_sender_in_a_spin(net: Network) -> None:
    third, link = net.nodes[THIRD], net.links[HOME, THIRD]
    with third.bureau.store.write() as conn:
        log, size = third.bureau.logs.state(conn, origin(net)).id, held(third, origin(net))
        names = [column["name"] for column in inspect(conn).get_columns("entries")]
        chosen = ", ".join(str(size) if name == "idx" else name for name in names)
        conn.exec_driver_sql(
            f"INSERT INTO entries ({', '.join(names)}) SELECT {chosen} FROM entries WHERE log = {log} AND idx = 0"
        )
    link.posted.clear()
    with pytest.raises(Retry, match="cannot take entries now"):
        drain(share(net).step)
    assert len(link.posted) == 1, "one batch, then a pause"
    with third.bureau.store.write() as conn:
        conn.exec_driver_sql(f"DELETE FROM entries WHERE log = {log} AND idx = {size}")
    arrives(net)


def test_a_busy_receiver_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_BUSY_MILLISECONDS", 50)
    net = network(tmp_path, lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}")
    net.settle()
    net.nodes[HOME].home.put(penalty("1", company(1), "KS-0104", HOME))
    drain(net.nodes[HOME].stages.steps()["collect"])
    other = sqlite3.connect(tmp_path / THIRD / "syncd.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Retry, match="cannot take entries now"):
        share(net).step()
    other.execute("ROLLBACK")
    other.close()
    arrives(net)


def test_disclosures_that_cannot_be_taken_now_are_offered_again(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    net.settle()
    node = net.nodes[HOME]
    node.stages.work._resync.run("share", THIRD, False, 1001)
    with monkeypatch.context() as trouble:
        failing(trouble, "disclosures.before_commit", Retry("The disk is full."))
        with pytest.raises(Retry, match="disclosures now"):
            drain(node.stages.resends[THIRD].step)
    assert drain(node.stages.resends[THIRD].step)


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000.p/1", "entries?from=0&count=9"])
def test_what_cannot_be_shown_now_is_answered_as_that(net: Network, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    def busy() -> None:
        raise Retry("The store is busy.")

    monkeypatch.setattr(net.nodes[THIRD].bureau.store, "read", busy)
    answer = net.links[HOME, THIRD].get(origin(net), path)
    assert (answer.status, answer.retry_after) == (500, 60) and b"store" not in answer.body


def tries(net: Network, answers: Callable[[str, bytes, int], Answer], count: int = 60) -> list[bool]:
    """What becomes of so many steps towards a peer that answers so: whether each got further, or made a pause."""
    posts = 0

    def post(log: str, batch: bytes) -> Answer:
        nonlocal posts
        posts += 1
        return answers(log, batch, posts)

    went: list[bool] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(net.links[HOME, THIRD], "post_entries", post)
        for _ in range(count):
            try:
                went.append(share(net).step())
            except (Retry, NeedsPerson):
                went.append(False)
    return went


def pauses(went: list[bool]) -> None:
    """After a few steps none succeeds any more, so that the pause grows from one to the next."""
    assert not any(went[10:]), went


def test_a_peer_that_stores_nothing_and_says_it_does_makes_no_spin(net: Network) -> None:
    size = signed(net)
    pauses(tries(net, lambda log, batch, n: Answer(503, b"Stored.\n") if n % 2 else Answer(409, b"%d\n" % size, SIZE)))


@pytest.mark.parametrize("sizes", [(1, 2), (2, 1), (0, 2, 1), (3, 1, 2, 0)])
def test_a_peer_that_goes_to_and_fro_makes_no_spin(net: Network, sizes: tuple[int, ...]) -> None:
    pauses(tries(net, lambda log, batch, n: Answer(409, b"%d\n" % sizes[n % len(sizes)], SIZE)))


def test_a_peer_that_shows_old_lines_again_and_again_makes_no_spin(net: Network) -> None:
    link = net.links[HOME, THIRD]
    true, before = link.post_entries, signed(net)

    def old_line(log: str, batch: bytes, n: int) -> Answer:
        return true(log, batch) if n % 2 == 0 else Answer(409, b"0\n", SIZE)

    pauses(tries(net, old_line))
    assert signed(net) == before
    arrives(net)


def test_a_peer_restored_again_while_it_is_filled_up_is_filled_up_at_once(net: Network) -> None:
    """Its store is the same old copy as before: what it takes is gain a second time."""
    home = net.nodes[HOME]
    for number in range(2, 8):  # so many sizes at which all has stopped
        net.settle()
        net.now += dt.timedelta(seconds=90)
        home.home.put(penalty(str(number), company(number), "KS-0104", HOME))
        drain(home.stages.steps()["collect"])
    net.settle()
    link, size = net.links[HOME, THIRD], signed(net)
    for _ in range(2):
        home.home.put(penalty(f"9{size}", company(9), "KS-0104", HOME))
        drain(home.stages.steps()["collect"])
        with pytest.MonkeyPatch.context() as patched, pytest.raises(Retry):
            patched.setattr(link, "post_entries", lambda log, batch: Answer(409, b"5\n", SIZE))
            share(net).step()
        assert [share(net).step() for _ in range(3)] == [True, True, True]
        size += 1


def test_an_answer_that_is_no_text_counts_as_no_line(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net.links[HOME, THIRD], "post_entries", lambda log, batch: Answer(200, b"\xff\xfe"))
    with pytest.raises(NeedsPerson, match="without a line of its receipt key"):
        share(net).step()
