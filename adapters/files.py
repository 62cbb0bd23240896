"""Files mode 文件方式 (GB/T 39443-2020, 5.5): a shared folder with ``in/``, ``out/`` and ``ack/``, all CSV.

Both sides write under a ``.part`` name and rename when the file is whole; only whole files are read. Files that were
read stay where they are: moving or removing them is the bureau's own housekeeping.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson

from adapters.acks import read_acks
from adapters.base import PAGE_ROWS, AckFault, AckPage, Adapter, Json, Page, RawRow, RowKind, SourceError
from adapters.csvtext import Line, write_csv
from adapters.facts import SourceFacts
from adapters.lane import Lane

ACKS_LIMIT = 1_000


class FilesAdapter(Adapter):
    """Lanes of files by name; the patterns stand on the facts page."""

    def __init__(self, folder: Path, facts: SourceFacts) -> None:
        assert facts.files is not None
        self._facts, self._files, self._out = facts, facts.files, folder / "out"
        encodings, key = facts.source.encoding, facts.columns.row
        self._penalties = Lane(folder / "in", self._files.penalties, key, encodings)
        self._relief = Lane(folder / "in", self._files.relief, key, encodings)
        self._feedback = Lane(folder / "ack", self._files.acknowledgements, "HZ_RDBH", encodings)

    def pull(self, cursor: Json | None) -> Page:
        """Penalties to the end, then relief in what room is left: before its finding it has nothing to do."""
        state = cursor or {}
        lines, penalty, more = self._penalties.read(state.get("penalty"), PAGE_ROWS)
        rows, relief = self._rows("penalty", lines), state.get("relief")
        if not more:
            lines, relief, more = self._relief.read(relief, PAGE_ROWS - len(rows))
            rows += self._rows("relief", lines)
        return Page(rows, {"penalty": penalty, "relief": relief}, more)

    def push(self, rows: Sequence[Json]) -> str:
        """One file for each call, named by time (zone of the facts page) and content: the same rows make one file."""
        if not rows:
            return ""
        if not self._out.is_dir():
            raise SourceError("The folder out/ of the source is not there; orders are kept.", transient=True)
        content = hashlib.sha256(orjson.dumps(list(rows))).hexdigest()[:12]
        if any(self._out.glob(self._files.orders.format(time="*", n=content))):
            return ""
        time = datetime.now(ZoneInfo(self._facts.source.time_zone)).strftime("%Y%m%dT%H%M%S%f")
        try:
            write_csv(self._out / self._files.orders.format(time=time, n=content), self._facts.push, rows)
        except OSError as error:
            sentence = f"Orders could not be written into out/ ({type(error).__name__}); they are written again."
            raise SourceError(sentence, transient=True) from None
        return ""

    def acknowledgements(self, cursor: Json | None) -> AckPage:
        """Acknowledgements of files not read yet."""
        lines, state, more = self._feedback.read(cursor, ACKS_LIMIT)
        rows, faults = read_acks(((line.where, line.fields) for line in lines if not line.fault), self._facts)
        faults += [AckFault(line.where, line.fault.field, line.fault.reason) for line in lines if line.fault]
        return AckPage(rows, state, more, faults)

    def close(self) -> None:
        """Let go of files read in part."""
        for lane in (self._penalties, self._relief, self._feedback):
            lane.close()

    def _rows(self, kind: RowKind, lines: Sequence[Line]) -> list[RawRow]:
        key = self._facts.columns.row
        return [
            RawRow(kind, line.where if line.fault else line.fields[key], line.fields, line.where, line.fault)
            for line in lines
        ]
