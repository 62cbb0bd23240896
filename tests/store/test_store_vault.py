"""The vault: sealed bytes tell nothing without their key, and a forgotten key is gone from the file."""

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from syncd.errors import NeedsPerson, Retry, Stop
from syncd.store.vault import Sealed, Vault

pytestmark = pytest.mark.fast

KEY = bytes(range(32))
TEXTS = [b"one", b"", b"three" * 100_000]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a vault was made."""
    Vault.create(tmp_path / "vault.db", KEY).close()
    return tmp_path / "vault.db"


def test_what_was_sealed_opens_again_later(path: Path) -> None:
    vault = Vault(path, KEY)
    sealed = vault.seal(TEXTS)
    more = vault.seal([b"again"])
    vault.close()
    vault = Vault(path, KEY)
    assert vault.open_many([*sealed, None, *more]) == [*TEXTS, None, b"again"]
    assert vault.seal([]) == vault.open_many([]) == []
    assert len({item.key_id for item in [*sealed, *more, *vault.seal(TEXTS)]}) == 7
    assert all(len(item.key_id) == 16 for item in sealed)


def test_the_same_text_is_never_sealed_alike(path: Path) -> None:
    one, two = Vault(path, KEY).seal([b"same", b"same"])
    assert one.data != two.data


def test_a_forgotten_key_is_gone(path: Path) -> None:
    vault = Vault(path, KEY)
    sealed = vault.seal([b"kept", b"erased", b"kept too"])
    with sqlite3.connect(path) as db:
        wrapped = db.execute("SELECT wrapped FROM key_rings").fetchone()[0]
    assert vault.forget([sealed[1].key_id, b"unknown"]) == 1
    assert vault.forget([sealed[1].key_id]) == 0
    assert vault.open_many(sealed) == [b"kept", None, b"kept too"]
    for file in path.parent.iterdir():
        assert wrapped not in file.read_bytes(), file.name


def test_many_are_opened_at_once(path: Path) -> None:
    vault = Vault(path, KEY)
    texts = [b"%d" % n for n in range(1700)]
    assert vault.open_many(vault.seal(texts)) == texts


def test_the_file_alone_opens_nothing(path: Path) -> None:
    vault = Vault(path, KEY)
    vault.seal([b"text"])
    vault.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for key in (bytes(32), b"short"):
        with pytest.raises(Stop, match=r"node's key|32 bytes long"):
            Vault(path, key)


def test_changed_or_exchanged_bytes_stop(path: Path) -> None:
    vault = Vault(path, KEY)
    one, two = vault.seal([b"one", b"two"])
    flipped = Sealed(one.key_id, bytes([one.data[0] ^ 1]) + one.data[1:])
    for item in (flipped, Sealed(one.key_id, two.data)):
        with pytest.raises(Stop, match="does not open with its own key"):
            vault.open_many([item])


def test_a_damaged_ring_is_forgotten_whole_and_still_no_erasure_of_the_rest(path: Path) -> None:
    vault = Vault(path, KEY)
    one, two = vault.seal([b"one", b"two"])
    with sqlite3.connect(path) as db:
        (wrapped,) = db.execute("SELECT wrapped FROM key_rings WHERE id = ?", (one.key_id[:14],)).fetchone()
        damaged = bytes([wrapped[0] ^ 1]) + wrapped[1:]
        db.execute("UPDATE key_rings SET wrapped = ? WHERE id = ?", (damaged, one.key_id[:14]))
    vault.close()
    vault = Vault(path, KEY)
    assert vault.open_each([one, None, two]) == ([None, None, None], {0, 2})
    assert vault.forget([one.key_id]) == 0
    assert vault.open_each([one, None, two]) == ([None, None, None], {0, 2})
    assert vault.missing([one.key_id, two.key_id]) == {one.key_id, two.key_id}
    vault.close()
    assert wrapped[12:] not in path.read_bytes()


def test_a_missing_vault_is_never_replaced_by_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="is missing"):
        Vault(tmp_path / "vault.db", KEY)
    assert list(tmp_path.iterdir()) == []


def test_a_vault_is_made_once(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(NeedsPerson, match="already"):
        Vault.create(path, bytes(32))
    assert path.read_bytes() == before


def test_a_file_that_is_no_vault_stops(path: Path) -> None:
    for content in (b"", b"no database at all, but long enough to be read as one" * 50):
        path.write_bytes(content)
        with pytest.raises(Stop, match="does not open"):
            Vault(path, KEY)


def test_a_full_disk_seals_nothing(path: Path) -> None:
    vault = Vault(path, KEY)
    vault._db.execute("PRAGMA max_page_count = 1")  # SQLite's own way to have a full disk
    with pytest.raises(Retry, match="Nothing was sealed"):
        vault.seal([b"text"] * 1000)
    vault._db.execute("PRAGMA max_page_count = 100000")
    assert vault.open_many(vault.seal([b"text"])) == [b"text"]


def test_keys_are_on_disk_before_they_seal_and_are_made_some_rings_at_once(path: Path) -> None:
    vault = Vault(path, KEY)
    sealed = []
    for _ in range(40):
        sealed += vault.seal([b"text"] * 100)
        with sqlite3.connect(path) as db:
            stored = {ring for (ring,) in db.execute("SELECT id FROM key_rings")}
        assert {one.key_id[:-2] for one in sealed} <= stored
    assert len({one.key_id for one in sealed}) == 4000
    assert len(stored) == 1 + 2 + 4 + 8 + 16
    assert vault.open_many(sealed) == [b"text"] * 4000


def test_a_key_that_was_made_ahead_is_forgotten_alone(path: Path) -> None:
    vault = Vault(path, KEY)
    first, second = vault.seal([b"one"]) + vault.seal([b"two"])
    assert vault.forget([first.key_id]) == 1
    third = vault.seal([b"three"])[0]
    assert vault.open_many([first, second, third]) == [None, b"two", b"three"]
    assert {one.key_id[:-2] for one in (first, second, third)} == {first.key_id[:-2]}


def test_no_later_run_hands_out_what_an_earlier_one_left(path: Path) -> None:
    one = Vault(path, KEY).seal([b"one"])[0]
    two = Vault(path, KEY).seal([b"two"])[0]
    assert one.key_id[:8] != two.key_id[:8]


def test_threads_never_share_a_key(path: Path) -> None:
    vault = Vault(path, KEY)
    with ThreadPoolExecutor(4) as pool:
        sealed = [one for some in pool.map(lambda _: vault.seal([b"text"] * 70), range(40)) for one in some]
    assert len({one.key_id for one in sealed}) == len(sealed) == 2800
    assert vault.open_many(sealed) == [b"text"] * 2800
