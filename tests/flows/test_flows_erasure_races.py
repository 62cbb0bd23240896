"""An order of erasure that comes while a batch of feedback about its finding is on its way: no road stores the item."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from network import Network, company, network
from test_flows_erasure import HOME, KEPT, OTHER, ROW, THIRD, leaf_of, order

from syncd.flows.share import drain
from syncd.ledger.wire import compress, decode_batch, decompress, encode_batch, encode_records
from syncd.store.statement import execute


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str]) -> Network:
    """Two findings stand everywhere; what OTHER's home system acknowledged lies in its log and is not at THIRD yet."""
    made = network(tmp_path, store_urls)
    made.nodes[OTHER].home.silent = True
    made.nodes[HOME].home.put(ROW, KEPT)
    made.settle()
    made.links[OTHER, THIRD].down = True
    made.nodes[OTHER].home.silent = False
    made.settle()
    made.links[OTHER, THIRD].down = False
    return made


def carry_out(net: Network) -> None:
    """HOME orders the erasure; THIRD holds the order and carries it out, and OTHER has not heard of it."""
    net.links[HOME, OTHER].down = True
    assert order(net, leaf_of(net, company(1)), revoke=True)["state"] == "done"
    drain(net.nodes[HOME].stages.shares[THIRD].step)
    stages = net.nodes[THIRD].stages
    for _ in range(9):
        for step in (stages.recognise.step, stages.restrict.step, stages.erase.step):
            drain(step)


class Between:
    """Lets the erasure happen at THIRD just as it has sealed its first batch of feedback, and keeps what was sealed."""

    def __init__(self, net: Network, seal: Callable[[Sequence[bytes]], object]) -> None:
        self._net, self._seal = net, seal
        self.came = 0
        self.texts: list[bytes] = []

    def __call__(self, texts: Sequence[bytes]) -> object:
        sealed = self._seal(texts)
        self.texts += [text for text in texts if text]
        if self.came == 0 and any(text and text.startswith(b'{"items":') for text in texts):
            self.came = 1
            carry_out(self._net)
        return sealed


def batches(net: Network) -> list[bytes | None]:
    """OTHER's batches of feedback as THIRD holds them."""
    bureau, origin = net.nodes[THIRD].bureau, net.nodes[OTHER].bureau.origin
    with bureau.store.read() as conn:
        rows = bureau.logs.read_entries(conn, origin, 0, 999, only=["feedback.reported"])
    return bureau.vault.open_many([row.sealed for row in rows])


def covered(net: Network) -> list[bytes]:
    """The hashes of all that the erasure covers, as items name them."""
    with net.nodes[THIRD].bureau.store.read() as conn:
        leaves = list(execute(conn, "SELECT leaf FROM erased_leaves").scalars())
    assert leaves
    return [leaf.hex().encode() for leaf in leaves]


def only_the_other_item_is_held(net: Network) -> None:
    (text,) = batches(net)
    assert text is not None and not any(one in text for one in covered(net)), "readable for good"
    assert b"null" in text and text.count(b'"about"') > 0, "the items about the other finding stay"


def test_a_batch_that_is_being_stored_comes_without_the_item(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = net.nodes[THIRD].bureau.logs
    between = Between(net, logs.seal)
    monkeypatch.setattr(logs, "seal", between)
    drain(net.nodes[OTHER].stages.shares[THIRD].step)
    assert between.came == 1
    only_the_other_item_is_held(net)
    net.close()


def test_disclosures_that_are_sent_again_come_without_the_item(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    link, vault = net.links[OTHER, THIRD], net.nodes[THIRD].bureau.vault

    def bare(body: bytes) -> bytes:
        batch = decode_batch(decompress(body))
        records = encode_records([one._replace(disclosure=b"") for one in batch.records])
        return compress(encode_batch(batch.old, batch.proof, batch.checkpoint, batch.newest, records))

    link.tamper = bare
    drain(net.nodes[OTHER].stages.shares[THIRD].step)
    assert batches(net) == [None]
    between = Between(net, vault.seal)
    monkeypatch.setattr(vault, "seal", between)
    net.nodes[OTHER].stages.work._resync.run("share", THIRD, False, 1001)
    drain(net.nodes[OTHER].stages.resends[THIRD].step)
    assert between.came == 1
    only_the_other_item_is_held(net)
    net.close()


def test_entries_that_are_fetched_come_without_the_item(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    node = net.nodes[THIRD]
    between = Between(net, node.bureau.logs.seal)
    monkeypatch.setattr(node.bureau.logs, "seal", between)
    assert node.stages.custody._refetch.mirror(OTHER, node.bureau.members[OTHER]) > 0
    assert between.came == 1
    only_the_other_item_is_held(net)
    net.close()


def test_what_comes_from_a_member_that_has_not_heard_of_it_is_not_even_sealed(
    net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = net.nodes[THIRD].bureau.logs
    carry_out(net)
    seal = Between(net, logs.seal)
    seal.came = 1
    monkeypatch.setattr(logs, "seal", seal)
    drain(net.nodes[OTHER].stages.shares[THIRD].step)
    only_the_other_item_is_held(net)
    assert seal.texts and not any(one in text for one in covered(net) for text in seal.texts)
    net.close()


def test_what_was_ready_to_travel_is_made_anew_once_a_key_is_forgotten(
    tmp_path: Path, store_urls: Callable[[str], str]
) -> None:
    net = network(tmp_path, store_urls)
    net.settle()
    home, stages = net.nodes[HOME], net.nodes[HOME].stages
    home.home.put(ROW, KEPT)
    for step in (stages.steps()["collect"], stages.recognise.step):
        drain(step)
    net.now += dt.timedelta(seconds=61)
    with home.bureau.store.write() as conn:
        assert home.bureau.logs.close_stop(conn, home.bureau.origin, home.bureau.clock())
    stages.shares[OTHER].step()  # one encoding serves all peers at this size
    assert order(net, leaf_of(net, company(1)), revoke=True)["state"] == "done"
    for _ in range(9):
        for step in (stages.recognise.step, stages.restrict.step, stages.erase.step):
            drain(step)
    stages.shares[THIRD].step()
    before, after = (decode_batch(decompress(net.links[HOME, code].posted[-1])) for code in (OTHER, THIRD))
    assert before.old == after.old
    assert [one.leaf for one in before.records] == [one.leaf for one in after.records], "the same entries"
    texts = [b"".join(one.disclosure for one in batch.records) for batch in (before, after)]
    assert company(1).encode() in texts[0] and company(1).encode() not in texts[1], "erased, it travels no more"
    assert company(2).encode() in texts[1]
