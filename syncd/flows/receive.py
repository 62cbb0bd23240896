"""``receive``: the verdict on a peer's batch, and the receipt 回执.

1. only the owner of a log may post to it;
2. the body decodes within its limits;
3. a checkpoint already countersigned is answered with the stored line, whatever the old size;
4. the batch is proved (``ledger.accept``): signatures, consistency, every leaf up to the root;
5. all is stored in one transaction; only after the commit the size is fsynced outside and the line is signed.

An integrity failure changes nothing. Meaning is never judged here (LEDGER §6).
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from syncd.failpoint import failpoint
from syncd.flows.bureau import Bureau, Peer
from syncd.flows.keys import take_entries
from syncd.flows.lines import Line, keep, key_of_batch, keys_in, lines_of, missing_lines, verify_log
from syncd.flows.misbehaviour import Accusation, accuse, two_roots
from syncd.flows.not_now import or_not_now, or_stored
from syncd.flows.opening import opens
from syncd.ledger.accept import Accepted, IntegrityError, verify_batch
from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint
from syncd.ledger.disclosure import DISCLOSURE_LIMIT
from syncd.ledger.entry import LEAF_LIMIT, Entry
from syncd.ledger.notes import BadSignature, NoteVerifier, parse_note
from syncd.ledger.wire import BATCH_LIMIT, Batch, TooLarge, decode_batch, decode_resend, decompress
from syncd.peers import Answer
from syncd.store import erased, sourcebook
from syncd.store.mirror import interpret
from syncd.store.reading import EntryRow

Json = dict[str, Any]
STATUS = {
    "malformed": 400,
    "unknown_signature": 403,
    "size_conflict": 409,
    "too_large": 413,
    "not_consistent": 422,
    "fork": 422,
}
_FRESH_SECONDS = 3300  # an asker that comes hourly finds a line older than that, so each gets a fresh one


class Receive:
    """Takes batches of other members' logs; safe to call from several threads."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau
        self._locks = {peer.origin: threading.Lock() for peer in bureau.members.values()}

    @or_not_now
    def entries(self, origin: str, body: bytes, sender: str) -> Answer:
        """Answer ``POST …/entries``; ``sender`` is the code proved by the client certificate."""
        bureau = self._bureau
        owner = bureau.owner(origin)
        if owner is None:
            return Answer(404, f"No log {origin} is held here.\n".encode())
        if owner.code not in bureau.exchanging:
            return Answer(403, f"{owner.code} is no longer named by the agreement; its log is sealed.\n".encode())
        if origin in bureau.sealed:
            return self._sealed(owner, origin, body)
        if owner.code != sender or owner.code == bureau.code:  # step 1
            return Answer(403, f"Only the owner of {origin} may add to it; {sender} is not.\n".encode())
        try:
            batch = decode_batch(decompress(body, BATCH_LIMIT))  # step 2
        except TooLarge as error:
            return Answer(413, f"{error} Limits: leaf {LEAF_LIMIT}, disclosure {DISCLOSURE_LIMIT}.\n".encode())
        except FormatError as error:
            return Answer(400, f"{error} Nothing was stored.\n".encode())
        with self._locks.setdefault(origin, threading.Lock()):
            try:
                return self._take(owner, batch)
            except IntegrityError as error:
                return self._refuse(owner, error, batch)
            except (FormatError, BadSignature) as error:
                status = 400 if isinstance(error, FormatError) else 403
                return Answer(status, f"{error} Nothing was stored.\n".encode())

    def _sealed(self, owner: Peer, origin: str, body: bytes) -> Answer:
        """Nothing more of a sealed log is taken, whoever signs it; what goes on all the same is kept as evidence."""
        bureau, end = self._bureau, self._bureau.sealed[origin]
        keys = [NoteVerifier.parse(one.vkey) for one in owner.history() if one.role == "log" and one.origin == origin]
        with suppress(FormatError, BadSignature):
            shown = decode_batch(decompress(body, BATCH_LIMIT)).checkpoint
            note = parse_note(shown)
            key = verify_log(owner, note, -1, more=keys)
            if parse_checkpoint(note.text).size > end.size:
                with bureau.store.write() as conn:
                    newest = bureau.logs.newest(conn, origin)
                    held = newest.note if newest is not None and newest.note is not None else b""
                    accuse(bureau, conn, Accusation(origin, "beyond_seal", held, shown, [key.vkey], owner.code, False))
        return Answer(403, f"The log {origin} is sealed here at size {end.size}; nothing more is taken.\n".encode())

    def _take(self, owner: Peer, batch: Batch) -> Answer:
        bureau = self._bureau
        note = parse_note(batch.checkpoint)
        offered = parse_checkpoint(note.text)
        newest = parse_note(batch.newest)
        if offered.origin != owner.origin:
            raise IntegrityError("malformed", f"The checkpoint is not one of {owner.origin}. Nothing was stored.")
        with bureau.store.read() as conn:
            held = bureau.logs.state(conn, owner.origin).size
            key = key_of_batch(owner, note, offered.size, newest, held if held != batch.old else None)
            known = bureau.logs.checkpoint(conn, owner.origin, offered.size)
            edge = bureau.logs.edge(conn, owner.origin, held)
            notes = (batch.checkpoint, batch.newest)
            told = missing_lines(bureau, conn, owner.origin, notes) if known is not None else []
        if known is not None:  # step 3
            if known.root != offered.root:
                raise _fork(owner, offered.size)
            self._keep(owner, told)
            return self._line(owner, offered)
        accepted = verify_batch(batch, owner.origin, key, held, edge, keys_in(owner, newest))  # step 4
        erased.again(lambda: self._store(owner, batch, accepted))
        answer = self._line(owner, offered)
        bureau.wake("recognise")
        return answer

    def _store(self, owner: Peer, batch: Batch, accepted: Accepted) -> None:  # step 5
        bureau = self._bureau
        entries = interpret(one.leaf for one in batch.records)
        batch, ordered = self._without_erased(owner, batch, accepted, entries)
        sealed = bureau.logs.seal([one.disclosure for one in batch.records])
        reached = Checkpoint(owner.origin, accepted.size, accepted.root)
        lines = lines_of(bureau, reached, (batch.checkpoint, batch.newest))
        failpoint("receive.after_keys")
        with bureau.store.write() as conn:
            bureau.logs.store_accepted(
                conn, owner.origin, accepted, batch.records, sealed, batch.checkpoint, bureau.clock(), entries
            )
            keep(bureau, conn, owner.origin, lines)
            take_entries(bureau, conn, owner, enumerate(entries, accepted.size - len(entries)))
            sourcebook.post(conn, f"peer:{owner.code}:log", {"last_received": bureau.now_text(), "size": accepted.size})
            failpoint("receive.before_commit")
        failpoint("receive.after_commit")
        bureau.notice("receive.stored", {"log": owner.origin, "size": accepted.size, "entries": len(batch.records)})
        if ordered:
            bureau.wake("erase")
        if any(one is not None and one.kind == "agreement.adopted" for one in entries):
            bureau.wake("versions")

    def _without_erased(
        self, owner: Peer, batch: Batch, accepted: Accepted, entries: Sequence[Entry | None]
    ) -> tuple[Batch, bool]:
        """The batch without what an erasure covers, and whether it brings an order of erasure or an answer to one."""
        with self._bureau.store.read() as conn:
            held = self._bureau.logs.state(conn, owner.origin)
            texts = [one.disclosure for one in batch.records]
            kept = erased.shed(conn, held, entries, accepted.leaf_hashes, texts, self._bureau.vault)
        ordered = any(one is not None and one.kind in erased.NOT_COVERED for one in entries)
        if kept == texts:
            return batch, ordered
        pairs = zip(batch.records, kept, strict=True)
        return replace(batch, records=[one._replace(disclosure=text) for one, text in pairs]), ordered

    def _keep(self, owner: Peer, lines: Sequence[Line]) -> None:
        """Members' lines that the owner has collected since; most batches bring none that is new."""
        if lines:
            with self._bureau.store.write() as conn:
                keep(self._bureau, conn, owner.origin, lines)

    @or_stored
    def _line(self, owner: Peer, offered: Checkpoint) -> Answer:
        """The stored line for a held size, or a new one: sizes file first, then the signature, then its row."""
        bureau = self._bureau
        if not bureau.may_sign:
            return Answer(503, b"Stored; this node may not sign yet. Ask again later.\n", retry_after=60)
        with bureau.store.read() as conn:
            lines = bureau.logs.cosignatures(conn, owner.origin, offered.size)
            head = bureau.logs.state(conn, owner.origin).size
        mine = next((one for one in lines if one.member == bureau.code), None)
        seconds = int(bureau.clock().timestamp())
        text = format_checkpoint(offered)
        if mine is not None:
            if offered.size < head or seconds - mine.timestamp <= _FRESH_SECONDS:
                return Answer(200, f"{mine.line}\n".encode())
            return Answer(200, _lines([mine.line, *self._cosigned(text, seconds)]))
        if not self._may_countersign(owner, offered, head):
            return Answer(503, b"Stored; this node has signed more of this log than it holds. Go on.\n", retry_after=60)
        failpoint("receive.after_sizes")
        given = self._cosigned(text, seconds)
        with bureau.store.write() as conn:
            bureau.logs.add_cosignature(
                conn, owner.origin, offered.size, bureau.code, given[0], seconds, bureau.clock()
            )
            failpoint("receive.before_line_commit")
        failpoint("receive.after_line")
        return Answer(200, _lines(given))

    def _cosigned(self, text: str, seconds: int) -> list[str]:
        """A line of each receipt key that signs now: two while one replaces the other."""
        return [one.cosign(text, seconds) for one in self._bureau.signing("receipt")]

    def _may_countersign(self, owner: Peer, offered: Checkpoint, head: int) -> bool:
        """Sync the size before its signature leaves. A size below one signed earlier (this store is an old copy that is
        being filled up) is signed again only once the root at that earlier size has turned out to be the same.
        """
        bureau = self._bureau
        signed = bureau.sizes.get(owner.origin)
        if signed is None or signed.size <= offered.size:
            bureau.sizes.record(owner.origin, offered.size, offered.root)
            return True
        if head < signed.size:
            return False
        with bureau.store.read() as conn:
            root = bureau.logs.root(conn, owner.origin, signed.size)
        if root != signed.root:
            raise _fork(owner, signed.size)
        return True

    def _refuse(self, owner: Peer, error: IntegrityError, batch: Batch) -> Answer:
        bureau = self._bureau
        status = STATUS[error.code]
        if status == 409:
            return Answer(409, f"{error.held}\n".encode(), "text/x.tlog.size")
        if status == 422:
            self._accuse(owner, batch)
        bureau.notice("receive.refused", {"log": owner.origin, "status": status, "code": error.code})
        return Answer(status, f"{error}\n".encode())

    def _accuse(self, owner: Peer, batch: Batch) -> None:
        """Keep what the owner has signed beside what it signed before: at the same size, or the newest held."""
        bureau, shown = self._bureau, parse_checkpoint(parse_note(batch.checkpoint).text)
        with bureau.store.write() as conn:
            listed = bureau.logs.checkpoint(conn, owner.origin, shown.size) or bureau.logs.newest(conn, owner.origin)
            held = (listed.note if listed is not None else None) or batch.newest
            proven = two_roots(held, batch.checkpoint)
            if not proven and two_roots(batch.newest, batch.checkpoint):
                held, proven = batch.newest, True
            code = "two_roots" if proven else "inconsistent"
            keys = [key.vkey for key in owner.log_keys(shown.size)]
            one = Accusation(owner.origin, code, held, batch.checkpoint, keys, owner.code, proven, holds=True)
            accuse(bureau, conn, one)

    @or_not_now
    def disclosures(self, origin: str, body: bytes, sender: str) -> Answer:
        """Answer ``POST …/disclosures``: keep what was absent or did not open, and read those entries again."""
        bureau = self._bureau
        owner = bureau.owner(origin)
        if owner is None or owner.code != sender or owner.code == bureau.code:
            return Answer(403, f"Only the owner of {origin} may send its disclosures.\n".encode())
        try:
            pairs = decode_resend(decompress(body, BATCH_LIMIT))
        except TooLarge as error:
            return Answer(413, f"{error} Limits: body {BATCH_LIMIT}, disclosure {DISCLOSURE_LIMIT}.\n".encode())
        except FormatError as error:
            return Answer(400, f"{error} Nothing was stored.\n".encode())
        with bureau.store.read() as conn:
            rows = bureau.logs.by_leaf(conn, origin, [leaf for leaf, _ in pairs])
        owed = self._owed(rows)
        wanted = [(owed[leaf].index, raw) for leaf, raw in pairs if leaf in owed and opens(owed[leaf].leaf, raw)]
        erased.again(lambda: self._attach(origin, wanted))
        failpoint("disclosures.after_commit")
        if wanted:
            bureau.wake("reconsider")
        return Answer(200, f"{len(wanted)}\n".encode())

    def _attach(self, origin: str, wanted: Sequence[tuple[int, bytes]]) -> None:
        bureau = self._bureau
        with bureau.store.read() as conn:
            kept = erased.without_items(conn, [raw for _, raw in wanted])
        sealed = bureau.vault.seal(kept)
        with bureau.store.write() as conn:
            erased.ask_items(conn, kept)
            bureau.logs.attach_disclosures(
                conn, origin, [(idx, one) for (idx, _), one in zip(wanted, sealed, strict=True)]
            )
            failpoint("disclosures.before_commit")

    def _owed(self, rows: Sequence[EntryRow]) -> dict[bytes, EntryRow]:
        """The entries whose disclosure is absent, or is another than their leaf commits to."""
        texts, _ = self._bureau.vault.open_each([row.sealed for row in rows])
        return {
            row.leaf_hash: row
            for row, text in zip(rows, texts, strict=True)
            if row.disclosure == "absent" or (row.disclosure == "present" and not (text and opens(row.leaf, text)))
        }


def _lines(given: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in given).encode()


def _fork(owner: Peer, size: int) -> IntegrityError:
    return IntegrityError(
        "fork",
        f"The log {owner.origin} has signed another root at size {size} than the one held here; nothing was stored. "
        "Call the bureau: this log must be sealed.",
    )
