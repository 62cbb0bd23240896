"""What is kept in memory of the newest entries: whole runs or nothing, in its bounds, and nothing after an erasure."""

from pathlib import Path

import pytest

from syncd.store.recent import BYTES_KEPT, Recent, RecentEntries
from syncd.store.vault import Vault

pytestmark = pytest.mark.fast


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """An empty vault."""
    return Vault.create(tmp_path / "vault.db", bytes(range(32)))


def entries(start: int, stop: int, weight: int = 10) -> list[Recent]:
    """Entries of that many bytes."""
    return [Recent(n, bytes(32), b"x" * weight, b"", None) for n in range(start, stop)]


def indices(kept: RecentEntries, start: int, stop: int, log: str = "a") -> list[int] | None:
    """Which entries come back."""
    found = kept.get(log, start, stop)
    return None if found is None else [one.idx for one in found]


def test_runs_are_joined_and_a_missing_one_gives_nothing(vault: Vault) -> None:
    kept = RecentEntries(vault)
    for start, stop in ((5, 6), (6, 9), (9, 10)):
        kept.put("a", entries(start, stop))
    kept.put("a", [])
    assert indices(kept, 5, 10) == [5, 6, 7, 8, 9] and indices(kept, 7, 10) == [7, 8, 9] and indices(kept, 6, 7) == [6]
    assert [indices(kept, *span) for span in ((4, 6), (9, 11), (7, 7), (0, 0))] == [None] * 4
    assert indices(kept, 5, 6, "b") is None


def test_what_does_not_follow_replaces_it(vault: Vault) -> None:
    kept = RecentEntries(vault)
    kept.put("a", entries(0, 3))
    kept.put("a", entries(7, 8))
    assert indices(kept, 0, 3) is None and indices(kept, 7, 8) == [7]


def test_the_oldest_go_when_it_is_too_much(vault: Vault) -> None:
    kept, half = RecentEntries(vault), BYTES_KEPT // 2
    for n in range(4):
        kept.put("a", entries(n, n + 1, half))
    assert indices(kept, 2, 4) == [2, 3] and indices(kept, 1, 4) is None
    kept.put("a", entries(4, 5, BYTES_KEPT + 1))
    assert indices(kept, 4, 5) is None
    kept.put("a", entries(5, 6))
    assert indices(kept, 5, 6) == [5]


def test_nothing_stays_after_an_erasure_or_when_the_store_has_changed(vault: Vault) -> None:
    kept = RecentEntries(vault)
    for log in ("a", "b"):
        kept.put(log, entries(0, 2))
    kept.drop("a")
    assert indices(kept, 0, 2) is None and indices(kept, 0, 2, "b") == [0, 1]
    vault.forget([vault.seal([b"text"])[0].key_id])
    assert indices(kept, 0, 2, "b") is None
    for n in range(3):
        kept.put("b", entries(n, n + 1, BYTES_KEPT // 3))
    assert indices(kept, 0, 3, "b") == [0, 1, 2]
