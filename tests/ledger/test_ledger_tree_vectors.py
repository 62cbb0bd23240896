"""RFC 6962 vectors made with golang.org/x/mod: roots to 1,000,003 leaves, proofs, tiles, rolling digests."""

from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256

import pytest
from ledger_helpers import GrowingTree, hashes, vectors

from syncd.ledger.tiles import edge_tiles, parse_tile_path, root_at, tile_path
from syncd.ledger.tree import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_from_tiles,
    verify_consistency,
    verify_inclusion,
)

VECTORS = vectors("rfc6962")
ROOTS = {int(size): b64decode(root) for size, root in VECTORS["roots"].items()}


@pytest.fixture(scope="module")
def million() -> GrowingTree:
    """Entry i is the ASCII decimal of i; grown in odd steps, so that tiles fill at every offset."""
    tree = GrowingTree()
    while tree.size < 1_000_003:
        step = min(9_973, 1_000_003 - tree.size)
        tree.grow([str(i).encode() for i in range(tree.size, tree.size + step)])
    return tree


def test_roots(million: GrowingTree) -> None:
    assert million.root == ROOTS[1_000_003]
    for size, root in ROOTS.items():
        assert root_from_tiles(size, million.read) == root
        assert root_at(size, {key: million.tiles[key] for key in edge_tiles(size)}) == root


def test_leaf_hashes() -> None:
    for index, expected in VECTORS["leaf_hashes"].items():
        assert leaf_hash(index.encode()) == b64decode(expected)


def test_inclusion(million: GrowingTree) -> None:
    for case in VECTORS["inclusion"]:
        index, size, proof = case["index"], case["size"], hashes(case["proof"])
        assert inclusion_proof(index, size, million.read) == proof
        verify_inclusion(index, size, leaf_hash(str(index).encode()), proof, ROOTS[size])


def test_consistency(million: GrowingTree) -> None:
    for case in VECTORS["consistency"]:
        old, size, proof = case["old"], case["size"], hashes(case["proof"])
        assert consistency_proof(old, size, million.read) == proof
        old_root = root_from_tiles(old, million.read)
        verify_consistency(old, size, proof, old_root, root_from_tiles(size, million.read))


def test_tiles_of_70000(million: GrowingTree) -> None:
    for path, digest in VECTORS["tiles_of_70000"].items():
        tile = parse_tile_path(path)
        assert sha256(million.read(*tile)).hexdigest() == digest
        assert tile_path(*tile) == path


def test_rolling_digests(million: GrowingTree) -> None:
    def inclusion() -> Iterator[tuple[int, int, list[bytes]]]:
        for size in range(1, 131):
            for index in range(size):
                proof = inclusion_proof(index, size, million.read)
                verify_inclusion(index, size, million.read(0, 0, 256)[index * 32 :][:32], proof, roots[size])
                yield index, size, proof

    def consistency() -> Iterator[tuple[int, int, list[bytes]]]:
        for size in range(1, 131):
            for old in range(1, size + 1):
                proof = consistency_proof(old, size, million.read)
                verify_consistency(old, size, proof, roots[old], roots[size])
                yield old, size, proof

    roots = [root_from_tiles(size, million.read) if size else EMPTY_ROOT for size in range(131)]
    assert digest(inclusion()) == VECTORS["rolling_inclusion"]
    assert digest(consistency()) == VECTORS["rolling_consistency"]


def digest(proofs: Iterator[tuple[int, int, list[bytes]]]) -> str:
    """The vector file's recipe: one line per proof."""
    rolling = sha256()
    for first, size, proof in proofs:
        rolling.update(f"{first} {size}{''.join(f' {step.hex()}' for step in proof)}\n".encode())
    return rolling.hexdigest()
