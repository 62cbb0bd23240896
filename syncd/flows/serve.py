"""What a node serves of every log it holds: static tlog-tiles, checkpoints, and records with their disclosures.

Every member with whom entries are exchanged is entitled to all disclosures (LEDGER §6). One that left is to none, and
still reads checkpoints, tiles and leaves. Only sizes that are signed are served. While this node is in doubt it serves
no disclosure: its store may be a copy from before an erasure (LEDGER §4).
"""

import re

from sqlalchemy import Connection

from syncd.flows.bureau import Bureau
from syncd.flows.not_now import or_not_now
from syncd.ledger.canonical import FormatError
from syncd.ledger.policy import parse_policy
from syncd.ledger.tiles import ENTRIES, parse_tile_path
from syncd.ledger.trust import agreement_trust
from syncd.ledger.wire import Record, compress, encode_records
from syncd.peers import Answer
from syncd.store import member_keys, seals
from syncd.store.further_lines import freshest_note

_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
PAGE, PAGE_BYTES = 512, 2 * 1024 * 1024
_AT_ONCE = 16
KEY_FILES = frozenset({"log.vkey", "witnesses.vkey", "trust.policy"})
IN_DOUBT = Answer(503, b"This node may hold what was erased since; it serves no disclosure yet.\n", retry_after=60)
NOT_HERE = Answer(404, b"That part of the log is not held here.\n")


class Serve:
    """Read-only answers about the logs."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau

    @or_not_now
    def static(self, origin: str, path: str) -> Answer:
        """``checkpoint``, ``tile/<L>/<N>[.p/<W>]``, ``tile/entries/<N>[.p/<W>]`` and the keys of a log."""
        if self._bureau.owner(origin) is None:
            return NOT_HERE
        if path == "checkpoint":
            return self._checkpoint(origin)
        if path in KEY_FILES:
            return Answer(200, self._keys(origin, path))
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
        with self._bureau.store.read() as conn:
            newest = self._bureau.logs.newest(conn, origin)
            note = freshest_note(conn, origin, newest.size) if newest is not None else None
        return NOT_HERE if note is None else Answer(200, note)

    def _keys(self, origin: str, name: str) -> bytes:
        """Who signs a log, who countersigns it, and the policy by which both are verified."""
        bureau = self._bureau
        former = [code for code in bureau.members if bureau.timeline.gone_on(code) is not None]
        members = {code: (one.log.vkey, one.receipt.vkey) for code, one in bureau.members.items()
                   if code in bureau.agreement.members or code in former}  # fmt: skip
        outside = {one.name: one.key.vkey for one in self._bureau.outside}
        second = {code: one.sm2.vkey for code, one in self._bureau.members.items() if one.sm2 is not None}
        with self._bureau.store.read() as conn:
            history, ends = member_keys.history(conn), seals.ends(conn)
        trust = agreement_trust(self._bureau.agreement.id, members, outside, history, ends, second, former)
        if name == "trust.policy":
            return trust
        policy = parse_policy(trust)
        keys = [log for log in policy.logs if log.name == origin] if name == "log.vkey" else policy.witnesses.values()
        return "".join(f"{key.vkey}\n" for key in keys).encode()

    @or_not_now
    def entries(self, origin: str, start: str, count: str, caller: str) -> Answer:
        """``GET …/entries?from=N&count=M``: records with their disclosures, zstd; 512 and about 2 MiB at most.

        ``caller`` is the code proved by the client certificate.
        """
        if caller not in self._bureau.exchanging:
            return Answer(403, f"No entries are exchanged with {caller} now; leaves and tiles are served.\n".encode())
        if not _NUMBER.fullmatch(start) or not _NUMBER.fullmatch(count) or self._bureau.owner(origin) is None:
            return Answer(400, b"Give from=N and count=M in decimal digits, of a log that is held here.\n")
        if not self._bureau.may_sign:
            return IN_DOUBT
        with self._bureau.store.read() as conn:
            signed = self._signed(conn, origin)
            first = min(int(start), signed)
            last = min(first + min(int(count), PAGE), signed)
            records = self._page(conn, origin, first, last)
        return Answer(200, compress(encode_records(records)), "application/zstd")

    def _page(self, conn: Connection, origin: str, first: int, last: int) -> list[Record]:
        """Records from ``first`` on, as many as fit; one always does, so whoever asks comes forward."""
        records, length = list[Record](), 0
        for start in range(first, last, _AT_ONCE):
            for record in self._bureau.logs.read_wire(conn, origin, start, min(start + _AT_ONCE, last)):
                length += len(record.leaf) + len(record.disclosure)
                if records and length > PAGE_BYTES:
                    return records
                records.append(record)
        return records
