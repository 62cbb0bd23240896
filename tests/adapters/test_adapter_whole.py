"""Files that are not whole yet, files that are moved once they were read, and what is written home with a manifest."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from adapter_promise import findings, pages
from adapter_rows import csv_bytes, facts_of, order, penalty, put_file
from test_adapter_files import FilesSystem

from adapters import whole
from adapters.base import Json, SourceError
from adapters.check import dry_pull, reading_only
from adapters.files import FilesAdapter
from adapters.folder import FolderPart, LocalFolder, Look
from adapters.records import Collected
from adapters.source import Source

pytestmark = pytest.mark.fast

FACTS = facts_of("kunshan")
GOOD = csv_bytes([penalty(1)])


class Watch:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    held = Watch()
    made = whole.Whole.__init__
    monkeypatch.setattr(
        whole.Whole, "__init__", lambda self, files, folder, part: made(self, files, folder, part, held)
    )
    return held


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., FilesSystem]:
    def open_one(**changes: object) -> FilesSystem:
        system = FilesSystem(tmp_path)
        assert FACTS.files is not None
        system.facts = FACTS.model_copy(update={"files": FACTS.files.model_copy(update=changes)})
        return system

    return open_one


def ids(page: Collected) -> list[str]:
    return [one.row for one in findings([page])]


def reasons(page: Collected) -> list[tuple[str, str]]:
    return [(fault.row, fault.reason) for fault in page.quarantined]


def test_a_file_is_read_once_it_has_settled(opened: Callable[..., FilesSystem], watch: Watch) -> None:
    system = opened(whole="settled", settle_seconds=30.0)
    path = system.folder / "in" / "XZCF_1.csv"
    path.write_bytes(GOOD[:100])
    source = system.source()
    page = source.collect(None)
    watch.now = 29
    path.write_bytes(GOOD)  # still being written: the waiting begins anew
    page = source.collect(page.cursor)
    watch.now = 58
    page = source.collect(page.cursor)
    assert page.rows == 0
    watch.now = 60
    page = source.collect(page.cursor)
    assert ids(page) == ["KS2026000001"]
    path.write_bytes(csv_bytes([penalty(2)]))  # replaced under its name
    assert source.collect(page.cursor).rows == 0
    watch.now = 100
    assert ids(source.collect(page.cursor)) == ["KS2026000002"]
    source.close()


def test_a_file_is_read_once_its_ok_is_there(opened: Callable[..., FilesSystem], watch: Watch) -> None:
    system = opened(whole="ok")
    folder = system.folder / "in"
    (folder / "XZCF_1.csv").write_bytes(GOOD)
    (folder / "XZCF_2.csv").write_bytes(csv_bytes([penalty(2)]))
    (folder / "XZCF_2.ok").write_bytes(b"")
    source = system.source()
    page = source.collect(None)
    assert ids(page) == ["KS2026000002"] and reasons(page) == []
    watch.now = 3_600
    page = source.collect(page.cursor)
    assert reasons(page) == [("XZCF_1.csv", "not_whole")]
    assert source.collect(page.cursor).rows == 0  # said once
    (folder / "XZCF_1.csv.ok").write_bytes(b"")
    page = source.collect(page.cursor)
    assert ids(page) == ["KS2026000001"]
    (folder / "XZCF_2.csv").write_bytes(csv_bytes([penalty(3)]))  # its .ok is that of the file before
    later = os.stat(folder / "XZCF_2.ok").st_mtime + 5
    os.utime(folder / "XZCF_2.csv", (later, later))
    assert source.collect(page.cursor).rows == 0
    os.utime(folder / "XZCF_2.ok", (later, later))
    assert ids(source.collect(page.cursor)) == ["KS2026000003"]
    source.close()


@pytest.mark.parametrize("form", ["json", "sum"])
def test_a_file_is_read_once_it_is_what_its_manifest_says(
    opened: Callable[..., FilesSystem], watch: Watch, form: str
) -> None:
    system = opened(whole="manifest", settle_seconds=10.0)
    folder = system.folder / "in"
    (folder / "XZCF_1.csv").write_bytes(GOOD[:100])
    total = hashlib.sha256(GOOD).hexdigest()
    if form == "json":
        (folder / "XZCF_1.csv.manifest.json").write_bytes(orjson.dumps({"sha256": total.upper()}))
    else:
        (folder / "XZCF_1.csv.sha256").write_text(f"{total}  XZCF_1.csv\n")
    (folder / "XZCF_2.csv").write_bytes(GOOD)
    (folder / "XZCF_2.csv.sha256").write_bytes(b"\xff")
    source = system.source()
    page = source.collect(None)
    assert page.rows == 0
    watch.now = 11
    page = source.collect(page.cursor)
    assert reasons(page) == [("XZCF_1.csv", "checksum"), ("XZCF_2.csv", "checksum")]
    (folder / "XZCF_1.csv").write_bytes(GOOD)
    assert ids(source.collect(page.cursor)) == ["KS2026000001"]
    source.close()


def test_files_are_moved_with_a_record_once_what_was_read_is_kept(opened: Callable[..., FilesSystem]) -> None:
    system = opened(done="moved", whole="ok")
    folder, done = system.folder / "in", system.folder / "done"
    for n in (1, 2):
        put_file(folder, f"XZCF_{n}.csv", csv_bytes([penalty(n)]))
        (folder / f"XZCF_{n}.csv.ok").write_bytes(b"")
    first = list(pages(system))[-1]
    assert not done.exists()  # nothing shows yet that the rows were kept
    assert [page.rows for page in pages(system, first.cursor)] == [0]
    assert list(folder.iterdir()) == []
    records = [orjson.loads(path.read_bytes()) for path in sorted(done.glob("XZCF_1~*.csv.json"))]
    assert [(one["file"], one["sha256"]) for one in records] == [("XZCF_1.csv", hashlib.sha256(GOOD).hexdigest())]
    assert hashlib.sha256((done / records[0]["moved_to"]).read_bytes()).hexdigest() == records[0]["sha256"]
    put_file(folder, "XZCF_1.csv", csv_bytes([penalty(1, CF_NR_FK="9", GXSJ="2026-11-23 08:00:00")]))
    (folder / "XZCF_1.csv.ok").write_bytes(b"")
    (page,) = pages(system, first.cursor)
    assert [one.body["amount"]["fine"] for one in findings([page])] == ["90000.00"]
    list(pages(system, page.cursor))
    assert len(list(done.glob("XZCF_1~*.csv"))) == 2
    assert {one.row for one in findings(list(pages(system)))} == {"KS2026000001", "KS2026000002"}  # all is read again


def test_hundreds_of_moved_files_keep_the_cursor_small(opened: Callable[..., FilesSystem]) -> None:
    system = opened(done="moved")
    cursor: Json | None = None
    for n in range(1, 131):
        put_file(system.folder / "in", f"XZCF_{n:04d}.csv", csv_bytes([penalty(n)]))
    for _ in range(3):
        (page,) = pages(system, cursor)
        cursor = page.cursor
        assert len(orjson.dumps(cursor)) < 4096
    assert page.rows == 0 and not list((system.folder / "in").iterdir())


def test_a_file_that_cannot_be_moved_is_not_read_twice(opened: Callable[..., FilesSystem]) -> None:
    system = opened(done="moved")
    (system.folder / "done").write_text("no folder")
    put_file(system.folder / "in", "XZCF_1.csv", GOOD)
    source = system.source()
    page = source.collect(None)
    assert ids(page) == ["KS2026000001"]
    assert source.collect(page.cursor).rows == 0 and (system.folder / "in" / "XZCF_1.csv").exists()
    source.close()


def test_a_file_that_is_written_again_right_before_it_is_moved_is_read(opened: Callable[..., FilesSystem]) -> None:
    class Late(LocalFolder):
        """Its file is replaced right behind the second listing."""

        looks = 0

        def list(self, part: FolderPart) -> list[Look]:
            found = super().list(part)
            self.looks += part == "in"
            if part == "in" and self.looks == 3:
                put_file(system.folder / "in", "XZCF_1.csv", csv_bytes([penalty(1), penalty(2)]))
            return found

    system = opened(done="moved")
    put_file(system.folder / "in", "XZCF_1.csv", GOOD)
    source = Source(FilesAdapter(Late(system.folder), system.facts), system.facts, bytes(32))
    cursor, seen = source.collect(None).cursor, set[str]()
    for _ in range(2):
        page = source.collect(cursor)
        cursor, seen = page.cursor, seen | set(ids(page))
    source.close()
    assert "KS2026000002" in seen


def test_a_dry_reading_moves_nothing(opened: Callable[..., FilesSystem]) -> None:
    system = opened(done="moved")
    put_file(system.folder / "in", "XZCF_1.csv", GOOD)
    source = Source(FilesAdapter(system.folder, system.facts, tidy=False), system.facts, bytes(32))
    page = source.collect(None)
    source.collect(page.cursor)
    assert (system.folder / "in" / "XZCF_1.csv").exists()
    source.close()


def test_a_dry_reading_has_the_files_that_were_moved(opened: Callable[..., FilesSystem]) -> None:
    system = opened(done="moved")
    put_file(system.folder / "in", "XZCF_1.csv", GOOD)
    source = system.source()
    source.collect(source.collect(None).cursor)
    assert not (system.folder / "in" / "XZCF_1.csv").exists()
    source.close()
    report = dry_pull(FilesAdapter(system.folder, reading_only(system.facts), tidy=False), system.facts, 1_000)
    assert report["rows"]["findings"] == 1


def test_files_that_were_moved_and_cannot_be_listed_have_not_vanished(opened: Callable[..., FilesSystem]) -> None:
    class Unlisted(LocalFolder):
        def list(self, part: FolderPart) -> list[Look]:
            if part == "done":
                raise SourceError("The folder done/ of the source cannot be listed.", transient=True)
            return super().list(part)

    system = opened(done="moved")
    source = Source(FilesAdapter(Unlisted(system.folder), system.facts), system.facts, bytes(32))
    with pytest.raises(SourceError):
        source.collect(None)


def test_orders_have_a_manifest_that_is_written_last(opened: Callable[..., FilesSystem]) -> None:
    system = opened(manifest=True)
    source = system.source()
    source.push([order(1), order(2)])
    (path,) = (system.folder / "out").glob("CJ_*.csv")
    said = orjson.loads(Path(f"{path}.manifest.json").read_bytes())
    total = hashlib.sha256(path.read_bytes()).hexdigest()
    assert said == {"file": path.name, "rows": 2, "bytes": path.stat().st_size, "sha256": total}
    Path(f"{path}.manifest.json").unlink()  # a crash between the two
    source.push([order(1), order(2)])
    assert Path(f"{path}.manifest.json").exists() and len(list((system.folder / "out").glob("CJ_*.csv"))) == 1
    source.close()


def test_what_is_being_written_is_never_a_table(opened: Callable[..., FilesSystem]) -> None:
    system = opened(penalties="XZCF_*")
    for name in ("XZCF_1.csv.part", "XZCF_1.csv.tmp", "XZCF_1.ok", "XZCF_1.csv.manifest.json", ".XZCF_1.csv"):
        (system.folder / "in" / name).write_bytes(GOOD)
    assert [page.rows for page in pages(system)] == [0]


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    os.mkfifo(tmp_path / "in" / "XZCF_1.csv")
    assert [look.regular for look in LocalFolder(tmp_path).list("in")] == [False]
    assert Look("a", 1, 2, True, 3).stamp == (1, 2, 3)
