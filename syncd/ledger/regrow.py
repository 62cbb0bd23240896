"""Growing a tree again (重算): its tiles and the root at any size, from leaf hashes that come in order.

Memory is that of one tile a level. All 255 inner hashes of the last bundle are kept, so that the root at each size
within it costs a few hashes, however close the sizes lie.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final

from syncd.ledger.tree import EMPTY_ROOT, HASH_BYTES, TILE_WIDTH, leaf_hashes, node_hash, subtree_hash

BUNDLE: Final = TILE_WIDTH
"""Leaves in one bundle."""
_PAIR, _FULL = 2 * HASH_BYTES, BUNDLE * HASH_BYTES

Grown = list[bytes]
"""One bundle's tree in rows: its leaf hashes side by side, below their parents, and so on; 511 hashes when it is full.

It depends on these leaves alone, so it may be computed anywhere, and in any order."""


def grow(hashes: bytes) -> Grown:
    """The rows above a bundle's leaf hashes; a hash that has no neighbour yet has no parent."""
    rows = [hashes]
    while len(row := rows[-1]) >= _PAIR:
        pairs = range(0, len(row) - HASH_BYTES, _PAIR)
        rows.append(b"".join([sha256(b"\x01" + row[at : at + _PAIR]).digest() for at in pairs]))
    return rows


def grow_leaves(leaves: Sequence[bytes]) -> Grown:
    """A bundle's tree from the bytes of its entries."""
    return grow(b"".join(leaf_hashes(leaves)))


class Regrown:
    """A tree that is grown bundle by bundle; all but the last one are full."""

    def __init__(self) -> None:
        self._below = 0  # leaves in full bundles before the last one
        self._stack: list[bytes] = []  # complete subtrees of those, largest first
        self._rows: Grown = [b""]  # the last bundle
        self._tiles: dict[int, list[bytes]] = {}

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._below + len(self._rows[0]) // HASH_BYTES

    def push(self, rows: Grown) -> Iterator[tuple[int, int, bytes]]:
        """Add the next bundle (1 to 256 leaves); return the tiles above level 0 that it completes: level, n, bytes."""
        if self._rows[0]:
            yield from self._close()
        self._rows = rows

    def fork(self) -> "Regrown":
        """A tree of the same full bundles, to try what the last one may be; it has no tiles."""
        other = Regrown()
        other._below, other._stack = self._below, list(self._stack)
        if len(self._rows[0]) == _FULL:
            other._rows = self._rows
            list(other._close())
        return other

    def finish(self) -> Iterator[tuple[int, int, bytes]]:
        """Return the tiles above level 0 that are left: complete ones first, then the partial ones."""
        if len(self._rows[0]) == _FULL:
            yield from self._close()
        for level, hashes in sorted(self._tiles.items()):
            if hashes:
                yield level, self._count(level) // TILE_WIDTH, b"".join(hashes)

    def root(self, size: int) -> bytes:
        """Root of the first ``size`` leaves, for a size within the last bundle."""
        rest = size - self._below
        if not 0 <= rest <= self.size - self._below:
            raise ValueError("The size lies outside the last bundle.")
        pieces = list(self._stack)
        at = 0
        for height in range(len(self._rows) - 1, -1, -1):
            if rest >> height & 1:
                first = (at >> height) * HASH_BYTES
                pieces.append(self._rows[height][first : first + HASH_BYTES])
                at += 1 << height
        root = b""
        for piece in reversed(pieces):
            root = node_hash(piece, root) if root else piece
        return root or EMPTY_ROOT

    def _close(self) -> Iterator[tuple[int, int, bytes]]:
        """Fold the last, full bundle into the stack and into the tiles above."""
        top = self._rows[-1]
        self._below += BUNDLE
        yield from self._add(1, top)
        count = self._below // BUNDLE
        while not count & 1:
            top = node_hash(self._stack.pop(), top)
            count >>= 1
        self._stack.append(top)
        self._rows = [b""]

    def _add(self, level: int, hashed: bytes) -> Iterator[tuple[int, int, bytes]]:
        tile = self._tiles.setdefault(level, [])
        tile.append(hashed)
        if len(tile) == TILE_WIDTH:
            data = b"".join(tile)
            yield level, self._count(level) // TILE_WIDTH - 1, data
            self._tiles[level] = []
            yield from self._add(level + 1, subtree_hash(data))

    def _count(self, level: int) -> int:
        return self._below >> 8 * level


def split(tile: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]
