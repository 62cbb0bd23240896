"""Tiles (树块): the tree as static pieces of 256 hashes (C2SP tlog-tiles, height 8), and appending to them.

Only tiles are stored, 32 bytes an entry. To append, or to know the root, the partial tile at the right edge
of each level is enough: a full tile is one hash in the level above. Tiles change only by growing, so a tile
written by a transaction that was lost is written again with the same bytes.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from syncd.ledger.canonical import FormatError
from syncd.ledger.tree import (
    EMPTY_ROOT,
    HASH_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    ProofError,
    node_hash,
    subtree_hash,
)

ENTRIES: Final = -1
"""The ``level`` of an entry bundle in a tile path."""

Tiles = dict[tuple[int, int], bytes]
"""Hashes held so far, ``width * 32`` bytes, by (level, n)."""

_TILE_BYTES = TILE_WIDTH * HASH_BYTES
_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)


class TilePath(NamedTuple):
    """A tile asked for by its path: ``level`` from 0 or ENTRIES, number ``n``, ``width`` 1 to 256."""

    level: int
    n: int
    width: int


def edge_tiles(size: int) -> list[tuple[int, int]]:
    """(level, n) of the partial tiles at the right edge of ``size`` leaves: all that ``append`` needs."""
    found, level = [], 0
    while count := size >> level * TILE_HEIGHT:
        if count % TILE_WIDTH:
            found.append((level, count // TILE_WIDTH))
        level += 1
    return found


def append(size: int, edge: Mapping[tuple[int, int], bytes], leaf_hashes: Sequence[bytes]) -> tuple[Tiles, bytes]:
    """Return the tiles changed by appending ``leaf_hashes`` to a tree of ``size`` leaves, and the new root.

    ``edge`` holds the tiles of ``edge_tiles(size)``; a changed tile is returned whole. Raises ProofError if
    ``edge`` is not the edge of that size.
    """
    tiles = _checked_edge(size, edge)
    changed: Tiles = {}
    level, added = 0, b"".join(leaf_hashes)
    if len(added) != len(leaf_hashes) * HASH_BYTES:
        raise ProofError("A leaf hash is not 32 bytes long.")
    while added:
        n = (size >> level * TILE_HEIGHT) // TILE_WIDTH
        data = tiles.get((level, n), b"") + added
        above = []
        for start in range(0, len(data), _TILE_BYTES):
            tile = data[start : start + _TILE_BYTES]
            tiles[level, n] = changed[level, n] = tile
            if len(tile) == _TILE_BYTES:
                above.append(subtree_hash(tile))
            n += 1
        level, added = level + 1, b"".join(above)
    return changed, _root(size + len(leaf_hashes), tiles)


def edge_after(size: int, edge: Mapping[tuple[int, int], bytes], changed: Mapping[tuple[int, int], bytes]) -> Tiles:
    """Return the edge of ``size`` (the new size) from the old edge and the tiles that ``append`` changed."""
    return {key: changed[key] if key in changed else edge[key] for key in edge_tiles(size)}


def root_at(size: int, edge: Mapping[tuple[int, int], bytes]) -> bytes:
    """Root of the tree of ``size`` leaves from the tiles of its edge.

    Raises ProofError if they are not its edge.
    """
    return _root(size, _checked_edge(size, edge))


def _checked_edge(size: int, edge: Mapping[tuple[int, int], bytes]) -> Tiles:
    """The part of ``edge`` that size needs, each tile cut to the width it has at that size."""
    tiles: Tiles = {}
    for level, n in edge_tiles(size):
        length = (size >> level * TILE_HEIGHT) % TILE_WIDTH * HASH_BYTES
        data = edge.get((level, n), b"")
        if len(data) < length:
            raise ProofError(
                f"Tile {n} of level {level} is missing or too short for a log of {size} entries; "
                "nothing was changed. Check the store against the last checkpoint."
            )
        tiles[level, n] = data[:length]
    return tiles


def _root(size: int, tiles: Mapping[tuple[int, int], bytes]) -> bytes:
    """Fold the complete subtrees, smallest and rightmost first."""
    root = b""
    for level, n in edge_tiles(size):
        hashes = tiles[level, n]
        end = len(hashes)
        while end:
            width = end & -end  # the lowest set bit: the smallest complete subtree left
            piece = subtree_hash(hashes[end - width : end])
            root = node_hash(piece, root) if root else piece
            end -= width
    return root or EMPTY_ROOT


def tile_path(level: int, n: int, width: int = TILE_WIDTH) -> str:
    """``tile/0/x001/067``, ``tile/entries/000.p/17``: the path of a tile or entry bundle."""
    if not (ENTRIES <= level < 64 and 0 <= n < 1 << 53 and 0 < width <= TILE_WIDTH):
        raise FormatError("There is no tile of that level, number and width.")
    groups = [f"{n % 1000:03d}"]
    while n := n // 1000:
        groups.append(f"x{n % 1000:03d}")
    name = "entries" if level == ENTRIES else str(level)
    return f"tile/{name}/{'/'.join(reversed(groups))}" + ("" if width == TILE_WIDTH else f".p/{width}")


def parse_tile_path(path: str) -> TilePath:
    """Return what a path asks for. Raises FormatError for every spelling but the only one."""
    match = _PATH.fullmatch(path)
    if match:
        name, number, width = match.groups()
        found = TilePath(
            ENTRIES if name == "entries" else int(name),
            int(number.replace("x", "").replace("/", "")),
            int(width or TILE_WIDTH),
        )
        if found.width <= TILE_WIDTH and found.n < 1 << 53 and found.level < 64 and tile_path(*found) == path:
            return found
    raise FormatError("The path is not that of a tile.")
