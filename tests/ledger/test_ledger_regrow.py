"""A tree grown again, bundle by bundle: every root and every tile as the definition and the store's way have them."""

import pytest
from ledger_helpers import GrowingTree, mth

from syncd.ledger.regrow import BUNDLE, Regrown, grow
from syncd.ledger.tree import EMPTY_ROOT, leaf_hash, root_from_tiles

pytestmark = pytest.mark.fast

LEAVES = [str(n).encode() for n in range(130)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


def test_all_roots_to_130_are_as_defined() -> None:
    for size in range(1, 131):
        tree = Regrown()
        assert list(tree.push(grow(b"".join(HASHES[:size])))) == [] and tree.size == size
        for small in range(size + 1) if size in (1, 2, 77, 130) else (size,):
            assert tree.root(small) == mth(LEAVES[:small])
    assert Regrown().root(0) == EMPTY_ROOT


@pytest.mark.parametrize("size", [1, 255, 256, 257, 512, 1000, 65_535, 65_536, 65_537, 66_000])
def test_tiles_and_roots_over_many_bundles(size: int) -> None:
    stored, tree = GrowingTree(), Regrown()
    stored.grow([b"x%d" % n for n in range(size)])
    found = {}
    for start in range(0, size, BUNDLE):
        for level, n, data in tree.push(grow(stored.tiles[0, start // BUNDLE])):
            found[level, n] = data
        for at in (start + 1, min(start + 100, size), min(start + BUNDLE, size)):
            if start % 16_384 == 0 or start + BUNDLE >= size:
                assert tree.root(at) == root_from_tiles(at, stored.read)
    found |= {(level, n): data for level, n, data in tree.finish()}
    assert found == {key: data for key, data in stored.tiles.items() if key[0]}


def test_a_size_outside_the_last_bundle_is_an_error() -> None:
    tree = Regrown()
    list(tree.push(grow(b"".join(HASHES))))
    for size in (-1, 131):
        with pytest.raises(ValueError, match="outside"):
            tree.root(size)
