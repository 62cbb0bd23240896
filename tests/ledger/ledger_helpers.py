"""What several ledger tests share: the vectors, a log that grows in memory, and RFC 6962 in its own words."""

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from syncd.ledger.checkpoint import Checkpoint, format_checkpoint
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, NoteSigner, format_note
from syncd.ledger.tiles import append, edge_tiles
from syncd.ledger.tree import leaf_hash

VECTORS = Path(__file__).parent / "vectors"
ORIGIN = "jiakuntai-eco/320583/1"
AGREEMENT = "jiakuntai-eco@1#0123456789abcdef"
UUID = "019aa5f0-1111-7abc-8def-0123456789ab"


def vectors(name: str) -> dict[str, Any]:
    """One vector file."""
    return json.loads((VECTORS / f"{name}-xmod.json").read_text(encoding="utf-8"))


def hashes(texts: list[str]) -> list[bytes]:
    """Base64 hashes of a vector file."""
    return [b64decode(text, validate=True) for text in texts]


def signer(name: str, seed: int, kind: int = LOG_KEY) -> NoteSigner:
    """A key whose seed is one byte, 32 times, as in the vectors."""
    return NoteSigner(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32), kind)


def witness(name: str, seed: int) -> NoteSigner:
    """A cosigning key of that seed."""
    return signer(name, seed, COSIGNATURE_KEY)


class GrowingTree:
    """Tiles of a log that only grows; reads like a store."""

    def __init__(self) -> None:
        self.size = 0
        self.root = sha256(b"").digest()
        self.tiles: dict[tuple[int, int], bytes] = {}

    def grow(self, leaves: list[bytes]) -> None:
        """Append leaves."""
        changed, self.root = append(self.size, self.edge(), [leaf_hash(leaf) for leaf in leaves])
        self.tiles.update(changed)
        self.size += len(leaves)

    def edge(self) -> dict[tuple[int, int], bytes]:
        """The tiles at the right edge."""
        return {key: self.tiles[key] for key in edge_tiles(self.size)}

    def read(self, level: int, n: int, width: int) -> bytes:
        """A tile as it was when it had that width."""
        return self.tiles[level, n][: width * 32]

    def note(self, key: NoteSigner) -> bytes:
        """A signed checkpoint of the present size, in the key's name."""
        text = format_checkpoint(Checkpoint(key.name, self.size, self.root))
        return format_note(text, [key.sign(text)])


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, by definition."""
    if len(leaves) < 2:
        return sha256(b"\x00" + leaves[0]).digest() if leaves else sha256(b"").digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962 §2.1.1, by definition."""
    if len(leaves) < 2:
        return []
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """RFC 6962 §2.1.2, by definition."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]
