"""The witness of outsiders' logs at a node: over HTTPS without a certificate, with evidence kept, never twice."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from network import Network, Node, found, network, opened

from syncd import keyring
from syncd.demo.site import free_port
from syncd.errors import Retry
from syncd.flows.status import status
from syncd.flows.witness import Witness
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, NoteSigner, format_note, parse_note
from syncd.ledger.tiles import append, edge_tiles
from syncd.ledger.tree import consistency_proof, leaf_hash
from syncd.ledger.wire import encode_add_checkpoint
from syncd.peers import WitnessClient
from syncd.store import evidence
from syncd.web.exchange import exchange
from syncd.web.server import Server

HOME = "320583"


class Outsider:
    """Somebody else's log."""

    def __init__(self, name: str = "province.example/credit", salt: bytes = b"") -> None:
        self.key = NoteSigner(name, Ed25519PrivateKey.from_private_bytes(b"o" * 32), LOG_KEY)
        self.salt, self.size, self.root = salt, 0, b""
        self.tiles: dict[tuple[int, int], bytes] = {}

    def grow(self, count: int) -> "Outsider":
        """Add leaves."""
        edge = {key: self.tiles[key] for key in edge_tiles(self.size)}
        leaves = [leaf_hash(self.salt + str(n).encode()) for n in range(self.size, self.size + count)]
        changed, self.root = append(self.size, edge, leaves)
        self.tiles.update(changed)
        self.size += count
        return self

    @property
    def text(self) -> str:
        """The checkpoint's text now."""
        return format_checkpoint(Checkpoint(self.key.name, self.size, self.root))

    def body(self, old: int) -> bytes:
        """A submission from that size on."""
        proof = consistency_proof(old, self.size, lambda level, n, width: self.tiles[level, n][: width * 32])
        return encode_add_checkpoint(old, proof, format_note(self.text, [self.key.sign(self.text)]))


@dataclass
class Site:
    """A node that witnesses one outsider's log, and is asked over HTTPS."""

    net: Network
    node: Node
    witness: Witness
    key: NoteSigner
    folder: Path
    port: int

    def post(self, body: bytes, path: str = "/witness/add-checkpoint") -> requests.Response:
        """Submit, as a stranger: no client certificate."""
        url, authority = f"https://127.0.0.1:{self.port}{path}", self.folder / HOME / "keys/ca.crt"
        return requests.post(url, data=body, verify=str(authority), timeout=10)


def witness_of(node: Node, folder: Path, log: Outsider) -> tuple[Witness, NoteSigner]:
    """The node's witness of that log."""
    private = keyring.load(folder / HOME / "keys").witness
    key = NoteSigner(f"jiakuntai-eco/{HOME}/witness", private, COSIGNATURE_KEY)
    return Witness(node.bureau, key, {log.key.name: [log.key.verifier]}), key


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The site, its server running."""
    net = network(tmp_path, lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}")
    node = net.nodes[HOME]
    witness, key = witness_of(node, tmp_path, Outsider())
    port = free_port()
    keys = tmp_path / HOME / "keys"
    authorities = {code: (tmp_path / code / "keys/ca.crt").read_bytes() for code in net.nodes}
    app = exchange(node.stages.receive, node.stages.serve, witness)
    server = Server(
        app, "127.0.0.1", port, str(keys / "tls.crt"), str(keys / "tls.key"), authorities, outsiders=True
    )  # fmt: skip
    server.start()
    yield Site(net, node, witness, key, tmp_path, port)
    server.stop()
    net.close()


def test_strangers_are_cosigned_over_https_and_misbehaviour_is_kept(site: Site) -> None:
    log = Outsider().grow(70)
    answer = site.post(log.body(0))
    assert answer.status_code == 200 and site.key.verifier.verify(log.text, answer.text.rstrip("\n"))
    seventy = log.body(70)
    assert site.post(seventy).status_code == 200, "the same size again gives a fresh line"
    link = WitnessClient(f"https://127.0.0.1:{site.port}/witness", site.folder / HOME / "keys/ca.crt")
    assert link.add_checkpoint(seventy).status == 200, "our own client speaks the same"
    with pytest.raises(Retry, match="cannot be reached"):
        WitnessClient(f"https://127.0.0.1:{site.port}/witness", None).add_checkpoint(seventy)
    log.grow(230)
    wrong = site.post(log.body(0))
    assert (wrong.status_code, wrong.text) == (409, "70\n")
    assert wrong.headers["Content-Type"] == "text/x.tlog.size"
    assert site.post(log.body(70)).status_code == 200
    assert site.node.bureau.sizes.get(log.key.name).size == 300, "synced outside the database"
    assert [site.post(body).status_code for body in (b"x", Outsider("other.example").grow(1).body(0))] == [400, 404]
    forged = log.body(300).replace("— province.example/credit ".encode(), "— province.example/credit AAAA".encode())
    assert site.post(forged).status_code in (400, 403)
    assert site.post(b"", "/exchange/v1/logs/x/entries").status_code == 403, "the exchange stays shut"
    assert site.post(b"x" * 80_000).status_code == 413
    liar = Outsider(salt=b"lie").grow(300)
    assert site.post(liar.body(300)).status_code == 409
    assert site.post(liar.body(300)).status_code == 409
    liar.grow(1)
    assert site.post(liar.body(300)).status_code == 422
    bureau = site.node.bureau
    with bureau.store.read() as conn:
        kept = evidence.listing(conn)
    assert [(one.code, one.proven) for one in kept] == [("two_roots", True), ("inconsistent", False)]
    both = [parse_note(note) for note in (kept[0].held, kept[0].shown)]
    assert all(log.key.verifier.verify(note.text, note.lines[0]) is None for note in both)
    (alarm,) = status(bureau, site.net.clock())["alarms"]
    assert (alarm["kind"], alarm["about"], alarm["facts"]["evidence"]) == ("misbehaviour", log.key.name, 2)


def test_an_old_copy_of_the_store_cosigns_no_second_history(tmp_path: Path) -> None:
    found(tmp_path)
    net = opened(tmp_path, lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}")
    net.establish()
    net.close()
    copy = (tmp_path / HOME / "syncd.db").read_bytes()
    net = opened(tmp_path, lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}")
    net.establish()
    witness, _ = witness_of(net.nodes[HOME], tmp_path, log := Outsider().grow(70))
    assert witness.add_checkpoint(log.body(0)).status == 200
    net.close()
    (tmp_path / HOME / "syncd.db").write_bytes(copy)
    for name in ("syncd.db-wal", "syncd.db-shm"):
        (tmp_path / HOME / name).unlink(missing_ok=True)
    net = opened(tmp_path, lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}")
    net.establish()
    assert net.nodes[HOME].bureau.may_sign, "an outsider's log is no reason for doubt"
    witness, _ = witness_of(net.nodes[HOME], tmp_path, log)
    answer = witness.add_checkpoint(Outsider(salt=b"lie").grow(80).body(0))
    assert (answer.status, answer.body) == (409, b"70\n")
    assert witness.add_checkpoint(log.grow(5).body(70)).status == 200
    net.close()
