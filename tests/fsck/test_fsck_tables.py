"""Every table is checked or left with a reason; one changed byte of a key, seal, version, line or proof is named."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from network import ORGAN, THREE, Network, company, find_spare, network, penalty, version_of
from sqlalchemy import Integer, Table, select
from test_flows_keys import begin
from test_flows_watch import lie
from test_flows_witness import Outsider, witness_of

from syncd import store
from syncd.errors import Stop
from syncd.flows.honour import Honouring
from syncd.flows.misbehaviour import Accusation, accuse
from syncd.flows.rekey import places_of
from syncd.flows.seal import Seal
from syncd.fsck.faults import Report
from syncd.fsck.run import Run, check
from syncd.fsck.tables import CHECKED, NOT_CHECKED, NOT_COMPARED
from syncd.fsck.versions import check_adoptions, check_texts
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, NoteSigner
from syncd.ledger.tiles import append
from syncd.ledger.tree import consistency_proof, leaf_hash
from syncd.ledger.witness_files import OutsideWitness
from syncd.store import further_lines
from syncd.store.register_tables import metadata

HOME, OTHER, THIRD = "320583", "310114", "320585"
WITNESSED = {Outsider().key.name: [Outsider().key.verifier]}
COURT = NoteSigner("court.example", Ed25519PrivateKey.from_private_bytes(b"c" * 32), COSIGNATURE_KEY)


@pytest.mark.fast
def test_every_table_is_checked_or_left_with_a_reason() -> None:
    for file in Path(store.__file__).parent.glob("*tables.py"):
        import_module(f"syncd.store.{file.stem}")
    tables = set(metadata.tables)
    assert CHECKED.keys() | NOT_CHECKED.keys() == tables and not CHECKED.keys() & NOT_CHECKED.keys()
    assert all(NOT_CHECKED.values()) and NOT_COMPARED.keys() <= CHECKED.keys()
    for name, columns in NOT_COMPARED.items():
        assert columns.keys() <= set(metadata.tables[name].c.keys()), name


@dataclass
class Site:
    """HOME's store with a row in every table of lines, keys, versions and evidence."""

    net: Network
    folder: Path

    def whole(self, *, repair: bool = False) -> Report:
        """The whole check of HOME."""
        bureau, sizes = self.net.nodes[HOME].bureau, self.folder / HOME / "signed-sizes"
        return check(bureau, sizes, lambda what, more: None, repair, WITNESSED)

    def looked(self, name: str) -> Report:
        """The part of the check that looks at a table."""
        bureau = self.net.nodes[HOME].bureau
        run = Run(bureau, Report(), lambda what, more: None, False)
        if name in ("witnessed", "evidence"):
            run.witnessing(WITNESSED)
            return run.report
        with bureau.store.read() as conn:
            places, states = places_of(bureau, conn), bureau.logs.states(conn)
            if name == "adoptions":
                run.note(check_adoptions(conn, places))
            elif name == "agreement_versions":
                run.note(check_texts(conn))
        if CHECKED[name] == "keys":
            run.keys(places)
        for state in states if "lines" in CHECKED[name] else ():
            run.lines(state)
        return run.report


@pytest.fixture(scope="module")
def site(story_urls: tuple[Path, Callable[[str], str]]) -> Iterator[Site]:
    """The story: keys rotated, a version adopted, an honour, lines given again, misbehaviour, and a seal."""
    folder, urls = story_urls
    net = network(folder, urls)
    find_spare(net, folder)
    net.versions = {code: [version_of(THREE, 2, "2026-12-01")] for code in THREE}
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    begin(net, folder, OTHER, "log")
    begin(net, folder, THIRD, "receipt")
    net.nodes[HOME].stages.adopt.adopt(2, 1001, "operator_request")
    args = {"uscc": company(1), "honour": "HN-RED", "name": "演示第1化工有限公司", "number": "诚〔2026〕1号",
            "organ": ORGAN, "on": "2026-11-01", "published": "2026-11-05", "until": "2027-10-31", "account": 7,
            "ground": "operator_request"}  # fmt: skip
    Honouring(net.nodes[OTHER].bureau).run("honour.grant", args, lambda conn, result: None)
    net.settle()
    net.now += dt.timedelta(minutes=61)
    net.settle()
    made = Site(net, folder)
    seen_outside(made)
    misbehaved(made)
    sealed(made)
    yield made
    net.close()


def seen_outside(site: Site) -> None:
    """Lines of an outside witness under HOME's log, and an outsider's log that HOME cosigns."""
    bureau = site.net.nodes[HOME].bureau
    bureau.outside = [OutsideWitness("court", COURT.verifier, "https://court.example")]
    with bureau.store.write() as conn:
        for size in (1, 3):
            text = format_checkpoint(Checkpoint(bureau.origin, size, bureau.logs.root(conn, bureau.origin, size)))
            line = COURT.cosign(text, 1_795_000_000 + size)
            further_lines.keep_outside(
                conn, bureau.origin, size, "court", line, 1_795_000_000 + size, bureau.now_text()
            )
    log = Outsider()
    witness, _ = witness_of(site.net.nodes[HOME], site.folder, log)
    assert witness.add_checkpoint(log.grow(3).body(0)).status == 200
    assert witness.add_checkpoint(log.grow(2).body(3)).status == 200
    forged = Outsider(salt=b"x").grow(5)
    assert witness.add_checkpoint(forged.body(5)).status == 409


def misbehaved(site: Site) -> None:
    """A split view of HOME's log, with a consistency proof from the smaller to the larger."""
    bureau, other = site.net.nodes[HOME].bureau, [leaf_hash(b"%d" % n) for n in range(7)]
    proof = consistency_proof(5, 7, lambda level, n, width: b"".join(other[:width]))
    small, large = lie(site.net, site.folder, 5), lie(site.net, site.folder, 7, append(0, {}, other)[1])
    keys = [bureau.members[HOME].log.vkey]
    with bureau.store.write() as conn:
        accuse(bureau, conn, Accusation(bureau.origin, "split_view", small, large, keys, THIRD, True, proof=proof))
        accuse(bureau, conn, Accusation(bureau.origin, "shrinking", large, small, keys, OTHER, False))


def sealed(site: Site) -> None:
    """HOME seals THIRD's log, and knows its successor."""
    bureau = site.net.nodes[HOME].bureau
    origin = bureau.members[THIRD].origin
    key = NoteSigner(origin[:-1] + "2", Ed25519PrivateKey.from_private_bytes(b"n" * 32), LOG_KEY)
    receipt = [one.vkey for one in bureau.members[THIRD].history() if one.role == "receipt" and one.last is None]
    named = {"origin": key.name, "log": key.vkey, "receipt": receipt[0]}
    Seal(bureau).run(origin, named, [], 7, lambda conn, result: None)


def others(value: Any, kind: Any) -> Iterator[Any]:
    """The value with one bit of it changed, at its beginning, within, and at its end."""
    if isinstance(value, bool) or value is None:
        yield (not value) if value is not None else 1 if isinstance(kind, Integer) else "x"
    elif isinstance(value, int):
        yield from (value ^ 1, value + 2**20)
    else:
        for at in sorted({0, len(value) // 3, len(value) // 2, len(value) - 1} & set(range(len(value)))):
            other = bytes([value[at] ^ 1]) if isinstance(value, bytes) else chr(ord(value[at]) ^ 1)
            yield value[:at] + other + value[at + 1 :]


def flipped(site: Site, table: Table, row: Any, column: str, value: Any) -> Report | None:
    """What is found with that value in the row; None where the table does not take it."""
    kept = site.net.nodes[HOME].bureau.store
    same = [table.c[one.name] == row[one.name] for one in table.primary_key]
    now = [table.c[one.name] == (value if one.name == column else row[one.name]) for one in table.primary_key]
    try:
        with kept.write() as conn:
            conn.execute(table.update().where(*same).values({column: value}))
    except Stop:
        return None
    report = site.looked(table.name)
    with kept.write() as conn:
        conn.execute(table.update().where(*now).values({column: row[column]}))
    return report


def test_nothing_is_wrong_in_the_story(site: Site) -> None:
    report = site.whole()
    assert report.total == 0, report.faults


@pytest.mark.parametrize("name", sorted(NOT_COMPARED))
def test_one_changed_byte_of_a_row_is_found_and_its_record_named(site: Site, name: str) -> None:
    table, tried, kept = metadata.tables[name], 0, site.net.nodes[HOME].bureau.store
    with kept.read() as conn:
        rows = [row._mapping for row in conn.execute(select(table).order_by(*table.primary_key)).fetchall()]
    assert rows, "the story leaves a row in each of these tables"
    for row in rows[:: len(rows) - 1 or 1] if kept.dialect == "sqlite" else rows[-1:]:
        for column in sorted({one.name for one in table.c} - NOT_COMPARED[name].keys()):
            for value in others(row[column], table.c[column].type):
                report = flipped(site, table, row, column, value)
                tried += report is not None
                assert report is None or report.total, (name, column, row[column], value)
                assert report is None or all(one.record and one.code for one in report.faults)
    assert tried >= len(table.c) - len(NOT_COMPARED[name])


def test_what_entries_tell_of_keys_and_versions_is_written_again(site: Site) -> None:
    kept, before = site.net.nodes[HOME].bureau.store, dict[str, Any]()
    names = ("adoptions", "member_keys", "seals")
    with kept.write() as conn:
        for name in names:
            before[name] = [tuple(row) for row in conn.execute(select(metadata.tables[name]))]
        conn.execute(metadata.tables["adoptions"].update().values(body="{}"))
        conn.execute(metadata.tables["seals"].delete())
        conn.execute(metadata.tables["member_keys"].delete().where(metadata.tables["member_keys"].c.member == OTHER))
        conn.execute(metadata.tables["fresh_lines"].update().values(line="— a b"))
    found, mended = site.whole(), site.whole(repair=True)
    assert found.total == mended.total == mended.mended and not found.ok and mended.ok, mended.faults
    assert {fault.split(".")[1] for fault in found.counts} == {
        "adoption_differs", "seal_missing", "key_missing", "fresh_signature_wrong"
    }  # fmt: skip
    assert site.whole().total == 0
    with kept.read() as conn:
        for name in ("adoptions", "member_keys"):
            assert sorted(tuple(row) for row in conn.execute(select(metadata.tables[name]))) == sorted(before[name])
        assert [row.origin for row in conn.execute(metadata.tables["seals"].select())] == [before["seals"][0][0]]
