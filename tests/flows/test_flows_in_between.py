"""What another thread does between two steps of a stage: nothing that was asked is lost, nobody is left asleep."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from network import HomeSystem, Network, Node, company, found, opened, penalty, relief

from adapters.base import Page
from syncd.errors import NeedsPerson, Retry, Stop
from syncd.flows import recognise, resend
from syncd.flows.record import sign
from syncd.flows.share import drain
from syncd.ledger.wire import BATCH_LIMIT, compress, decode_batch, decompress, encode_batch, encode_records
from syncd.peers import Answer
from syncd.store import desk

Json = dict[str, Any]
HOME, OTHER = "320583", "320585"
DAY = dt.date(2026, 11, 22)


class SlowSystem(HomeSystem):
    """A home system that takes its time: something else happens while it reads or takes orders."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[Callable[[], object]] = []

    def pull(self, cursor: Json | None) -> Page:
        page = super().pull(cursor)
        self._pass_time()
        return page

    def push(self, rows: Sequence[Json]) -> str:
        number = super().push(rows)
        self._pass_time()
        return number

    def _pass_time(self) -> None:
        while self.meanwhile:
            self.meanwhile.pop()()


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str]) -> Network:
    found(tmp_path)
    made = opened(tmp_path, store_urls, home=lambda code: SlowSystem())
    made.establish()
    return made


def cursor(node: Node, name: str) -> str | None:
    """A stage's cursor."""
    with node.bureau.store.read() as conn:
        return node.bureau.logs.get_cursor(conn, name)


def rung(node: Node) -> list[str]:
    """Bells from now on."""
    bells: list[str] = []
    node.bureau.wake = bells.append
    return bells


def test_reading_again_that_is_asked_for_while_a_page_is_read_is_not_lost(net: Network) -> None:
    node = net.nodes[HOME]
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    node.home.put(penalty("102", company(2), "KS-0104", HOME))

    def ask() -> None:
        node.stages.work._resync.run("collect", None, False, 1001)

    node.home.meanwhile.append(ask)
    node.home.remove("101")
    drain(node.stages.steps()["collect"])
    with node.bureau.store.read() as conn:
        assert desk.counts(conn) == {"vanished": 1}, "only the full reading that was asked for finds it"


def test_recognising_again_that_is_asked_for_between_two_steps_is_not_lost(
    net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = net.nodes[HOME]
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    node.home.put(penalty("102", company(2), "KS-0104", HOME))
    drain(node.stages.steps()["collect"])
    asked: list[int] = []
    original = recognise.Recognise._findings

    def late(self: Any, state: Any) -> Any:
        if not asked:
            asked.append(1)
            node.stages.work._resync.run("recognise", None, False, 1001)
        return original(self, state)

    monkeypatch.setattr(recognise.Recognise, "_findings", late)
    node.stages.recognise.step()
    assert asked
    net.settle()
    assert node.stages.inquiry.check(company(2), DAY)["standing"] == "restricted"


def test_catching_up_reads_relief_once_however_many_batches_of_findings_follow(
    net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, other = net.nodes[HOME], net.nodes[OTHER]
    net.links[HOME, OTHER].down = True
    rows = [penalty(str(n), company(n), "KS-0104", HOME) for n in range(100, 140)]
    home.home.put(*rows)
    net.settle()
    home.home.put(*[relief(f"r{n}", row, "撤销") for n, row in enumerate(rows[:5])])
    net.settle()
    net.links[HOME, OTHER].down = False
    drain(home.stages.shares[OTHER].step)
    stage, reads = other.stages.recognise, list[int]()
    original = stage._read_relief

    def counted(*given: Any) -> Any:
        changes = original(*given)
        reads.append(len(changes.relief))
        return changes

    monkeypatch.setattr(recognise, "BATCH", 8)
    monkeypatch.setattr(stage, "_read_relief", counted)
    for again in (5, 10):
        drain(stage.step)
        assert sum(reads) == again, "each relief is read ahead once"
        assert not any(other.stages.inquiry.check(row.fields["CF_XDR_SHXYM"], DAY)["standing"] != "clear"
                       for row in rows[:5])  # fmt: skip
        other.stages.work._resync.run("recognise", HOME, False, 1001)
    drain(stage.step)
    net.settle()
    assert other.stages.inquiry.check(company(130), DAY)["standing"] == "restricted"


def test_restrict_is_woken_even_if_another_stage_has_signed_first(
    net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = net.nodes[HOME]
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    drain(node.stages.steps()["collect"])
    bells = rung(node)
    monkeypatch.setattr(recognise, "failpoint", lambda name: name.endswith("after_commit") and sign(node.bureau))
    while node.stages.recognise.step():
        pass
    assert "restrict" in bells and "share" in bells


def test_a_node_whose_lock_was_lost_signs_nothing_more(net: Network) -> None:
    node = net.nodes[HOME]
    net.settle()
    bureau, posted = node.bureau, len(net.links[HOME, OTHER].posted)
    signed = bureau.sizes.get(bureau.origin)
    bureau.still_alone = lambda: False
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    with pytest.raises(Stop, match="lock was lost"):
        drain(node.stages.steps()["collect"])
    with pytest.raises(Stop, match="another may be signing"):
        sign(bureau)
    assert bureau.sizes.get(bureau.origin) == signed, "not even the size is put down"
    with bureau.store.read() as conn:
        assert bureau.logs.unsigned(conn, bureau.origin), "what was committed waits"
    assert not node.stages.shares[OTHER].step() and len(net.links[HOME, OTHER].posted) == posted, "and is not offered"
    bureau.still_alone = lambda: True
    net.settle()
    assert net.nodes[OTHER].stages.inquiry.check(company(1), DAY)["standing"] == "restricted"


def test_a_measure_that_ends_while_it_is_delivered_is_lifted_at_once(net: Network) -> None:
    node = net.nodes[HOME]
    net.now = dt.datetime(2028, 11, 2, 15, 59, tzinfo=dt.UTC)  # a minute before midnight in Shanghai
    row = penalty("101", company(1), "KS-0104", HOME)
    node.home.put(row)
    for stage in ("collect", "recognise"):
        drain(node.stages.steps()[stage])

    def midnight() -> None:
        net.now += dt.timedelta(minutes=2)

    node.home.meanwhile.append(midnight)
    drain(node.stages.steps()["restrict"])
    assert node.home.orders and not node.home.in_force(company(1)), "the publicity ended with the day"


def test_resending_says_so_if_the_peer_takes_nothing(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    node = net.nodes[HOME]
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    monkeypatch.setattr(net.links[HOME, OTHER], "post_disclosures", lambda origin, body: Answer(413, b"Too long.\n"))
    node.stages.work._resync.run("share", OTHER, False, 1001)
    with pytest.raises(NeedsPerson, match="413"):
        node.stages.resends[OTHER].step()


def test_resending_waits_for_a_peer_that_is_away(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    node, sent, down = net.nodes[HOME], list[str](), True
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()

    def away(origin: str, body: bytes) -> Answer:
        if down:
            raise Retry("The peer is away.")
        sent.append(origin)
        return Answer(200, b"0\n")

    monkeypatch.setattr(net.links[HOME, OTHER], "post_disclosures", away)
    assert node.stages.work._resync.run("share", OTHER, False, 1001)["countersigned"][OTHER] > 1
    net.settle()
    assert not sent
    down = False
    net.settle()
    net.settle()
    assert len(sent) == 1, "asked for once, sent once"


def test_what_is_sent_again_stays_within_the_limit_of_a_body(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    node = net.nodes[HOME]
    node.home.put(*[penalty(str(100 + n), company(n), "KS-0104", HOME, CF_YJ="依" * 2000) for n in range(40)])
    net.settle()
    sent: list[int] = []
    link = net.links[HOME, OTHER]
    original = link.post_disclosures

    def measured(origin: str, body: bytes) -> Answer:
        sent.append(len(decompress(body)))
        return original(origin, body)

    monkeypatch.setattr(link, "post_disclosures", measured)
    monkeypatch.setattr(resend, "RESEND_BYTES", 64 * 1024)
    node.stages.work._resync.run("share", OTHER, False, 1001)
    drain(node.stages.resends[OTHER].step)
    assert len(sent) > 2 and max(sent) < 80 * 1024 < BATCH_LIMIT


def test_what_is_sent_again_replaces_a_disclosure_that_does_not_open(net: Network) -> None:
    node, link = net.nodes[HOME], net.links[HOME, OTHER]

    def exchanged(body: bytes) -> bytes:
        """On its way each disclosure becomes that of the entry before it."""
        batch = decode_batch(decompress(body))
        texts = [one.disclosure for one in batch.records]
        records = [one._replace(disclosure=text) for one, text in zip(batch.records, texts[-1:] + texts, strict=False)]
        return compress(encode_batch(batch.old, batch.proof, batch.checkpoint, batch.newest, encode_records(records)))

    node.home.put(penalty("101", company(1), "KS-0104", HOME), penalty("102", company(2), "KS-0104", HOME))
    link.tamper = exchanged
    net.settle()
    with net.nodes[OTHER].bureau.store.read() as conn:
        held = [row for row in desk.listing(conn) if row.kind == "unreadable"]
        assert held and all("open" in row.reason for row in held if row.reason != "no_disclosure")
    assert not net.nodes[OTHER].home.in_force(company(1))
    link.tamper = None
    node.stages.work._resync.run("share", OTHER, False, 1001)
    net.settle()
    assert net.nodes[OTHER].stages.recognise.reconsider() >= 0
    net.settle()
    for one in (1, 2):
        assert net.nodes[OTHER].home.in_force(company(one)), "read at last, and imposed"
    with net.nodes[OTHER].bureau.store.read() as conn:
        assert not [row for row in desk.listing(conn) if row.kind == "unreadable"]
