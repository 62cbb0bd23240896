"""What a node serves of every log it holds: static tlog-tiles, checkpoints, and records with their disclosures.

Every member is entitled to all disclosures (LEDGER §6). Only sizes that are signed are served.
"""

import re

from sqlalchemy import Connection

from syncd.flows.bureau import Bureau
from syncd.ledger.canonical import FormatError
from syncd.ledger.notes import format_note, parse_note
from syncd.ledger.tiles import ENTRIES, parse_tile_path
from syncd.ledger.wire import compress, encode_records
from syncd.peers import Answer

_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
PAGE = 512
NOT_HERE = Answer(404, b"That part of the log is not held here.\n")


class Serve:
    """Read-only answers about the logs."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau

    def static(self, origin: str, path: str) -> Answer:
        """``checkpoint``, ``tile/<L>/<N>[.p/<W>]`` and ``tile/entries/<N>[.p/<W>]`` of a log."""
        if self._bureau.owner(origin) is None:
            return NOT_HERE
        if path == "checkpoint":
            return self._checkpoint(origin)
        try:
            tile = parse_tile_path(path)
        except FormatError as error:
            return Answer(400, f"{error}\n".encode())
        logs = self._bureau.logs
        with self._bureau.store.read() as conn:
            signed = self._signed(conn, origin)
            span = 256 ** (max(tile.level, 0) + 1)  # entry bundles stand beside the tiles of level 0
            start = tile.n * span
            reach = start + tile.width * (span // 256)
            if reach > signed:
                return NOT_HERE
            if tile.level == ENTRIES:
                leaves = [leaf for leaf, _ in logs.read_records(conn, origin, start, reach)]
                data = b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)
            else:
                data = logs.tile_reader(conn, origin)(tile.level, tile.n, tile.width)
        return Answer(200, data, "application/octet-stream")

    def _signed(self, conn: Connection, origin: str) -> int:
        newest = self._bureau.logs.newest(conn, origin)
        return newest.size if newest is not None else 0

    def _checkpoint(self, origin: str) -> Answer:
        logs = self._bureau.logs
        with self._bureau.store.read() as conn:
            newest = logs.newest(conn, origin)
            if newest is None or newest.note is None:
                return NOT_HERE
            note = parse_note(newest.note)
            lines = list(note.lines)
            lines += [one.line for one in logs.cosignatures(conn, origin, newest.size) if one.line not in lines]
        return Answer(200, format_note(note.text, lines))

    def entries(self, origin: str, start: str, count: str) -> Answer:
        """``GET …/entries?from=N&count=M``: records with their disclosures, zstd, at most 512 at a time."""
        if not _NUMBER.fullmatch(start) or not _NUMBER.fullmatch(count) or self._bureau.owner(origin) is None:
            return Answer(400, b"Give from=N and count=M in decimal digits, of a log that is held here.\n")
        with self._bureau.store.read() as conn:
            signed = self._signed(conn, origin)
            first = min(int(start), signed)
            last = min(first + min(int(count), PAGE), signed)
            records = self._bureau.logs.read_wire(conn, origin, first, last)
        return Answer(200, compress(encode_records(records)), "application/zstd")
