"""The Merkle tree (默克尔树) of RFC 6962 §2 over SHA-256: hashes, proofs, and their verification.

Proofs are built from tiles: ``read(level, n, width)`` returns ``width`` hashes of 32 bytes of tile ``n`` at
``level`` (C2SP tlog-tiles, height 8). A proof is a list of hashes in RFC 6962 order, nearest the leaf first.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final

from syncd.errors import Refuse

HASH_BYTES: Final = 32
TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
EMPTY_ROOT: Final = sha256(b"").digest()

TileReader = Callable[[int, int, int], bytes]


class ProofError(Refuse):
    """A proof (证明) that does not prove what it is said to, or tiles that cannot hold the tree asked for."""


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of one leaf: SHA-256(0x00 || leaf)."""
    return sha256(b"\x00" + leaf).digest()


def leaf_hashes(leaves: Iterable[bytes]) -> list[bytes]:
    """The hash of each leaf, without a call for each."""
    return [sha256(b"\x00" + leaf).digest() for leaf in leaves]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def subtree_hash(hashes: bytes) -> bytes:
    """Root of a complete subtree whose 2^k lowest hashes stand side by side."""
    while len(hashes) > HASH_BYTES:
        hashes = b"".join(
            [sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, len(hashes), 2 * HASH_BYTES)]
        )
    return hashes


def root_from_tiles(size: int, read: TileReader) -> bytes:
    """Root of the first ``size`` leaves."""
    return _Tiles(size, read).range_hash(0, size) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: TileReader) -> list[bytes]:
    """Proof that leaf ``index`` (from 0) stands in the tree of ``size`` leaves (包含证明).

    Raises ProofError.
    """
    if not 0 <= index < size:
        raise ProofError(f"There is no entry {index} in a log of {size} entries.")
    tiles, proof, low, high = _Tiles(size, read), [], 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(tiles.range_hash(middle, high))
            high = middle
        else:
            proof.append(tiles.range_hash(low, middle))
            low = middle
    return proof[::-1]


def consistency_proof(old: int, size: int, read: TileReader) -> list[bytes]:
    """Proof that the tree of ``size`` leaves extends the tree of ``old`` leaves (一致性证明).

    Empty for ``old`` 0 (everything extends nothing) and for ``old == size``. Raises ProofError.
    """
    if not 0 <= old <= size:
        raise ProofError(f"A log of {size} entries cannot extend one of {old}.")
    if old in (0, size):
        return []
    tiles, proof, low, high = _Tiles(size, read), [], 0, size
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            proof.append(tiles.range_hash(middle, high))
            high = middle
        else:
            proof.append(tiles.range_hash(low, middle))
            low = middle
    if low:  # the old tree is not itself one complete subtree of the new, so its last piece must be named
        proof.append(tiles.range_hash(low, high))
    return proof[::-1]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Return if leaf hash ``leaf`` is entry ``index`` of the tree ``(size, root)`` (RFC 9162 §2.1.3.2).

    Raises ProofError otherwise.
    """
    if not 0 <= index < size:
        raise ProofError(f"There is no entry {index} in a log of {size} entries.")
    here, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0 or len(sibling) != HASH_BYTES:
            raise ProofError("The inclusion proof has a wrong length.")
        if here & 1 or here == last:
            result = node_hash(sibling, result)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        here, last = here >> 1, last >> 1
    if last != 0 or result != root:
        raise ProofError(f"The proof does not show that this is entry {index} of the log at size {size}.")


def verify_consistency(old: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes) -> None:
    """Return if the tree ``(size, root)`` extends the tree ``(old, old_root)`` (RFC 9162 §2.1.4.2).

    Raises ProofError otherwise. From 0, and between equal sizes, the proof must be empty.
    """
    if not 0 <= old <= size:
        raise ProofError(f"A log of {size} entries cannot extend one of {old}.")
    if old in (0, size):
        if proof or (root if old else EMPTY_ROOT) != old_root or (size == 0 and root != EMPTY_ROOT):
            raise ProofError(f"The roots or the proof between sizes {old} and {size} are not what they must be.")
        return
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path or any(len(step) != HASH_BYTES for step in path):
        raise ProofError("The consistency proof has a wrong length.")
    if _fold_consistency(old, size, path) != (old_root, root):
        raise ProofError(f"The log at size {size} is not shown to extend its own first {old} entries.")


def roots_of_proof(old: int, size: int, proof: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The roots at ``old`` and ``size`` to which a consistency proof leads; None where it does not say the older one.

    It does not where ``old`` is a power of two, for then the older root is given and not computed. Raises ProofError.
    """
    if not 0 < old < size or not proof or any(len(step) != HASH_BYTES for step in proof):
        raise ProofError("The consistency proof has a wrong length.")
    return _fold_consistency(old, size, list(proof)) if old & (old - 1) else None


def _fold_consistency(old: int, size: int, path: list[bytes]) -> tuple[bytes, bytes]:
    """The two roots that a consistency path leads to."""
    here, last = old - 1, size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old_root = root = path[0]
    for step in path[1:]:
        if last == 0:
            raise ProofError("The consistency proof has a wrong length.")
        if here & 1 or here == last:
            old_root, root = node_hash(step, old_root), node_hash(step, root)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            root = node_hash(root, step)
        here, last = here >> 1, last >> 1
    if last != 0:
        raise ProofError("The consistency proof has a wrong length.")
    return old_root, root


def _split(count: int) -> int:
    """Largest power of two below ``count`` (RFC 6962 §2.1)."""
    return 1 << (count - 1).bit_length() - 1


class _Tiles:
    """The tiles of one tree size, each read once."""

    def __init__(self, size: int, read: TileReader) -> None:
        self._size = size
        self._read = read
        self._held: dict[tuple[int, int], bytes] = {}

    def range_hash(self, low: int, high: int) -> bytes:
        """Hash of leaves ``low`` to ``high``, as RFC 6962 splits them from ``low`` on."""
        count = high - low
        if count & (count - 1) == 0:
            return self._complete(low, count.bit_length() - 1)
        middle = low + _split(count)
        return node_hash(self.range_hash(low, middle), self.range_hash(middle, high))

    def _complete(self, low: int, height: int) -> bytes:
        level, rest = divmod(height, TILE_HEIGHT)
        n, first = divmod(low >> level * TILE_HEIGHT, TILE_WIDTH)
        hashes = self._tile(level, n)
        return subtree_hash(hashes[first * HASH_BYTES : (first + (1 << rest)) * HASH_BYTES])

    def _tile(self, level: int, n: int) -> bytes:
        if (level, n) not in self._held:
            width = min(TILE_WIDTH, (self._size >> level * TILE_HEIGHT) - n * TILE_WIDTH)
            hashes = self._read(level, n, width)
            if len(hashes) != width * HASH_BYTES:
                raise ProofError(f"Tile {n} of level {level} does not hold {width} hashes; fetch it again.")
            self._held[level, n] = hashes
        return self._held[level, n]
