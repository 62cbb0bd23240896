"""Exporting logs 导出 into a folder: a static tree for any C2SP tool or web server, and what an audit needs beside it.

1. What is there is asked: the checkpoint of the last export must lie on the log as it is now.
2. New tiles, entry bundles, pages of checkpoints and disclosures are written, and pages that have changed since:
   erased disclosures and ones that came later.
3. All of it is synced, then the checkpoint is put in its place; a crash before that leaves the old export whole, and
   the next run goes on.
4. What the new checkpoint no longer needs is taken away from the private part; in the public one it stays, for readers
   that still hold an older checkpoint.
"""

import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from syncd.errors import Stop
from syncd.evidence.books import Evidence
from syncd.evidence.files import write_whole
from syncd.evidence.layout import PRIVATE, PUBLIC, TRUST, format_disclosures, format_entries, format_notes, page
from syncd.evidence.node_log import log_of
from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import Checkpoint, parse_checkpoint
from syncd.ledger.notes import BadSignature, parse_note
from syncd.ledger.policy import lacking
from syncd.ledger.regrow import BUNDLE
from syncd.ledger.tiles import ENTRIES, tile_path
from syncd.ledger.tree import TILE_HEIGHT
from syncd.store.checkpoints import full_note
from syncd.store.statement import execute

MARK_BYTES: Final = 4
_LOG = "(SELECT id FROM logs WHERE origin = ?)"
Told = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Exported:
    """One log as it was exported: from which size on, up to which, whose lines are missing, files written."""

    origin: str
    before: int
    size: int
    lacking: list[str]
    files: int


def export(evidence: Evidence, root: Path, origins: list[str], *, provisional: bool, told: Told) -> list[Exported]:
    """Export these logs into ``root``: up to the newest final size, with ``provisional`` up to the newest signed one.

    Raises Stop if the folder holds another history of a log; nothing of it is changed then.
    """
    done = []
    for origin in origins:
        with evidence.logs.store.read() as conn:
            newest = evidence.logs.newest(conn, origin)
            size = evidence.best_size(conn, origin)
            size = newest.size if provisional and newest is not None else size
            note = full_note(conn, origin, size) if size else None
            if note is not None:
                done.append(_Export(evidence, conn, root, origin, size, note, told).run())
    _put(root / PUBLIC / TRUST, evidence.trust)
    return done


class _Export:
    """The export of one log, within one read transaction."""

    def __init__(
        self, evidence: Evidence, conn: Connection, root: Path, origin: str, size: int, note: bytes, told: Told
    ) -> None:
        self.evidence, self.conn, self.origin, self.size, self.note, self.told = (
            evidence, conn, origin, size, note, told,
        )  # fmt: skip
        self.public, self.private = root / PUBLIC / origin, root / PRIVATE / origin
        self.log = log_of(evidence, conn, origin, size, note, whole=False)
        self.files = 0
        self.old, self.settled = self._held()

    def run(self) -> Exported:
        for folder in (self.public, self.private):
            folder.mkdir(parents=True, exist_ok=True)
        self.private.parents[2].chmod(0o700)
        marks, changed = self._marks()
        for n in range(-(-self.size // BUNDLE)):
            self._bundle(n, n in changed)
        for level in range(8):
            self._tiles(level)
        self._keys()
        os.sync()  # one for thousands of files; the checkpoint must never be on the disk before what it names
        self._write(self.private / "marks", marks)
        write_whole(self.public / "checkpoint", self.note)
        self._tidy()
        missing = lacking(self.evidence.policy, parse_note(self.note))
        return Exported(self.origin, self.old, self.size, missing, self.files + 1)

    def _held(self) -> tuple[int, bool]:
        """The size of the last export here, and whether it was final. Raises Stop if it is of another history."""
        try:
            note = parse_note((self.public / "checkpoint").read_bytes())
            before = parse_checkpoint(note.text)
        except (FileNotFoundError, FormatError):
            return 0, False  # none, or a damaged one: everything is written again
        if before.size > self.size:
            raise Stop(
                f"{self.public} holds {before.size} entries, this node {self.size} that may be exported. Nothing was "
                "changed. The folder is newer than the node: keep it, and find out what the node has lost."
            )
        if not self._lies_below(before):
            raise Stop(
                f"{self.public} holds another history of {self.origin} than this node. Nothing was changed. Keep the "
                "folder as evidence and export into an empty one; the checkpoints of both show which log forked."
            )
        try:
            return before.size, not lacking(self.evidence.policy, note)
        except BadSignature:
            return 0, False

    def _lies_below(self, before: Checkpoint) -> bool:
        root = self.evidence.logs.root(self.conn, self.origin, before.size)
        return (before.origin, before.root) == (self.origin, root)

    def _marks(self) -> tuple[bytes, set[int]]:
        """Four bytes for each entry that change with its disclosure, and the pages in which one did."""
        marks = bytearray(self.size * MARK_BYTES)
        sql = f"SELECT idx, state, key_id FROM disclosures WHERE log = {_LOG} AND idx < ?"
        for idx, state, key_id in execute(self.conn, sql, (self.origin, self.size)):
            mark = zlib.crc32(key_id or b"", zlib.crc32(state.encode()))
            marks[idx * MARK_BYTES : (idx + 1) * MARK_BYTES] = mark.to_bytes(MARK_BYTES, "big")
        try:
            before = (self.private / "marks").read_bytes()
        except FileNotFoundError:
            before = b""
        width = BUNDLE * MARK_BYTES
        pages = range(-(-self.size // BUNDLE))
        same = {n for n in pages if before[n * width : (n + 1) * width] == bytes(marks[n * width : (n + 1) * width])}
        return bytes(marks), set(pages) - same

    def _bundle(self, n: int, disclosures_changed: bool) -> None:
        """Entries, checkpoints and disclosures of one bundle: what is new, and pages that have changed."""
        width = min(BUNDLE, self.size - n * BUNDLE)
        fresh = n * BUNDLE + width > self.old
        if fresh:
            self._write(self.public / tile_path(ENTRIES, n, width), format_entries(self.log.rows(n).leaves))
        if fresh or disclosures_changed:
            data = format_disclosures(self.log.disclosures(n))
            self._write(page(self.private, "disclosures", n, width), data)
        if fresh or not self.settled:  # after an export that was not final, lines may have come for older sizes
            notes = [one.note for one in self.log.listed(n) if one.size <= self.size]
            self._write(page(self.private, "checkpoints", n, width), format_notes(notes))
        self.told(self.origin, width)

    def _tiles(self, level: int) -> None:
        count, before = self.size >> level * TILE_HEIGHT, self.old >> level * TILE_HEIGHT
        if count == before:
            return
        for n in range(before // BUNDLE, -(-count // BUNDLE)):
            width = min(BUNDLE, count - n * BUNDLE)
            self._write(self.public / tile_path(level, n, width), self.log.tile(level, n, width))

    def _keys(self) -> None:
        """Who signs this log, who countersigns it, and by which policy."""
        policy = self.evidence.policy
        logs = "".join(f"{log.vkey}\n" for log in policy.logs if log.name == self.origin)
        witnesses = "".join(f"{key.vkey}\n" for key in policy.witnesses.values())
        for name, text in (("log.vkey", logs.encode()), ("witnesses.vkey", witnesses.encode()),
                           (TRUST, self.evidence.trust)):  # fmt: skip
            _put(self.public / name, text)

    def _write(self, path: Path, data: bytes) -> None:
        _put(path, data)
        self.files += 1

    def _tidy(self) -> None:
        """Partial pages of the private part that a wider one has replaced."""
        for kind in ("checkpoints", "disclosures"):
            for path in _partial(self.private / kind):
                n = int("".join(path.parent.relative_to(self.private / kind).parts).removesuffix(".p").replace("x", ""))
                if int(path.name) != self.size - n * BUNDLE:
                    path.unlink()
                    if not any(path.parent.iterdir()):
                        path.parent.rmdir()


def _partial(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.glob("**/*.p/*"))


def _put(path: Path, data: bytes) -> None:
    """Write a file whole, without waiting for the disk; the same bytes are left as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(data)
    os.replace(fresh, path)
