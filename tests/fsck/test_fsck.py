"""The check of a store: silent where all is well; it names the record that is not, and mends what is derivable."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from network import Network, company, network, opened, penalty, relief

from syncd.fsck.faults import Report
from syncd.fsck.run import check
from syncd.store import jobs, register
from syncd.store.statement import execute

HOME, OTHER = "320583", "310114"


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Nodes with a little story, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("pattern")
    net = network(folder, lambda code: f"sqlite:///{folder / code / 'syncd.db'}")
    story(net)
    net.close()
    yield folder


def story(net: Network) -> None:
    """Findings that stand, one repaired, one amended, one copy for the desk, one erased."""
    rows = [penalty(str(100 + n), company(n), "KS-0104", HOME) for n in range(1, 5)]
    net.nodes[HOME].home.put(*rows)
    net.nodes[OTHER].home.put(penalty("201", company(9), "JD-0101", OTHER, CF_WSH="沪环罚〔2026〕201号"))
    net.settle()
    changed = penalty("102", company(2), "KS-0104", HOME, CF_NR_FK="5", GXSJ="2026-11-06 08:00:00.000000")
    net.nodes[HOME].home.put(relief("r1", rows[0], "修复"), relief("r2", rows[2], "异议"), changed)
    net.settle()
    node = net.nodes[HOME]
    with node.bureau.store.write() as conn:
        leaf = register.findings_of(conn, company(4))[0].leaf.hex()
        args = {"finding": leaf, "ground": "revoked", "number": None, "revoke": True, "account": 1}
        jobs.ask(conn, "erase", args, "1", node.bureau.now_text())
    node.stages.work.step()
    net.settle()


@pytest.fixture
def net(pattern: Path, tmp_path: Path) -> Iterator[Network]:
    """A copy of the pattern, opened."""
    shutil.copytree(pattern, tmp_path, dirs_exist_ok=True)
    made = opened(tmp_path, lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}")
    made.establish()
    yield made
    made.close()


def looked(net: Network, folder: Path, code: str = HOME, *, repair: bool = False) -> Report:
    return check(net.nodes[code].bureau, folder / code / "signed-sizes", lambda what, more: None, repair)


def alter(net: Network, sql: str) -> None:
    with net.nodes[HOME].bureau.store.write() as conn:
        execute(conn, sql)


def test_nothing_is_wrong_where_nothing_is(net: Network, tmp_path: Path) -> None:
    for code in net.nodes:
        report = looked(net, tmp_path, code)
        assert report.ok and report.total == 0, report.faults
        assert report.records["entries"] > 20


DERIVABLE = {
    "tiles.tile_differs": "UPDATE tiles SET hashes = zeroblob(length(hashes)) WHERE log = 1 AND level = 0",
    "tiles.tile_missing": "DELETE FROM tiles WHERE log = 2",
    "cursors.cursor_beyond": f"UPDATE cursors SET value = '999999' WHERE name LIKE 'answers:%{OTHER}%'",
    "register.finding_differs": "UPDATE findings SET uscc = '91320583MA00000000', name = 'x' WHERE idx = 2",
    "register.finding_missing": "DELETE FROM findings WHERE idx = 2",
    "register.finding_extra": "UPDATE findings SET leaf = zeroblob(32) WHERE idx = 2",
    "register.relief_missing": "DELETE FROM relief_events WHERE kind = 'relief.repaired'",
    "register.response_differs": "UPDATE responses SET counter = 9 WHERE region = '320583' AND kind LIKE '%lifted'",
    "register.response_missing": "DELETE FROM responses WHERE region = '320585'",
    "outbox.delivery_differs": "UPDATE deliveries SET active = NOT active",
    "outbox.delivery_missing": "DELETE FROM deliveries",
    "erasures.not_erased": "UPDATE disclosures SET state = 'present' WHERE state = 'erased'",
    "erasures.words_left": "UPDATE disclosures SET sealed = x'00' WHERE state = 'erased'",
}


def test_what_is_derivable_is_named_and_mended(net: Network, tmp_path: Path) -> None:
    pushes = net.nodes[HOME].home.pushes
    for fault, sql in DERIVABLE.items():
        alter(net, sql)
        report = looked(net, tmp_path)
        assert report.counts[fault] and not report.ok and report.mended == 0, fault
        assert all(one.derivable and one.record for one in report.faults), report.faults
        mended = looked(net, tmp_path, repair=True)
        assert mended.ok and mended.mended == report.total, fault
    net.settle(collect=False)
    assert looked(net, tmp_path).total == 0
    assert net.nodes[HOME].home.pushes > pushes, "what was delivered is told home again"


WORDS = {
    "register.response_differs": ("responses", "body", "basis"),
    "register.finding_differs": ("findings", "body", "criterion"),
    "outbox.delivery_differs": ("deliveries", "measures", "basis"),
}


def test_words_that_were_altered_are_named_and_mended_even_where_they_are_no_json_any_more(
    net: Network, tmp_path: Path
) -> None:
    for fault, (table, column, word) in WORDS.items():
        for changed in (f"replace({column}, '{word}', '{word[:-1]}')", f"substr({column}, 2)"):
            alter(net, f"UPDATE {table} SET {column} = {changed} WHERE {column} LIKE '%{word}%'")
            assert looked(net, tmp_path).counts[fault], (fault, changed)
            assert looked(net, tmp_path, repair=True).ok, (fault, changed)


ORIGIN = f"jiakuntai-eco/{HOME}/1"
NOT_DERIVABLE = {
    "log.entry_missing": ("DELETE FROM entries WHERE log = 1 AND idx = 3", f"{ORIGIN}:3"),
    "log.leaf_hash_differs": ("UPDATE entries SET leaf_hash = zeroblob(32) WHERE log = 1 AND idx = 4", f"{ORIGIN}:4"),
    "log.column_differs": ("UPDATE entries SET kind = 'other' WHERE log = 1 AND idx = 5", f"{ORIGIN}:5"),
    "log.root_differs": ("UPDATE checkpoints SET root = zeroblob(32) WHERE log = 1 AND size = 1", f"{ORIGIN}@1"),
    "log.entry_beyond_size": ("UPDATE entries SET idx = 9999 WHERE log = 1 AND idx = 6", f"{ORIGIN}:9999"),
    "vault.key_missing": ("UPDATE disclosures SET sealed = NULL WHERE log = 1 AND idx = 2", f"{ORIGIN}:2"),
}


def test_what_is_not_derivable_is_named_and_left(net: Network, tmp_path: Path) -> None:
    for sql, _ in NOT_DERIVABLE.values():
        alter(net, sql)
    for repair in (True, False):
        report = looked(net, tmp_path, repair=repair)
        assert not report.ok
        for fault, (_, record) in NOT_DERIVABLE.items():
            assert record in [one.record for one in report.faults if f"{one.part}.{one.code}" == fault], fault


def test_one_flipped_byte_of_a_leaf_is_found_and_its_tiles_are_kept(net: Network, tmp_path: Path) -> None:
    alter(net, "UPDATE entries SET leaf = CAST(replace(leaf, 'v', 'w') AS BLOB) WHERE log = 1 AND idx = 3")
    report = looked(net, tmp_path, repair=True)
    assert report.counts["log.leaf_hash_differs"] == 1 and report.counts["log.root_differs"] and not report.ok
    assert looked(net, tmp_path).counts["tiles.tile_differs"], "they lead to the signed root, the leaf does not"


def test_the_signed_sizes_and_a_forgotten_key_are_named(net: Network, tmp_path: Path) -> None:
    bureau = net.nodes[HOME].bureau
    with bureau.store.read() as conn:
        size = bureau.logs.state(conn, bureau.origin).size
        key = execute(conn, "SELECT key_id FROM disclosures WHERE log = 1 AND idx = 2").scalar_one()
    bureau.sizes.record(bureau.origin, size + 5, bytes(32))
    bureau.vault.forget([key])
    report = looked(net, tmp_path)
    assert [(one.record, one.detail) for one in report.faults if one.code == "store_older"] == [
        (bureau.origin, f"signed {size + 5}, held {size}")
    ]
    assert [one.record for one in report.faults if one.code == "key_missing"] == [f"{bureau.origin}:2"]
    (tmp_path / HOME / "signed-sizes").unlink()
    assert looked(net, tmp_path).counts["sizes.file_unreadable"] == 1


def test_a_register_on_postgresql_agrees_with_its_logs(tmp_path: Path, postgres_urls: Callable[[str], str]) -> None:
    net = network(tmp_path, postgres_urls)
    try:
        net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
        net.settle()
        assert looked(net, tmp_path).total == 0
        alter(net, "DELETE FROM deliveries")
        alter(net, "UPDATE findings SET place = '310114'")
        report = looked(net, tmp_path, repair=True)
        assert report.counts["outbox.delivery_missing"] and report.counts["register.finding_differs"] and report.ok
        assert looked(net, tmp_path).total == 0
    finally:
        net.close()
