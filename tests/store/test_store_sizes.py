"""The signed sizes: never down, never two roots, whole again after any torn end, silent about no other damage."""

import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from syncd.errors import NeedsPerson, Stop
from syncd.store import sizes as module
from syncd.store.sizes import SignedSize, SignedSizes

pytestmark = pytest.mark.fast

LOG = "jiakuntai-eco/320583/1"
OTHER = "jiakuntai-eco/310114/1"


def root(n: int) -> bytes:
    """A root."""
    return sha256(b"%d" % n).digest()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with two sizes of one log recorded."""
    file = tmp_path / "sizes"
    sizes = SignedSizes.create(file, [LOG])
    sizes.record(LOG, 5, root(5))
    sizes.record(LOG, 9, root(9))
    sizes.close()
    return file


def test_the_newest_size_of_each_log_is_known_again(path: Path) -> None:
    sizes = SignedSizes(path)
    sizes.record(OTHER, 3, root(3))
    assert SignedSizes(path).all() == [SignedSize(LOG, 9, root(9)), SignedSize(OTHER, 3, root(3))]
    assert sizes.get("unknown") is None


def test_a_new_file_begins_at_size_zero_and_is_made_once(tmp_path: Path) -> None:
    sizes = SignedSizes.create(tmp_path / "sizes", [LOG])
    assert sizes.get(LOG) == SignedSize(LOG, 0, sha256(b"").digest())
    with pytest.raises(NeedsPerson, match="already"):
        SignedSizes.create(tmp_path / "sizes")


def test_a_size_never_goes_down_and_never_has_two_roots(path: Path) -> None:
    sizes = SignedSizes(path)
    for size, digest in ((8, root(8)), (5, root(5)), (0, root(0)), (9, root(1))):
        with pytest.raises(Stop, match="has signed size 9"):
            sizes.record(LOG, size, digest)
    with pytest.raises(Stop):
        sizes.record_many([SignedSize(LOG, 12, root(12)), SignedSize(LOG, 11, root(11))])
    assert sizes.get(LOG) == SignedSizes(path).get(LOG) == SignedSize(LOG, 9, root(9))


def test_what_stands_there_already_is_not_written_again(path: Path) -> None:
    sizes = SignedSizes(path)
    before = path.stat().st_size
    sizes.record(LOG, 9, root(9))
    assert path.stat().st_size == before
    sizes.record_many([SignedSize(LOG, 10, root(10)), SignedSize(LOG, 10, root(10)), SignedSize(LOG, 11, root(11))])
    assert SignedSizes(path).get(LOG) == SignedSize(LOG, 11, root(11))


@given(cut=st.integers(1, 200), junk=st.binary(max_size=40))
def test_a_torn_end_is_dropped(tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes) -> None:
    file = tmp_path_factory.mktemp("sizes") / "sizes"
    sizes = SignedSizes.create(file)
    sizes.record(LOG, 5, root(5))
    whole = file.stat().st_size
    sizes.record(LOG, 9, root(9))
    sizes.close()
    data = file.read_bytes()
    torn = data[: max(whole, len(data) - cut)] + junk.replace(b"\n", b"?")
    assume(cut > 1 or not junk)  # another byte in the place of a whole line's newline is no torn line
    file.write_bytes(torn)
    again = SignedSizes(file)
    assert again.get(LOG) == SignedSize(LOG, 5, root(5))
    again.record(LOG, 7, root(7))
    again.close()
    assert SignedSizes(file).get(LOG) == SignedSize(LOG, 7, root(7))


def test_damage_with_a_whole_line_behind_it_stops(path: Path) -> None:
    sizes = SignedSizes(path)
    sizes.record(LOG, 12, root(12))
    sizes.record(LOG, 15, root(15))
    sizes.close()
    lines = path.read_bytes().split(b"\n")
    for n in (0, 1, 2):
        damaged = [line.replace(b"1", b"2") if at == n else line for at, line in enumerate(lines)]
        path.write_bytes(b"\n".join(damaged))
        with pytest.raises(Stop, match=f"damaged at line {n + 1}"):
            SignedSizes(path)


@pytest.mark.parametrize("end", [b"", b"jiakuntai-eco/3"])
def test_any_byte_of_a_whole_line_that_is_another_is_named(path: Path, end: bytes) -> None:
    whole = path.read_bytes()
    ends = [at for at, byte in enumerate(whole) if byte == 10]
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] + end)
        with pytest.raises(Stop, match=f"damaged at line {1 + sum(one < at for one in ends)}: .*asks every member"):
            SignedSizes(path)
    path.write_bytes(whole + end)
    assert SignedSizes(path).get(LOG) == SignedSize(LOG, 9, root(9))


def test_a_missing_file_stops(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="missing"):
        SignedSizes(tmp_path / "sizes")


def test_a_line_is_on_disk_before_the_call_returns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = SignedSizes(path)
    synced: list[bytes] = []
    monkeypatch.setattr(module.os, "fsync", lambda _: synced.append(path.read_bytes()))
    sizes.record(LOG, 20, root(20))
    assert len(synced) == 1
    assert root(20).hex().encode() in synced[0]


def test_after_a_failed_sync_nothing_more_is_signed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = SignedSizes(path)

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(module.os, "fsync", fail)
    with pytest.raises(Stop, match="did not leave"):
        sizes.record(LOG, 20, root(20))
    monkeypatch.undo()
    with pytest.raises(Stop, match="an earlier write failed"):
        sizes.record(LOG, 21, root(21))
    assert sizes.get(LOG) == SignedSize(LOG, 9, root(9))


def test_a_long_file_is_shortened_as_it_goes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LINES_KEPT", 10)
    sizes = SignedSizes(path)
    for size in range(10, 60):
        sizes.record(LOG, size, root(size))
    assert path.read_bytes().count(b"\n") <= 14
    assert SignedSizes(path).get(LOG) == SignedSize(LOG, 59, root(59))
    assert os.stat(path).st_mode & 0o777 == 0o600
