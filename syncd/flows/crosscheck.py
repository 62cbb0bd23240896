"""The cross-check 比对 of logs against a split view: what each member shows of every log, against what is held here.

At least hourly each member's checkpoint of each log is fetched (LEDGER §6).

1. The log's own key has signed it; a checkpoint that nobody signed accuses nobody and is told as trouble of the member.
2. A size held here must have the root held here. If not, the newest note held and the one shown prove two histories,
   by the consistency proof between them.
3. A larger size must extend what is held, by tiles fetched from the member. If tiles that lead to the signed root give
   another root at the size held here, the same is proven the other way round.
4. The owner itself may not show less of its log than it has signed.

What is proven is evidence, alarms and holds that log's findings, never its relief.
"""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection

from syncd.errors import Retry
from syncd.flows.bureau import Bureau, Peer
from syncd.flows.doubt import AHEAD, doubt
from syncd.flows.lines import stamp_of, verify_log
from syncd.flows.misbehaviour import Accusation, accuse
from syncd.flows.share import Link
from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import Checkpoint, parse_checkpoint
from syncd.ledger.notes import BadSignature, Note, parse_note
from syncd.ledger.tiles import tile_path
from syncd.ledger.tree import HASH_BYTES, ProofError, TileReader, consistency_proof, root_from_tiles, verify_consistency
from syncd.peers import Answer
from syncd.store import further_lines

CHECK_SECONDS = 60.0
"""How long one member is asked at a time: all are asked in turn, and none may keep the others from it."""
Json = dict[str, Any]


class Shown(NamedTuple):
    """A checkpoint as a member shows it: whose log, who shows it, its bytes, and what they say."""

    owner: Peer
    by: str
    data: bytes
    note: Note
    checkpoint: Checkpoint


class CrossCheck:
    """Compares one member's view of every log with one's own."""

    def __init__(self, bureau: Bureau, links: Mapping[str, Link]) -> None:
        self._bureau = bureau
        self._links = links
        self._until = 0.0
        self._begun = dict[str, str]()

    def check(self, code: str) -> int:
        """Compare what a member shows of every log; returns how many it showed.

        Raises ``Retry`` where it cannot be reached, takes too long, or what it shows cannot be read.
        """
        count, self._until = 0, time.monotonic() + CHECK_SECONDS
        for owner in self._in_turn(code):
            self._in_time(code)
            self._begun[code] = owner.code
            with self._bureau.store.read() as conn:  # before the question: what comes meanwhile makes nobody late
                held = self._bureau.logs.newest(conn, owner.origin)
            answer = self._ask(code, owner.origin, "checkpoint")
            if answer.status == 404:
                continue
            if answer.status != 200:
                raise Retry(f"{code} answered {answer.status} when asked for the checkpoint of {owner.origin}.")
            shown = self._read(owner, code, answer.body)
            self._compare(shown, held.size if held is not None else 0)
            count += 1
        return count

    def _in_turn(self, code: str) -> list[Peer]:
        """All members, from behind the last looked at: a log at which a look always ends keeps no other out."""
        members, last = list(self._bureau.members.values()), self._begun.get(code)
        at = next((n for n, one in enumerate(members, 1) if one.code == last), 0)
        return members[at:] + members[:at]

    def _in_time(self, code: str) -> None:
        if time.monotonic() > self._until:
            raise Retry(f"{code} takes longer than {CHECK_SECONDS:.0f} s to show its logs; it is asked again later.")

    def _ask(self, code: str, origin: str, path: str) -> Answer:
        self._in_time(code)
        return self._links[code].get(origin, path)

    def _read(self, owner: Peer, code: str, data: bytes) -> Shown:
        try:
            note = parse_note(data)
            checkpoint = parse_checkpoint(note.text)
            verify_log(owner, note, checkpoint.size)  # step 1
        except (FormatError, BadSignature) as error:
            raise Retry(f"{code} shows a checkpoint of {owner.origin} that its log has not signed. {error}") from None
        if checkpoint.origin != owner.origin:
            raise Retry(f"{code} shows a checkpoint of another log when asked for {owner.origin}.")
        return Shown(owner, code, data, note, checkpoint)

    def _compare(self, shown: Shown, known: int) -> None:
        bureau, size = self._bureau, shown.checkpoint.size
        with bureau.store.read() as conn:
            held = bureau.logs.state(conn, shown.owner.origin).size
            root = bureau.logs.root(conn, shown.owner.origin, min(held, size))
        if size <= held:
            if root != shown.checkpoint.root:  # step 2
                self._accuse_by_own_tree(shown)
            else:
                self._consistent(shown, known)
        elif shown.owner.code == bureau.code:
            with bureau.store.write() as conn:
                doubt(bureau, conn, AHEAD, {"told": {shown.by: size}})
        else:
            self._extends(shown, held, root)  # step 3

    def _consistent(self, shown: Shown, known: int) -> None:
        bureau, log = self._bureau, shown.owner
        with bureau.store.write() as conn:
            self._keep_lines(conn, shown)
            if shown.by == log.code and shown.checkpoint.size < known:  # step 4
                newest = bureau.logs.newest(conn, log.origin)
                note = newest.note if newest is not None and newest.note is not None else b""
                keys = [key.vkey for key in log.log_keys(shown.checkpoint.size)]
                accuse(bureau, conn, Accusation(log.origin, "shrinking", note, shown.data, keys, shown.by, False))

    def _keep_lines(self, conn: Connection, shown: Shown) -> None:
        """The newest line of each member, and those of outside witnesses known here, over what is held here."""
        bureau, origin, size, text = self._bureau, shown.owner.origin, shown.checkpoint.size, shown.note.text
        now = bureau.now_text()
        for line in shown.note.lines:
            for witness in bureau.outside:
                if (stamp := stamp_of([witness.key], text, line)) is not None:
                    further_lines.keep_outside(conn, origin, size, witness.name, line, stamp, now)
            for member in bureau.members.values():
                if (stamp := stamp_of(member.receipt_keys(origin, size), text, line)) is not None:
                    further_lines.keep_fresh(conn, origin, size, member.code, line, stamp, now)

    def _accuse_by_own_tree(self, shown: Shown) -> None:
        bureau, origin = self._bureau, shown.owner.origin
        with bureau.store.write() as conn:
            newest = bureau.logs.newest(conn, origin)
            if newest is None or newest.note is None or newest.size < shown.checkpoint.size:
                raise Retry(f"{origin} is not signed yet at the size that {shown.by} shows.")
            read = bureau.logs.tile_reader(conn, origin)
            proof = consistency_proof(shown.checkpoint.size, newest.size, read) if shown.checkpoint.size else []
            self._split(conn, shown, newest.note, proof)

    def _extends(self, shown: Shown, held: int, root: bytes) -> None:
        bureau, end = self._bureau, shown.checkpoint
        read = self._reader(shown)
        try:
            theirs = root_from_tiles(held, read)
            proof = consistency_proof(held, end.size, read)
            verify_consistency(held, end.size, proof, theirs, end.root)
        except ProofError as error:
            raise Retry(f"{shown.by} shows tiles of {end.origin} that do not lead to its checkpoint. {error}") from None
        if theirs != root:
            with bureau.store.write() as conn:
                newest = bureau.logs.newest(conn, end.origin)
                if newest is None or newest.note is None:
                    raise Retry(f"{end.origin} has no signed size here to compare with.")
                self._split(conn, shown, newest.note, proof)

    def _reader(self, shown: Shown) -> TileReader:
        origin = shown.owner.origin

        def read(level: int, n: int, width: int) -> bytes:
            answer = self._ask(shown.by, origin, tile_path(level, n, width))
            if answer.status != 200 or len(answer.body) != width * HASH_BYTES:
                raise Retry(f"{shown.by} does not show tile {n} of level {level} of {origin}.")
            return answer.body

        return read

    def _split(self, conn: Connection, shown: Shown, held: bytes, proof: list[bytes]) -> None:
        same = parse_checkpoint(parse_note(held).text).size == shown.checkpoint.size
        code, keys = (
            "two_roots" if same else "split_view",
            [key.vkey for key in shown.owner.log_keys(shown.checkpoint.size)],
        )
        one = Accusation(shown.owner.origin, code, held, shown.data, keys, shown.by, True, holds=True, proof=proof)
        accuse(self._bureau, conn, one)
