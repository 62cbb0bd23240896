"""Stage ``share`` 共享: one's own log → each peer, until the peer has countersigned.

The cursor is the peer's countersigned size itself; only a verified cosignature moves it. A lost answer is repaired by
sending the same batch again: the peer answers with the line it has stored. Nothing here waits for another peer.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from syncd.errors import NeedsPerson, Retry, Stop
from syncd.failpoint import failpoint
from syncd.flows.alarms import quiet, sound
from syncd.flows.bureau import Bureau, Peer
from syncd.flows.doubt import AHEAD, doubt
from syncd.flows.gain import Gain
from syncd.flows.lines import complete_after, stamp_of, with_lines
from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import Checkpoint, format_checkpoint, parse_size
from syncd.ledger.tree import consistency_proof
from syncd.ledger.wire import Record, compress, encode_batch, encode_records
from syncd.peers import Answer
from syncd.store import desk, sourcebook
from syncd.store.checkpoints import CheckpointRow
from syncd.store.vault import Vault

Json = dict[str, Any]


class Link(Protocol):
    """The way to one peer; raises ``Retry`` if the peer cannot be reached."""

    def post_entries(self, origin: str, body: bytes) -> Answer:
        """``POST /exchange/v1/logs/{origin}/entries``."""

    def post_disclosures(self, origin: str, body: bytes) -> Answer:
        """``POST /exchange/v1/logs/{origin}/disclosures``."""

    def get(self, origin: str, path: str) -> Answer:
        """``GET /exchange/v1/logs/{origin}/{path}``: ``checkpoint``, a tile, or ``entries?from=N&count=M``."""


class Batches:
    """What was last made ready to travel, for the next peer at the same size: one encoding serves all.

    Made anew as soon as the vault has forgotten a key, so that no erased text travels.
    """

    def __init__(self, vault: Vault) -> None:
        self._lock = threading.Lock()
        self._vault = vault
        self._span, self._records = (0, 0, -1), b""
        self._head: tuple[bytes, ...] = ()
        self._body = b""

    def body(
        self, start: int, stop: int, proof: Sequence[bytes], notes: Sequence[bytes], read: Callable[[], list[Record]]
    ) -> bytes:
        """The body that takes a peer from ``start`` to ``stop`` (excluded) of one's own log, ready to be posted."""
        with self._lock:
            span = (start, stop, self._vault.forgotten)
            if self._span != span:
                self._span, self._records, self._head = span, encode_records(read()), ()
            if self._head != (*proof, *notes):  # lines that have come since make it another body
                self._head = (*proof, *notes)
                self._body = compress(encode_batch(start, proof, notes[0], notes[1], self._records))
            return self._body


class Share:
    """The stage for one peer; ``step`` sends one batch and says whether there is more to send."""

    def __init__(self, bureau: Bureau, peer: Peer, link: Link, batches: "Batches | None" = None) -> None:
        self._bureau = bureau
        self._peer = peer
        self._link = link
        self._batches = batches or Batches(bureau.vault)
        self._start: int | None = None
        self._gain = Gain()
        self._moved = threading.Condition()
        self._away = False

    def keep_up(self, entries: int, seconds: float) -> None:
        """Wait until this peer is at most ``entries`` behind, but no longer than ``seconds``, and not for one away."""
        with self._moved:
            self._moved.wait_for(lambda: self._away or self._behind() <= entries, timeout=seconds)

    def _behind(self) -> int:
        with self._bureau.store.read() as conn:
            size = self._bureau.logs.state(conn, self._bureau.origin).size
        return size - self._countersigned()

    @property
    def peer(self) -> Peer:
        """To whom this sends."""
        return self._peer

    def step(self) -> bool:
        """Send the next batch. Raises ``Retry`` when the peer is away and ``NeedsPerson`` when it refuses."""
        try:
            more = self._send()
            self._away = False
        except BaseException:
            self._away = True
            raise
        finally:
            with self._moved:
                self._moved.notify_all()
        return more

    def _send(self) -> bool:
        batch = self._next()
        if batch is None:
            return False
        size, text, body = batch
        failpoint("share.before_post")
        answer = self._link.post_entries(self._bureau.origin, body)
        failpoint("share.after_post")
        if answer.status == 200:
            further = self._accept(size, text, answer.body.decode(errors="replace"))
        elif answer.status == 409:
            further = self._go_on_from(answer)
        elif answer.status == 503:
            further = self._stored(size)
        elif answer.status >= 500:
            raise Retry(f"{self._peer.code} cannot take entries now ({answer.status}); they are offered again.")
        else:
            raise NeedsPerson(
                f"{self._peer.code} refused entries up to {size} with {answer.status}: "
                f"{answer.body[:200].decode(errors='replace')}. They are kept here and offered again "
                "by themselves; if this stays, call the bureau."
            )
        if not further:
            raise Retry(f"{self._peer.code} gets no further with our log; all is kept, and offered from where it says.")
        return True

    def _stored(self, size: int) -> bool:
        """The peer holds the batch but may not sign yet: what follows is sent, and its line is asked for later."""
        bureau = self._bureau
        self._start = size
        with bureau.store.read() as conn:
            more = bureau.logs.next_listed(conn, bureau.origin, size) is not None
        if not self._gain.holds(size) or not more:
            raise Retry(f"{self._peer.code} has stored the entries but may not sign yet; asked again later.")
        return True

    def _next(self) -> tuple[int, str, bytes] | None:
        bureau, origin = self._bureau, self._bureau.origin
        with bureau.store.read() as conn:
            signed = bureau.logs.countersigned(conn, origin, self._peer.code)
            old = self._start if self._start is not None else signed
            size = bureau.logs.next_listed(conn, origin, old)
            if size is None:
                if old <= signed:
                    return None
                size = old  # everything is held there: an empty batch fetches the missing line
            proof = consistency_proof(old, size, bureau.logs.tile_reader(conn, origin)) if 0 < old < size else []
            listed, newest = bureau.logs.checkpoint(conn, origin, size), bureau.logs.newest(conn, origin)
            if listed is None or listed.note is None or newest is None:
                raise Stop(
                    f"The log {origin} has no signed size {size} to offer. Nothing was sent; run the start-up check."
                )
            if not self._verifies_both(size, newest.size):
                newest = listed
            notes = [with_lines(bureau, conn, origin, one) for one in (listed, newest)]
            body = self._batches.body(old, size, proof, notes, lambda: bureau.logs.read_wire(conn, origin, old, size))
        return size, format_checkpoint(Checkpoint(origin, size, listed.root)), body

    def _verifies_both(self, size: int, newest: int) -> bool:
        """Whether one key of this log has signed both sizes: who is filled up again does not know the next key yet."""
        own = self._bureau.members[self._bureau.code]
        return not own.spans or not set(own.log_keys(size)).isdisjoint(own.log_keys(newest))

    def receipts(self) -> bool:
        """Tell the peer all members' lines under the next size that has them, while nothing else waits to be sent."""
        bureau, origin, cursor = self._bureau, self._bureau.origin, f"lines:{self._peer.code}"
        if self._away or self._behind():
            return False
        with bureau.store.read() as conn:
            size = complete_after(bureau, conn, int(bureau.logs.get_cursor(conn, cursor) or 0))
            listed = bureau.logs.checkpoint(conn, origin, size) if size is not None else None
            newest = bureau.logs.newest(conn, origin)
            if listed is None or listed.note is None or newest is None:
                return False
            notes = [with_lines(bureau, conn, origin, one) for one in (listed, newest)]
        answer = self._link.post_entries(origin, compress(encode_batch(listed.size, [], notes[0], notes[1], b"")))
        if answer.status == 409 and not listed.size <= _held(answer) <= newest.size:
            self._go_on_from(answer)
            bureau.wake("share")
            return False
        # A peer that was filled up from an old copy holds more, but does not list every size it once countersigned:
        # under this one it keeps no lines.
        if answer.status not in (200, 409):
            raise Retry(f"{self._peer.code} did not take the lines of size {listed.size}; they are offered again.")
        with bureau.store.write() as conn:
            bureau.logs.set_cursor(conn, cursor, str(listed.size))
            failpoint("receipts.before_commit")
        return True

    def fresh_line(self, listed: CheckpointRow) -> list[tuple[str, int]]:
        """Ask the peer for a fresh line under a size it has countersigned: the newest it gives, with its Unix seconds.

        Nothing where it is away, or gives the line it has given before.
        """
        bureau, origin = self._bureau, self._bureau.origin
        with bureau.store.read() as conn:
            note = with_lines(bureau, conn, origin, listed)
        try:
            answer = self._link.post_entries(origin, compress(encode_batch(listed.size, [], note, note, b"")))
        except Retry:
            return []
        text = format_checkpoint(Checkpoint(origin, listed.size, listed.root))
        keys = self._peer.receipt_keys(origin, listed.size)
        lines = answer.body.decode(errors="replace").split("\n") if answer.status == 200 else []
        stamps = [(line, stamp) for line in lines if (stamp := stamp_of(keys, text, line)) is not None]
        return sorted(stamps, key=lambda one: one[1])[-1:]

    def _accept(self, size: int, text: str, lines: str) -> bool:
        bureau, peer = self._bureau, self._peer
        for line in lines.split("\n"):
            stamp = stamp_of(peer.receipt_keys(bureau.origin, size), text, line)
            if stamp is None:
                continue
            with bureau.store.write() as conn:
                held = bureau.logs.countersigned(conn, bureau.origin, peer.code)
                bureau.logs.add_cosignature(conn, bureau.origin, size, peer.code, line, stamp, bureau.clock())
                sourcebook.post(conn, f"peer:{peer.code}", {"last_contact": bureau.now_text(), "size": size})
                if self._start is not None and size >= held:
                    desk.clear(conn, "peer_restored", [peer.code], bureau.now_text())
                    quiet(bureau, conn, "peer_restored", [peer.code])
                failpoint("share.before_commit")
            failpoint("share.after_commit")
            self._start = size if self._start is not None and size < held else None
            bureau.notice("share.countersigned", {"peer": peer.code, "size": size})
            return self._gain.countersigned(size, held)
        raise NeedsPerson(
            f"{peer.code} answered for size {size} without a line of its receipt key that verifies. "
            "Nothing was counted as received; compare its member file's fingerprint."
        )

    def _go_on_from(self, answer: Answer) -> bool:
        held = _held(answer)
        with self._bureau.store.read() as conn:
            size = self._bureau.logs.state(conn, self._bureau.origin).size
        if held > size:
            with self._bureau.store.write() as conn:
                doubt(self._bureau, conn, AHEAD, {"told": {self._peer.code: held}})
            raise NeedsPerson(
                f"{self._peer.code} holds {held} entries of our log, we hold {size}: this store was restored from an "
                "old copy. Signing has stopped; nothing is overwritten. `syncd ledger recover` fetches the missing "
                "entries back from the peer."
            )
        if held < 0 or held == self._start:
            raise NeedsPerson(f"{self._peer.code} answered 409 with a size that leads nowhere; nothing was changed.")
        signed = self._countersigned()
        if held < signed:
            self._alarm(held)
        before, self._start = signed if self._start is None else self._start, held
        return self._gain.fell(held) if held < before else self._gain.holds(held)

    def _countersigned(self) -> int:
        with self._bureau.store.read() as conn:
            return self._bureau.logs.countersigned(conn, self._bureau.origin, self._peer.code)

    def _alarm(self, held: int) -> None:
        """The peer holds less than it has countersigned: its store is an old copy, and is filled up again."""
        bureau, facts = self._bureau, {"region": self._peer.code, "held": held}
        with bureau.store.write() as conn:
            item = {"kind": "peer_restored", "mark": self._peer.code, "reason": "size_went_down", "facts": facts}
            desk.put(conn, [{**item, "anew": True}], bureau.now_text())
            sound(bureau, conn, "peer_restored", self._peer.code, facts)


def _held(answer: Answer) -> int:
    """The size that a 409 tells; -1 for one that tells none."""
    try:
        return parse_size(answer.body.decode().removesuffix("\n"))
    except (FormatError, UnicodeDecodeError):
        return -1


def drain(step: Callable[[], bool], limit: int = 1_000_000) -> int:
    """Run a stage's ``step`` until it has nothing more to do; returns how many steps it took."""
    for count in range(limit):
        if not step():
            return count
    return limit
