"""What a stranger with a member's certificate may read and verify, and what nobody may send."""

import base64
import os
import socket
from hashlib import sha256

import pytest
import requests
from daemon_nodes import FAR, HOME, NEAR, Node, until

from syncd.ledger.checkpoint import Checkpoint, parse_checkpoint
from syncd.ledger.disclosure import open_disclosure
from syncd.ledger.entry import parse_entry
from syncd.ledger.notes import NoteVerifier, parse_note, verify_note
from syncd.ledger.policy import parse_policy
from syncd.ledger.tiles import ENTRIES, edge_tiles, root_at, tile_path
from syncd.ledger.tree import consistency_proof, inclusion_proof, leaf_hash, verify_consistency, verify_inclusion
from syncd.ledger.wire import BATCH_LIMIT, Record, compress, decode_records, decompress

PREFIX = "/exchange/v1/logs"


class Reader:
    """Reads a log from any node that holds it, with nothing but the node's address, and believes nothing."""

    def __init__(self, session: requests.Session, at: Node, origin: str) -> None:
        self._session, self._base = session, f"{at.member.url}{PREFIX}/{origin}"

    def get(self, path: str) -> requests.Response:
        """Any path below the log."""
        return self._session.get(f"{self._base}/{path}", timeout=10)

    def checkpoint(self, *verifiers: NoteVerifier) -> Checkpoint:
        """The newest checkpoint, once each of these has signed it."""
        note = parse_note(self.get("checkpoint").content)
        for verifier in verifiers:
            verify_note(note, verifier)
        return parse_checkpoint(note.text)

    def tile(self, level: int, n: int, width: int) -> bytes:
        """The hashes of a tile."""
        answer = self.get(tile_path(level, n, width))
        assert answer.status_code == 200 and len(answer.content) == width * 32
        return answer.content

    def leaves(self, size: int) -> list[bytes]:
        """All leaves, from the entry tiles: uint16 length and leaf."""
        found = []
        for n in range((size + 255) // 256):
            width = min(256, size - n * 256)
            answer = self.get(tile_path(ENTRIES, n, width))
            assert answer.status_code == 200
            data = answer.content
            while data:
                length = int.from_bytes(data[:2], "big")
                found.append(data[2 : 2 + length])
                data = data[2 + length :]
        return found

    def records(self, size: int) -> list[Record]:
        """All records with their disclosures, page by page."""
        found: list[Record] = []
        while len(found) < size:
            answer = self.get(f"entries?from={len(found)}&count={min(200, size - len(found))}")
            assert answer.headers["Content-Type"] == "application/zstd"
            found += decode_records(decompress(answer.content, 1 << 26))
        return found


@pytest.mark.parametrize("at", [HOME, NEAR])
def test_a_stranger_can_verify_a_log_wherever_it_is_held(
    three: dict[str, Node], home: Node, near: Node, at: str
) -> None:
    home.put(150)
    until(lambda: home.agrees_with(NEAR, 300), "countersigning")
    origin, member = home.member.origin, home.member
    reader = Reader(three[FAR].session(three[at]), three[at], origin)
    newest = reader.checkpoint(NoteVerifier.parse(member.log_vkey), NoteVerifier.parse(three[at].member.receipt_vkey))
    size = newest.size
    assert newest.origin == origin and size >= 300
    leaves = reader.leaves(size)
    edge = {(level, n): reader.tile(level, n, (size >> 8 * level) % 256) for level, n in edge_tiles(size)}
    assert root_at(size, edge) == newest.root
    hashes = b"".join(leaf_hash(leaf) for leaf in leaves)
    assert hashes[: 256 * 32] == reader.tile(0, 0, 256) and len(leaves) == size
    for index in (0, 1, 255, 256, size - 1):
        verify_inclusion(index, size, leaf_hash(leaves[index]), inclusion_proof(index, size, reader.tile), newest.root)
    old_edge = {(0, 1): hashes[256 * 32 : 257 * 32], (1, 0): sha256_tree(hashes[: 256 * 32])}
    old_root = root_at(257, old_edge)
    verify_consistency(257, size, consistency_proof(257, size, reader.tile), old_root, newest.root)
    records = reader.records(size)
    assert [record.leaf for record in records] == leaves
    opened = 0
    for record in records:
        entry = parse_entry(record.leaf)
        if isinstance(entry.body, str):
            opened += open_disclosure(entry.id, entry.body, record.disclosure)["schema"] != ""
    assert opened >= 300


def sha256_tree(hashes: bytes) -> bytes:
    """Root of 2^k leaf hashes, as RFC 6962 §2.1 defines it."""
    while len(hashes) > 32:
        pairs = [hashes[n : n + 64] for n in range(0, len(hashes), 64)]
        hashes = b"".join(sha256(b"\x01" + pair).digest() for pair in pairs)
    return hashes


def test_the_keys_are_served_beside_the_tiles(three: dict[str, Node], home: Node) -> None:
    reader = Reader(three[FAR].session(home), home, home.member.origin)
    policy = parse_policy(reader.get("trust.policy").content)
    assert [key.vkey for key in policy.logs if key.name == home.member.origin] == [home.member.log_vkey]
    assert reader.get("log.vkey").text == f"{home.member.log_vkey}\n"
    assert set(reader.get("witnesses.vkey").text.split()) == {node.member.receipt_vkey for node in three.values()}
    assert reader.get("other.vkey").status_code == 400


def test_only_what_is_signed_and_held_is_served(three: dict[str, Node], home: Node) -> None:
    reader = Reader(three[FAR].session(home), home, home.member.origin)

    def nothing_follows() -> bool:
        """The log may have grown between two questions, for the bureau still acknowledges: then they are put again."""
        size = reader.checkpoint().size
        entries = reader.get(f"entries?from={size}&count=9").content
        tile = reader.get(tile_path(0, size // 256, size % 256 + 1)).status_code
        return entries == compress(b"") and tile == 404

    until(nothing_follows, "nothing beyond the newest signed size is served")
    for path in ("tile/0/x001", "tile/9/000", "tile/0/0", "tile/0/000.p/0", "tile/0/000.p/257", "tile/-1/000"):
        assert reader.get(path).status_code in (400, 404), path
    for query in ("from=-1&count=1", "from=0&count=1_0", "from=٣&count=1", "from=0", "count=1", "from= 0&count=1"):
        assert reader.get(f"entries?{query}").status_code == 400, query
    stranger = Reader(three[FAR].session(home), home, "nobody/999999/1")
    for path in ("checkpoint", "tile/0/000.p/1"):
        assert stranger.get(path).status_code == 404
    assert stranger.get("entries?from=0&count=1").status_code in (400, 404)


BOMB = compress(b"\0" * (BATCH_LIMIT + 1))
FRAME = compress(b"old 0\n\n")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"garbage", 400),
        (os.urandom(2048), 400),
        (FRAME, 400),
        (FRAME[:-1], 400),
        (FRAME + b"x", 400),
        (compress(b"old 1_0\n\n"), 400),
        (compress(b""), 400),
        (BOMB, 413),
        (b"x" * (BATCH_LIMIT + 1), 413),
        (b"x" * (4 * BATCH_LIMIT), 413),
    ],
    ids=["empty", "garbage", "random", "head", "cut", "more", "number", "nothing", "bomb", "long", "longest"],
)
def test_what_is_no_batch_is_refused_and_changes_nothing(
    three: dict[str, Node], near: Node, body: bytes, status: int
) -> None:
    session = three[FAR].session(near)
    url = f"{near.member.url}{PREFIX}/{three[FAR].member.origin}"
    before = near.peer(FAR)["held_of_theirs"]
    answer = session.post(f"{url}/entries", data=body, timeout=30)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain") and answer.text.endswith(".\n")
    if body not in (b"", FRAME, compress(b"old 1_0\n\n"), compress(b"")):
        assert session.post(f"{url}/disclosures", data=body, timeout=30).status_code in (400, 413)
    assert near.peer(FAR)["held_of_theirs"] == before


def test_a_body_that_never_ends_is_refused(three: dict[str, Node], near: Node) -> None:
    def endless() -> object:
        for _ in range(BATCH_LIMIT // 65536 + 20):
            yield b"x" * 65536

    url = f"{near.member.url}{PREFIX}/{three[FAR].member.origin}/entries"
    assert three[FAR].session(near).post(url, data=endless(), timeout=30).status_code == 413


def test_a_batch_with_a_strangers_signature_is_refused(three: dict[str, Node], near: Node) -> None:
    origin = three[FAR].member.origin
    head = base64.b64encode(bytes(32)).decode()
    note = f"{origin}\n0\n{head}\n\n— {origin} {base64.b64encode(bytes(68)).decode()}\n"
    body = compress(f"old 0\n\n{note}\n{note}\n".encode())
    url = f"{near.member.url}{PREFIX}/{origin}/entries"
    answer = three[FAR].session(near).post(url, data=body, timeout=10)
    assert answer.status_code == 403 and "Nothing was stored" in answer.text


def test_what_libraries_say_is_a_log_line_too(three: dict[str, Node], near: Node) -> None:
    context = three[FAR].tls(near)
    bare = socket.create_connection(("127.0.0.1", near.port), timeout=10)
    with context.wrap_socket(bare, server_hostname="127.0.0.1") as made:
        made.sendall(b"\x00\x01 no HTTP at all\r\n\r\n")
        assert made.recv(32).startswith(b"HTTP/1.1 400")
    until(lambda: near.said("library"), "the line")
    assert near.complaints.read_text("utf-8") == "", "nothing goes to standard error"
