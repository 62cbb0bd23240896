"""What must hold of three nodes after any crash, asked of stores, files and home systems, never of their words."""

import datetime as dt
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import orjson
from network import Network, Node

from syncd.flows.answer import IMPOSED, LIFTED
from syncd.flows.understand import RESPONSES, natural_key
from syncd.ledger.entry import parse_entry
from syncd.ledger.notes import NoteVerifier, parse_note, verify_note
from syncd.store import desk, jobs, outbox, register
from syncd.store.reading import EntryRow

Json = dict[str, Any]
Said = list[tuple[str, Json]]
DAY = dt.date(2026, 11, 22)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Root of a list of leaves as RFC 6962 §2.1 defines it."""
    if len(leaves) <= 1:
        return sha256(b"\x00" + leaves[0]).digest() if leaves else sha256(b"").digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def rows_of(node: Node, origin: str) -> list[EntryRow]:
    """All entries of a log as a node holds it."""
    logs = node.bureau.logs
    with node.bureau.store.read() as conn:
        return logs.read_entries(conn, origin, 0, logs.state(conn, origin).size)


def disclosed(node: Node, rows: Sequence[EntryRow]) -> list[bytes | None]:
    """What the entries disclose, byte for byte."""
    return node.bureau.vault.open_many([row.sealed for row in rows])


def sizes(net: Network) -> dict[tuple[str, str], int]:
    """The size of every log at every node."""
    return {(code, origin): len(rows_of(node, origin)) for code, node in net.nodes.items()
            for origin in node.bureau.origins}  # fmt: skip


def trees(net: Network) -> None:
    """Every log leads to its newest signed root, every listed size is signed, and the signed-sizes file agrees."""
    for node in net.nodes.values():
        bureau = node.bureau
        for origin in bureau.origins:
            leaves = [row.leaf for row in rows_of(node, origin)]
            owner = bureau.owner(origin)
            assert owner is not None and leaves
            with bureau.store.read() as conn:
                newest = bureau.logs.newest(conn, origin)
                assert bureau.logs.unsigned(conn, origin) == []
                listed = [row for size in range(len(leaves) + 1) if (row := bureau.logs.checkpoint(conn, origin, size))]
                signed = bureau.logs.countersigned_by_all(conn, origin)
                assert bureau.logs.root(conn, origin, len(leaves)) == root_of(leaves)
            assert newest is not None and newest.size == len(leaves) and newest.root == root_of(leaves)
            for row in listed:
                assert row.root == root_of(leaves[: row.size]) and row.note is not None
                keys = [one.vkey for one in owner.history() if one.role == "log" and one.covers(origin, row.size)]
                note, signed_by = parse_note(row.note), [NoteVerifier.parse(key) for key in keys]
                lines = [key for key in signed_by if any(key.made(line) for line in note.lines)]
                assert lines and [verify_note(note, key) for key in lines] == [None] * len(lines)
            own_word = bureau.sizes.get(origin)
            assert own_word is not None and (own_word.size, own_word.root) == (newest.size, newest.root)
            assert signed[bureau.code] == len(leaves), "what is held is countersigned"
            if origin == bureau.origin:
                assert signed == dict.fromkeys(bureau.members, len(leaves)), "and everybody has told so"


def mirrors(net: Network) -> None:
    """Every member holds every log byte for byte, disclosures included."""
    for owner in net.nodes.values():
        origin = owner.bureau.origin
        rows = rows_of(owner, origin)
        leaves, texts = [row.leaf for row in rows], disclosed(owner, rows)
        for node in net.nodes.values():
            held = rows_of(node, origin)
            assert [row.leaf for row in held] == leaves
            assert disclosed(node, held) == texts


def findings(node: Node) -> dict[bytes, str]:
    """Leaf and organisation of the findings a node has issued; each decision is there once."""
    rows = [row for row in rows_of(node, node.bureau.origin) if row.kind == "finding.issued"]
    bodies = [orjson.loads(text or b"")["body"] for text in disclosed(node, rows)]
    keys = [natural_key(one["key"]["organ"], one["key"]["number"], one["subject"]["uscc"], one["key"]["date"])
            for one in bodies]  # fmt: skip
    assert len(set(keys)) == len(keys), "a finding was issued twice"
    return {row.leaf_hash: body["subject"]["uscc"] for row, body in zip(rows, bodies, strict=True)}


def answers(node: Node) -> dict[bytes, Said]:
    """What a region has answered to each finding, in order; never the same twice in a row."""
    said: dict[bytes, Said] = {}
    rows = [row for row in rows_of(node, node.bureau.origin) if row.kind in RESPONSES]
    for row, text in zip(rows, disclosed(node, rows), strict=True):
        ref = parse_entry(row.leaf).ref
        assert ref is not None
        body = orjson.loads(text or b"")["body"]
        before = said.setdefault(bytes.fromhex(ref.leaf), [])
        now = (str(row.kind), {name: value for name, value in body.items() if name not in ("knew", "due")})
        assert now not in before[-1:], "the same answer was given twice"
        before.append(now)
    return said


def home(node: Node) -> None:
    """The home system has what the register says, all of it acknowledged, and nothing else."""
    with node.bureau.store.read() as conn:
        deliveries = outbox.counts(conn)
        answered = register.responses_of(conn, None, node.bureau.code)
    assert set(deliveries) <= {"acknowledged"}, deliveries
    wanted = {}
    for leaf, by_region in answered.items():
        response = by_region[node.bureau.code]
        last, _ = response.last_imposed()
        imposed = orjson.loads(last)["measures"] if last else []
        wanted |= {(leaf.hex(), one["id"]): "1" if response.kind == IMPOSED else "0" for one in imposed}
    assert node.home.ordered() == wanted


def asked(node: Node) -> None:
    """What a person asked for was done, and written into the log, once."""
    with node.bureau.store.read() as conn:
        found = [jobs.one(conn, number) for number in (1, 2)]
    assert [one.state if one is not None else "" for one in found] == ["done", "done"], found
    assert [row.kind for row in rows_of(node, node.bureau.origin)].count("operator.acted") == 2


def story(net: Network, issued: dict[bytes, str], relieved: str, reviewed: str, by: str) -> None:
    """Each region imposes each finding once, and lifts it once if it is relieved.

    What needs review is imposed only ``by`` the region whose person has released it.
    """
    for code, node in net.nodes.items():
        said = answers(node)
        assert set(said) == set(issued)
        for leaf, uscc in issued.items():
            wanted = [IMPOSED, LIFTED] if uscc == relieved else [] if uscc == reviewed and code != by else [IMPOSED]
            assert [kind for kind, _ in said[leaf] if kind in (IMPOSED, LIFTED)] == wanted
            assert not wanted or said[leaf][-1][0] == wanted[-1]
            checked = {one["finding"]: one for one in node.stages.inquiry.check(uscc, DAY)["findings"]}
            assert bool(checked[leaf.hex()]["measures"]) == (wanted == [IMPOSED])
        with node.bureau.store.read() as conn:
            left = desk.counts(conn)
        assert left.keys() - {"unreadable_at_peer"} == (set() if code == by else {"review"}), "nobody else is needed"
