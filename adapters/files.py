"""Files mode 文件方式 (GB/T 39443-2020, 5.5): a folder with ``in/``, ``ack/`` and ``out/``, here or on an SFTP server.

Only whole files are read (``whole``), each once (``lane``), whatever kind of table they are (``tablefile``). Files that
were read stay where they are, or are moved to ``done/`` (``files.done``).
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from adapters.acks import read_acks
from adapters.base import AckFault, AckPage, Adapter, Json, Page, RawRow, RowKind, SourceError
from adapters.csvtext import Layout
from adapters.facts import SourceFacts
from adapters.folder import Folder, LocalFolder
from adapters.heading import Line, Names
from adapters.lane import Lane
from adapters.order_files import manifest, order_file
from adapters.rounds import AGAIN, Rounds
from adapters.whole import MANIFEST

ACKS_LIMIT = 1_000


class FilesAdapter(Adapter):
    """Lanes of files by name; the patterns stand on the facts page. ``tidy`` False leaves files where they are."""

    again = AGAIN

    def __init__(self, folder: Folder | Path, facts: SourceFacts, tidy: bool = True) -> None:
        assert facts.files is not None
        self._facts, self._files = facts, facts.files
        self._folder = LocalFolder(folder) if isinstance(folder, Path) else folder
        rows, acks = self._layout(facts.columns.row), self._layout("HZ_RDBH")
        self._keys = sorted(rows.names.keys, key=lambda name: name != facts.columns.row)
        self._lanes: dict[RowKind, Lane] = {
            "penalty": Lane(self._folder, "in", self._files.penalties, self._files, rows, tidy),
            "relief": Lane(self._folder, "in", self._files.relief, self._files, rows, tidy),
        }
        self._rounds, self._begun = Rounds(self._lane), list[str]()
        self._feedback = Lane(self._folder, "ack", self._files.acknowledgements, self._files, acks, tidy)

    def pull(self, cursor: Json | None) -> Page:
        """Penalties and relief, each to its end (``rounds``)."""
        self._begun = []
        rows, state, more = self._rounds.page(cursor or {})
        return Page(rows, state, more, self._begun)

    def push(self, rows: Sequence[Json]) -> str:
        """One file for each call, named by time (zone of the facts page) and content: the same rows make one file."""
        if not rows:
            return ""
        there = {look.name for look in self._folder.list("out")}
        number = hashlib.sha256(orjson.dumps(list(rows))).hexdigest()[:12]
        pattern = self._files.orders.format(time="*", n=number)
        held = sorted(name for name in there if fnmatchcase(name, pattern))
        if held and (not self._files.manifest or held[0] + MANIFEST in there):
            return ""
        time = datetime.now(ZoneInfo(self._facts.source.time_zone)).strftime("%Y%m%dT%H%M%S%f")
        name = held[0] if held else self._files.orders.format(time=time, n=number)
        content = order_file(name, self._facts.push, rows)
        try:
            self._folder.put("out", name, content)
            if self._files.manifest:
                self._folder.put("out", name + MANIFEST, manifest(name, content, rows))
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
        """Let go of files read in part, and of connections."""
        for lane in (*self._lanes.values(), self._feedback):
            lane.close()
        self._folder.close()

    def _layout(self, key: str) -> Layout:
        files, names = self._files, Names.of(self._facts, key)
        return Layout(
            names, self._facts.source.encoding, files.delimiter, files.sheet, files.notes, files.below, files.serials
        )

    def _lane(self, kind: RowKind, state: Any, room: int) -> tuple[list[RawRow], Any, bool]:
        lines, following, more = self._lanes[kind].read(state, room)
        self._begun += self._lanes[kind].begun
        return self._rows(kind, lines), following, more

    def _rows(self, kind: RowKind, lines: Sequence[Line]) -> list[RawRow]:
        key, *others = self._keys
        rows = []
        for line in lines:
            fields = line.fields
            name = fields.get(key) or next((fields[other] for other in others if other in fields), "")
            if not name and line.fault:
                name = line.where
            rows.append(RawRow(kind, name, fields, line.where, line.fault))
        return rows
