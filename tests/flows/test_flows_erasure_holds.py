"""What was erased stays so: bytes on disk, a restored backup, a peer that lags; and the auditor sees the order."""

import datetime as dt
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from network import THREE, HomeSystem, MemoryLink, Network, company, found, opened
from test_flows_erasure import DAY, HOME, KEPT, OTHER, RELIEF, ROW, THIRD, TRACES, ask, erase, forgotten, leaf_of, order

from schemas.registry import check_body
from syncd.evidence.audit import audit
from syncd.evidence.books import Evidence
from syncd.evidence.node_log import logs_of
from syncd.evidence.prove import prove
from syncd.flows.startup import establish
from syncd.ledger.tree import leaf_hash
from syncd.ledger.trust import plain_trust
from syncd.ledger.verdict import verify_bundle
from syncd.ledger.wire import (
    Record,
    compress,
    decode_batch,
    decode_records,
    decompress,
    encode_batch,
    encode_records,
    encode_resend,
)
from syncd.peers import Answer
from syncd.store import desk, jobs


class Site:
    """Three nodes on SQLite in a folder, with home systems that stay while the nodes are closed and opened again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.homes = {code: HomeSystem() for code in THREE}
        self.now = dt.datetime(2026, 11, 22, 1, 0, tzinfo=dt.UTC)
        found(folder)
        self.net = self.open()

    def open(self) -> Network:
        self.net = opened(self.folder, self._url, home=self.homes.__getitem__)
        self.net.now = self.now = self.now + dt.timedelta(minutes=1)
        for node in self.net.nodes.values():
            establish(node.bureau, node.stages.custody.ask)
        return self.net

    def _url(self, code: str) -> str:
        return f"sqlite:///{self.folder / code / 'syncd.db'}"

    def backup(self, code: str) -> Path:
        """A copy of a node's database, and of nothing else."""
        assert self.net.nodes[code].bureau.store.wipe()
        return Path(shutil.copy(self.folder / code / "syncd.db", self.folder / f"{code}.backup"))

    def restore(self, code: str, copy: Path) -> None:
        """All daemons stop, one database is put back as it was, all start again."""
        self.now = self.net.now
        self.net.close()
        for old in (self.folder / code).glob("syncd.db*"):
            old.unlink()
        shutil.copy(copy, self.folder / code / "syncd.db")
        copy.unlink()
        self.open()

    def bytes_of(self, word: str) -> list[str]:
        """The files of any node in which these bytes still stand."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return [str(path.relative_to(self.folder)) for path in files if word.encode() in path.read_bytes()]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.net.close()


def begin(site: Site) -> bytes:
    site.homes[HOME].put(ROW, KEPT)
    site.net.settle()
    return leaf_of(site.net, company(1))


def test_no_byte_of_it_stays_on_disk(site: Site) -> None:
    begin(site)
    assert all(site.bytes_of(word) for word in TRACES), "before, it stands there"
    erase(site.net)
    for word in TRACES:
        assert site.bytes_of(word) == [], "database, write-ahead log, vault, signed sizes"
    assert site.bytes_of(company(2))


def test_an_auditor_sees_erased_with_its_order(site: Site) -> None:
    begin(site)
    leaf = erase(site.net)
    net = site.net
    members = {code: (one.log.vkey, one.receipt.vkey) for code, one in net.nodes[HOME].bureau.members.items()}
    bureau = net.nodes[HOME].bureau
    trust = plain_trust(bureau.agreement.id, members)
    for code in THREE:
        evidence = Evidence(code, bureau.agreement, trust, net.nodes[code].bureau.logs)
        with evidence.logs.store.read() as conn:
            report = audit(logs_of(evidence, conn, whole=True), evidence.policy, "", 6, lambda name, count: None)
        faults = [one for log in report.logs for one in log.faults]
        assert report.ok, (faults, report.issues)
        assert sum(log.disclosures["erased"] for log in report.logs) >= 8
        made = prove(evidence, leaf.hex(), net.now)
        states = {one.state for one in made.bundle.records}
        assert "erased" in states and not any(
            word.encode() in one.disclosure for one in made.bundle.records for word in TRACES
        )
        assert not made.unsigned
        verdict = verify_bundle(made.bundle, evidence.policy, check_body)
        assert verdict.ok, verdict


def test_a_restored_backup_serves_nothing_until_it_has_erased_again(site: Site) -> None:
    leaf = begin(site)
    copy = site.backup(THIRD)
    erase(site.net)
    site.restore(THIRD, copy)
    net, node = site.net, site.net.nodes[THIRD]
    assert not node.bureau.may_sign, "its own answer to the order is missing, so it is in doubt"
    for code in THREE:
        assert node.stages.serve.entries(net.nodes[code].bureau.origin, "0", "9", THIRD).status == 503
    net.settle(collect=False)
    with node.bureau.store.write() as conn:
        jobs.ask(conn, "recover", {"without": [], "account": 1}, "1", node.bureau.now_text())
    node.stages.work.step()
    assert node.bureau.may_sign
    net.settle()
    forgotten(net, leaf)
    for word in TRACES:
        assert site.bytes_of(word) == []
    assert node.home.in_force(company(1)) == set()


def test_a_backup_from_before_the_finding_does_not_issue_it_again(site: Site) -> None:
    site.homes[HOME].put(KEPT)
    site.net.settle()
    copy = site.backup(HOME)
    site.homes[HOME].put(ROW)
    site.net.settle()
    leaf = erase(site.net)
    site.restore(HOME, copy)
    node = site.net.nodes[HOME]
    assert not node.bureau.may_sign
    assert ask(site.net, "recover", without=[])["state"] == "done"
    site.net.settle()
    assert ask(site.net, "resync", stage="collect", peer=None, dry_run=False)["state"] == "done"
    site.net.settle()
    forgotten(site.net, leaf)
    with node.bureau.store.read() as conn:
        assert [item.mark for item in desk.listing(conn) if item.kind == "erased"]


Words = dict[bytes, bytes]


def everything_said(net: Network) -> Words:
    """Every disclosure by its leaf, as a member would have it that erased nothing."""
    found: Words = {}
    for node in net.nodes.values():
        with node.bureau.store.read() as conn:
            for state in node.bureau.logs.states(conn):
                records = node.bureau.logs.read_wire(conn, state.origin, 0, state.size)
                found |= {one.leaf: one.disclosure for one in records if one.disclosure}
    return found


def with_words(records: Sequence[Record], said: Words) -> list[Record]:
    return [one._replace(disclosure=one.disclosure or said.get(one.leaf, b"")) for one in records]


def hoard(link: MemoryLink, said: Words) -> None:
    """From now on whatever comes or goes by this link has all its words again."""

    def sent(body: bytes) -> bytes:
        batch = decode_batch(decompress(body))
        records = encode_records(with_words(batch.records, said))
        return compress(encode_batch(batch.old, batch.proof, batch.checkpoint, batch.newest, records))

    def served(origin: str, path: str) -> Answer:
        answer = honest(origin, path)
        if answer.status != 200 or not path.startswith("entries?"):
            return answer
        records = with_words(decode_records(decompress(answer.body), 0), said)
        return Answer(200, compress(encode_records(records)), "application/zstd")

    honest, link.tamper = link.get, sent
    link.get = served


def test_entries_fetched_back_from_a_member_that_lags_come_without_words(site: Site) -> None:
    leaf = begin(site)
    site.homes[HOME].put(RELIEF)
    site.net.settle()
    copy, said = site.backup(HOME), everything_said(site.net)
    erase(site.net)
    site.restore(HOME, copy)
    for code in (OTHER, THIRD):
        hoard(site.net.links[HOME, code], said)
    assert ask(site.net, "recover", without=[])["state"] == "done"
    site.net.settle()
    forgotten(site.net, leaf)
    assert site.net.nodes[HOME].stages.inquiry.check(company(1), DAY)["findings"] == []


def test_a_lagging_relay_and_disclosures_sent_again_store_nothing(site: Site) -> None:
    begin(site)
    net = site.net
    net.links[HOME, THIRD].down = True
    site.homes[HOME].put(RELIEF)
    net.settle()
    said = everything_said(net)
    assert order(net, leaf_of(net, company(1)))["state"] == "done"
    net.settle(collect=False)
    hoard(net.links[HOME, THIRD], said)
    hoard(net.links[OTHER, THIRD], said)
    net.links[HOME, THIRD].down = False
    net.settle(collect=False)
    for target in (OTHER, THIRD):
        for sender in (HOME, OTHER):
            pairs = [(leaf_hash(leaf), words) for leaf, words in said.items()]
            body = compress(encode_resend(pairs))
            answer = net.nodes[target].stages.receive.disclosures(net.nodes[sender].bureau.origin, body, sender)
            assert (answer.status, answer.body) == ((403, answer.body) if sender == target else (200, b"0\n"))
    told = b"".join(everything_said(net).values()).decode()
    assert not any(word in told for word in TRACES) and company(2) in told
    for word in TRACES:
        assert site.bytes_of(word) == []
