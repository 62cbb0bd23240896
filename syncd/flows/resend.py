"""Sending disclosures again 补送披露: all of one's own log to one peer, by a cursor of its own; the tree does not move.

A person asks for it (``resync share``); while the peer is away it waits like any other sending.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from syncd.errors import NeedsPerson, Retry
from syncd.flows.bureau import Bureau, Peer
from syncd.flows.share import Link
from syncd.ledger.tree import leaf_hash
from syncd.ledger.wire import compress, encode_resend

RESEND, RESEND_BYTES = 512, 2 * 1024 * 1024


class Resend:
    """The sending to one peer; ``step`` sends one run of entries and says whether there is more."""

    def __init__(self, bureau: Bureau, peer: Peer, link: Link) -> None:
        self._bureau = bureau
        self._peer = peer
        self._link = link
        self._cursor = f"resend:{peer.code}"

    def begin(self, conn: Connection) -> None:
        """Send everything that this peer has countersigned again, from the first entry on."""
        self._bureau.logs.set_cursor(conn, self._cursor, "0")

    def step(self) -> bool:
        """Send the next run. Raises ``Retry`` when the peer is away and ``NeedsPerson`` when it refuses."""
        bureau = self._bureau
        with bureau.store.read() as conn:
            place = bureau.logs.get_cursor(conn, self._cursor)
            if not place:
                return False
            start, size = int(place), bureau.logs.countersigned(conn, bureau.origin, self._peer.code)
            stop = min(start + RESEND, size)
            rows = bureau.logs.read_wire(conn, bureau.origin, start, stop)
        for pairs in _bodies([(leaf_hash(row.leaf), row.disclosure) for row in rows if row.disclosure]):
            answer = self._link.post_disclosures(bureau.origin, compress(encode_resend(pairs)))
            if answer.status >= 500:
                raise Retry(f"{self._peer.code} cannot take disclosures now ({answer.status}). They are offered again.")
            if answer.status != 200:
                raise NeedsPerson(
                    f"{self._peer.code} refused disclosures with {answer.status}: "
                    f"{answer.body[:200].decode(errors='replace')}. They are kept here and offered again."
                )
        with bureau.store.write() as conn:
            if bureau.logs.get_cursor(conn, self._cursor) == place:  # a person may have asked for it anew meanwhile
                bureau.logs.set_cursor(conn, self._cursor, str(stop) if stop < size else "")
        return True


def _bodies(pairs: Sequence[tuple[bytes, bytes]]) -> Iterator[Sequence[tuple[bytes, bytes]]]:
    """Cut disclosures into bodies well below what a peer takes; one disclosure alone always fits."""
    start, length = 0, 0
    for end, (_, disclosure) in enumerate(pairs):
        if length and length + len(disclosure) > RESEND_BYTES:
            yield pairs[start:end]
            start, length = end, 0
        length += len(disclosure)
    if pairs[start:]:
        yield pairs[start:]
