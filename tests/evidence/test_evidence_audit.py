"""Audits of an export and of a store: in order as they are, and a single flipped byte anywhere names its record."""

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from evidence_kit import HOME, THREE, carry_lines, company, evidence_of, origin_of, story
from network import Network, network, penalty

from syncd.errors import NeedsPerson, Stop
from syncd.evidence.audit import Report, audit
from syncd.evidence.export import Exported, export
from syncd.evidence.files import read_policy
from syncd.evidence.folder import FolderLog, logs_in, trust_file
from syncd.evidence.node_log import logs_of
from syncd.evidence.report import as_html, as_json, as_markdown, as_text
from syncd.ledger.policy import parse_policy


def quiet(what: str, more: int) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Network, Path]]:
    """The story and the folder of its nodes; tests put back what they alter."""
    folder = tmp_path_factory.mktemp("audited")
    net = story(folder, lambda code: f"sqlite:///{folder / code / 'syncd.db'}")
    yield net, folder
    net.close()


@pytest.fixture(scope="module")
def exported(told: tuple[Network, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One export for the tests that only read it."""
    folder = tmp_path_factory.mktemp("export") / "audit"
    write(told[0], folder)
    return folder


def write(net: Network, folder: Path, codes: tuple[str, ...] = THREE, provisional: bool = False) -> list[Exported]:
    """Export these logs as one node has them."""
    origins = [origin_of(net, code) for code in codes]
    return export(evidence_of(net), folder, origins, provisional=provisional, told=quiet)


def of_folder(folder: Path, level: int = 6, policy: Path | None = None) -> Report:
    """Audit an export."""
    trust, print_of = read_policy(policy or trust_file(folder))
    return audit([FolderLog(folder, origin) for origin in logs_in(folder)], trust, print_of, level, quiet)


def of_node(net: Network, level: int = 6) -> Report:
    """Audit one node's store."""
    evidence = evidence_of(net)
    with evidence.logs.store.read() as conn:
        logs = logs_of(evidence, conn, whole=level >= 4)
        return audit(logs, parse_policy(evidence.trust), evidence.fingerprint, level, quiet)


def places(report: Report) -> list[str]:
    """The records that are named."""
    return [fault.place for log in report.logs for found in log.faults.values() for fault in found]


@pytest.mark.parametrize("level", range(1, 7))
def test_what_is_in_order_is_found_so_at_every_level(told: tuple[Network, Path], exported: Path, level: int) -> None:
    for report in (of_folder(exported, level), of_node(told[0], level)):
        assert report.ok and not places(report) and not report.issues
        assert {log.origin: log.size for log in report.logs} == {
            origin_of(told[0], code): size for code, size in zip(THREE, (12, 17, 11), strict=True)
        }
        opened = sum(log.disclosures["opened"] for log in report.logs)
        assert opened == (37 if level >= 5 else 0), "all but entry 0 of each log"


def test_a_flipped_byte_in_any_file_is_found(exported: Path) -> None:
    chance, trust = random.Random(11), exported.with_name("trust.policy")
    shutil.copy(trust_file(exported), trust)
    for path in sorted(exported.rglob("*")):
        if not path.is_file() or path.name == "marks":
            continue
        data = path.read_bytes()
        origin = "/".join(path.relative_to(exported).parts[1:4])
        for at in (len(data) - 1, chance.randrange(len(data))):
            path.write_bytes(data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :])
            report = of_folder(exported, policy=trust)
            assert not report.ok, (path, at)
            if path.name != "trust.policy":
                assert any(place.startswith(origin) for place in places(report))
        path.write_bytes(data)
    assert of_folder(exported).ok


def flipped_at(exported: Path, name: str, at: int) -> list[str]:
    """What is named when one byte of a file of the home log is flipped."""
    path = next(exported.glob(f"*/jiakuntai-eco/{HOME}/1/{name}"))
    data = path.read_bytes()
    wrong = b"B" if data[at : at + 1] == b"A" else b"A"  # base64 stays base64, so that not only its form is wrong
    path.write_bytes(data[:at] + wrong + data[at + 1 :])
    found = places(of_folder(exported))
    path.write_bytes(data)
    return found


def test_the_record_is_the_one_that_was_altered(told: tuple[Network, Path], exported: Path) -> None:
    origin = origin_of(told[0], HOME)
    entries = next(exported.glob(f"public/jiakuntai-eco/{HOME}/1/tile/entries/000.p/*")).read_bytes()
    fifth = sum(2 + int.from_bytes(entries[start : start + 2], "big") for start in starts(entries)[:5])
    assert flipped_at(exported, "tile/entries/000.p/17", fifth + 2 + 20)[0] == f"{origin}:5"
    assert flipped_at(exported, "tile/0/000.p/17", 7 * 32 + 3) == [f"{origin}/tile/0/0"]
    pages = next(exported.glob(f"private/jiakuntai-eco/{HOME}/1/disclosures/000.p/17")).read_bytes()
    assert flipped_at(exported, "disclosures/000.p/17", pages.index("演示第102化工".encode()) + 2) == [f"{origin}:2"]
    notes = next(exported.glob(f"private/jiakuntai-eco/{HOME}/1/checkpoints/000.p/17")).read_bytes()
    line = notes.index(b"/310114/receipt ", notes.index(f"{origin}\n17\n".encode())) + 60
    assert flipped_at(exported, "checkpoints/000.p/17", line) == [f"{origin} checkpoint 17 line of 310114"]


def starts(entries: bytes) -> list[int]:
    """Where each record of an entry bundle begins."""
    found, at = [], 0
    while at < len(entries):
        found.append(at)
        at += 2 + int.from_bytes(entries[at : at + 2], "big")
    return found


COLUMNS = {
    "entries": ("id", "kind", "at", "ref_id", "ref", "leaf_hash", "leaf"),
    "disclosures": ("key_id", "sealed"),
    "tiles": ("hashes",),
    "checkpoints": ("root", "note"),
    "cosignatures": ("line", "member", "timestamp"),
}


@pytest.mark.parametrize(("table", "column"), [(table, name) for table, names in COLUMNS.items() for name in names])
def test_a_flipped_byte_in_any_row_of_the_store_is_found(told: tuple[Network, Path], table: str, column: str) -> None:
    net, folder = told
    origin = origin_of(net, HOME)
    db = sqlite3.connect(folder / HOME / "syncd.db", isolation_level=None, timeout=20)
    key = "size" if table in ("checkpoints", "cosignatures") else "n" if table == "tiles" else "idx"
    where = f"log = (SELECT id FROM logs WHERE origin = '{origin}') AND {column} IS NOT NULL"
    rows = db.execute(f"SELECT rowid, {key}, {column} FROM {table} WHERE {where} ORDER BY {key}").fetchall()
    for rowid, number, value in (rows[-1], rows[len(rows) // 2]):
        data = value if isinstance(value, bytes) else str(value).encode()
        at = len(data) // 2
        other = bytes([data[at] ^ 1]) if column != "line" else b"B" if data[at : at + 1] == b"A" else b"A"
        altered = data[:at] + other + data[at + 1 :]  # base64 stays base64, so that not only its form is wrong
        wrong = altered if isinstance(value, bytes) else altered.decode() if isinstance(value, str) else int(altered)
        db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (wrong, rowid))
        found = places(of_node(net))
        db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, rowid))
        named = {"idx": f"{origin}:{number}", "n": f"{origin}/tile/0/{number}", "size": f"{origin} checkpoint {number}"}
        newest = f"{origin}/checkpoint" if table == "checkpoints" and rowid == rows[-1][0] else named[key]
        assert any(place.startswith((named[key], newest)) for place in found), (rowid, found)
    db.close()
    assert of_node(net).ok


def test_a_newest_note_that_cannot_be_read_is_named(told: tuple[Network, Path]) -> None:
    """An audit says so; it does not break off."""
    net, folder = told
    origin = origin_of(net, HOME)
    db = sqlite3.connect(folder / HOME / "syncd.db", isolation_level=None, timeout=20)
    sql = f"SELECT rowid, note FROM checkpoints WHERE log = (SELECT id FROM logs WHERE origin = '{origin}')"
    rowid, note = db.execute(f"{sql} ORDER BY size DESC LIMIT 1").fetchone()
    db.execute("UPDATE checkpoints SET note = ? WHERE rowid = ?", (note.replace(b"\n\n", b"\n*\n"), rowid))
    assert f"{origin}/checkpoint" in places(of_node(net))
    db.execute("UPDATE checkpoints SET note = ? WHERE rowid = ?", (note, rowid))
    db.close()
    assert of_node(net).ok


def test_rows_that_are_gone_are_named(told: tuple[Network, Path]) -> None:
    net, folder = told
    origin = origin_of(net, HOME)
    db = sqlite3.connect(folder / HOME / "syncd.db", isolation_level=None, timeout=20)
    one = "log = (SELECT id FROM logs WHERE own) AND idx = 5"
    for table, place in (("entries", f"{origin}:5"), ("disclosures", f"{origin}:5")):
        row = db.execute(f"SELECT * FROM {table} WHERE {one}").fetchone()
        db.execute(f"DELETE FROM {table} WHERE {one}")
        assert place in places(of_node(net))
        db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    for state in ("erased", "absent"):
        db.execute(f"UPDATE disclosures SET state = '{state}' WHERE {one}")
        assert places(of_node(net)) == [f"{origin}:5"], "gone without an order"
        db.execute(f"UPDATE disclosures SET state = 'present' WHERE {one}")
    db.close()
    assert of_node(net).ok


def test_an_export_is_brought_on_and_not_written_again(tmp_path: Path) -> None:
    net = network(tmp_path, lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}")
    home = net.nodes[HOME].home
    home.put(*[penalty(str(n), company(n), "KS-0104", HOME) for n in range(130)])
    net.settle()
    carry_lines(net)
    folder = tmp_path / "out"
    first = write(net, folder)
    assert all(one.before == 0 and not one.lacking for one in first)
    again = write(net, folder)
    assert [one.size for one in again] == [one.size for one in first] and all(one.files <= 2 for one in again)
    old = {path: path.stat().st_ino for path in folder.rglob("*") if path.is_file() and ".p" not in str(path)}
    home.put(*[penalty(str(n), company(n), "KS-0104", HOME) for n in range(130, 270)])
    net.settle()
    carry_lines(net)
    third = write(net, folder)
    assert all(one.before == earlier.size < one.size for one, earlier in zip(third, first, strict=True))
    kept = {path for path, inode in old.items() if path.stat().st_ino == inode}
    assert any("tile/entries/000" in str(path) for path in kept) and any("tile/0/000" in str(path) for path in kept)
    assert of_folder(folder).ok and of_node(net).ok
    partial = next(folder.glob(f"public/jiakuntai-eco/{HOME}/1/tile/0/*.p/*"))
    partial.write_bytes(bytes(32) + partial.read_bytes()[32:])
    assert not of_folder(folder).ok, "partial tiles of earlier checkpoints are looked at too"
    net.close()


def test_a_crash_before_the_checkpoint_leaves_the_old_export_whole(told: tuple[Network, Path], tmp_path: Path) -> None:
    net, folder = told[0], tmp_path / "out"
    write(net, folder, (HOME,))
    checkpoint = folder / "public" / origin_of(net, HOME) / "checkpoint"
    checkpoint.unlink()
    with pytest.raises(NeedsPerson, match="no exported log"):
        logs_in(folder)
    (checkpoint.parent / "checkpoint.new").write_bytes(b"half")
    (done,) = write(net, folder, (HOME,))
    assert done.before == 0 and of_folder(folder).ok


def test_another_history_is_not_written_over(told: tuple[Network, Path], tmp_path: Path) -> None:
    net, folder = told[0], tmp_path / "out"
    write(net, folder, (HOME,))
    path = folder / "public" / origin_of(net, HOME) / "checkpoint"
    lines = path.read_text("utf-8").split("\n")
    path.write_text("\n".join([lines[0], lines[1], "A" * 43 + "=", *lines[3:]]), "utf-8")
    with pytest.raises(Stop, match="another history"):
        write(net, folder, (HOME,))
    path.write_text("\n".join([lines[0], "99", *lines[2:]]), "utf-8")
    with pytest.raises(Stop, match="newer than the node"):
        write(net, folder, (HOME,))


def test_withheld_disclosures_are_told_and_are_no_fault(told: tuple[Network, Path], tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write(told[0], folder)
    shutil.rmtree(folder / "private" / origin_of(told[0], HOME) / "disclosures")
    report = of_folder(folder)
    assert report.ok and next(log for log in report.logs if HOME in log.origin).disclosures == {"withheld": 16}


def test_a_finding_that_nobody_answered_is_listed(told: tuple[Network, Path], tmp_path: Path) -> None:
    """Without the third log its answers are unknown, so nothing is said of it; an early end of it shows as open."""
    folder = tmp_path / "out"
    write(told[0], folder, THREE[:2])
    assert of_folder(folder).ok
    shutil.rmtree(folder / "public" / origin_of(told[0], THREE[0]))
    assert of_folder(folder).ok and [log.origin for log in of_folder(folder).logs] == [origin_of(told[0], HOME)]


def test_the_report_in_three_forms(told: tuple[Network, Path], tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write(told[0], folder)
    path = next(folder.glob(f"public/jiakuntai-eco/{HOME}/1/tile/0/*/*"))
    path.write_bytes(bytes(32) + path.read_bytes()[32:])
    content = as_json(of_folder(folder))
    assert orjson.loads(as_text(content)) == content and content["ok"] is False
    place = f"{origin_of(told[0], HOME)}/tile/0/0"
    for text in (as_markdown(content).decode(), as_html(content).decode()):
        assert place in text and "有误" in text and content["policy"] in text
    assert "<script" not in as_html(content).decode() and "http" not in as_html(content).decode()


def test_rows_on_postgresql_too(tmp_path: Path, postgres_urls: Callable[[str], str]) -> None:
    net = network(tmp_path, postgres_urls)
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    assert of_node(net).ok
    origin = origin_of(net, HOME)
    alter = {
        f"{origin}:1": ("entries", "leaf", "idx = 1"),
        f"{origin}:2": ("disclosures", "sealed", "idx = 2"),
        f"{origin}/tile/0/0": ("tiles", "hashes", "level = 0"),
        f"{origin} checkpoint 2": ("checkpoints", "root", "size = 2"),
    }
    for place, (table, column, where) in alter.items():
        mine = f"log = (SELECT id FROM logs WHERE origin = '{origin}')"
        for altered in (True, False):  # the same statement puts the byte back
            with net.nodes[HOME].bureau.store.write() as conn:
                flip = f"set_byte({column}, 9, get_byte({column}, 9) # 1)"
                conn.exec_driver_sql(f"UPDATE {table} SET {column} = {flip} WHERE {mine} AND {where}")
            assert (place in places(of_node(net))) == altered
    assert of_node(net).ok
    net.close()
