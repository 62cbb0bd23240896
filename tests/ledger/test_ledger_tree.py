"""Trees to 130 leaves against RFC 6962's own definition; tampered proofs; tile paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_helpers import GrowingTree, mth, path, subproof

from syncd.ledger.canonical import FormatError
from syncd.ledger.tiles import ENTRIES, append, edge_after, edge_tiles, parse_tile_path, root_at, tile_path
from syncd.ledger.tree import (
    EMPTY_ROOT,
    ProofError,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_from_tiles,
    verify_consistency,
    verify_inclusion,
)

pytestmark = pytest.mark.fast

LEAVES = [str(i).encode() * (1 + i % 3) for i in range(130)]
SIZES = st.integers(1, 130)


def grown(size: int) -> GrowingTree:
    tree = GrowingTree()
    tree.grow(LEAVES[:size])
    return tree


WHOLE = grown(130)
ROOTS = [mth(LEAVES[:size]) for size in range(131)]


@given(st.lists(st.integers(0, 40), max_size=8))
def test_however_it_grows_the_root_is_the_same(steps: list[int]) -> None:
    tree = GrowingTree()
    for step in steps:
        tree.grow([b"x" for _ in range(step)])
    assert tree.root == root_at(tree.size, tree.edge()) == mth([b"x"] * tree.size)
    assert root_from_tiles(tree.size, tree.read) == tree.root


@given(st.data(), SIZES)
def test_inclusion_is_as_defined(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, WHOLE.read)
    assert proof == path(index, LEAVES[:size])
    verify_inclusion(index, size, leaf_hash(LEAVES[index]), proof, ROOTS[size])


@given(st.data(), SIZES)
def test_consistency_is_as_defined(data: st.DataObject, size: int) -> None:
    old = data.draw(st.integers(1, size))
    proof = consistency_proof(old, size, WHOLE.read)
    assert proof == subproof(old, LEAVES[:size])
    verify_consistency(old, size, proof, ROOTS[old], ROOTS[size])


@given(st.data(), SIZES)
def test_an_altered_inclusion_proof_never_passes(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, WHOLE.read)
    leaf, root = leaf_hash(LEAVES[index]), ROOTS[size]
    for wrong in altered(data, proof):
        with pytest.raises(ProofError):
            verify_inclusion(index, size, leaf, wrong, root)
    with pytest.raises(ProofError):
        verify_inclusion(index, size, leaf_hash(b"forged"), proof, root)
    with pytest.raises(ProofError):
        verify_inclusion(index, size, leaf, proof, bytes(32))
    for wrong_index in (-1, size, size + 7):
        with pytest.raises(ProofError):
            verify_inclusion(wrong_index, size, leaf, proof, root)


@given(st.data(), st.integers(2, 130))
def test_an_altered_consistency_proof_never_passes(data: st.DataObject, size: int) -> None:
    old = data.draw(st.integers(1, size - 1))
    proof = consistency_proof(old, size, WHOLE.read)
    for wrong in altered(data, proof):
        with pytest.raises(ProofError):
            verify_consistency(old, size, wrong, ROOTS[old], ROOTS[size])
    for roots in ((bytes(32), ROOTS[size]), (ROOTS[old], bytes(32)), (ROOTS[size], ROOTS[old])):
        with pytest.raises(ProofError):
            verify_consistency(old, size, proof, *roots)
    with pytest.raises(ProofError):
        verify_consistency(size, old, proof, ROOTS[size], ROOTS[old])


def altered(data: st.DataObject, proof: list[bytes]) -> list[list[bytes]]:
    """The proof with a hash more, a hash less, one hash changed or cut."""
    wrong = [[*proof, bytes(32)], [bytes(32), *proof]]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        flipped = bytes([proof[at][0] ^ 1]) + proof[at][1:]
        wrong += [proof[:-1], proof[1:], [*proof[:at], flipped, *proof[at + 1 :]]]
        wrong.append([*proof[:at], proof[at][:31], *proof[at + 1 :]])
    return wrong


def test_sizes_without_a_proof() -> None:
    verify_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    verify_consistency(0, 5, [], EMPTY_ROOT, ROOTS[5])
    verify_consistency(5, 5, [], ROOTS[5], ROOTS[5])
    for old, size, proof, old_root, root in (
        (0, 0, [], EMPTY_ROOT, ROOTS[1]),
        (0, 5, [bytes(32)], EMPTY_ROOT, ROOTS[5]),
        (0, 5, [], ROOTS[1], ROOTS[5]),
        (5, 5, [], ROOTS[5], ROOTS[6]),
        (5, 5, [bytes(32)], ROOTS[5], ROOTS[5]),
        (4, 8, [], ROOTS[4], ROOTS[8]),
        (6, 8, [], ROOTS[6], ROOTS[8]),
    ):
        with pytest.raises(ProofError):
            verify_consistency(old, size, proof, old_root, root)


def test_proofs_of_what_is_not_there() -> None:
    for index, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(ProofError, match="no entry"):
            inclusion_proof(index, size, WHOLE.read)
    with pytest.raises(ProofError, match="cannot extend"):
        consistency_proof(6, 5, WHOLE.read)
    assert consistency_proof(0, 5, WHOLE.read) == consistency_proof(5, 5, WHOLE.read) == []


def test_a_missing_or_short_tile_is_an_error_not_a_root() -> None:
    with pytest.raises(ProofError, match="fetch it again"):
        root_from_tiles(130, lambda level, n, width: WHOLE.tiles[level, n][:-32])
    with pytest.raises(ProofError, match="missing or too short"):
        root_at(130, {})
    with pytest.raises(ProofError, match="missing or too short"):
        append(130, {(0, 0): bytes(32)}, [])
    with pytest.raises(ProofError, match="32 bytes"):
        append(0, {}, [b"short"])


def test_a_wider_edge_than_needed_is_cut() -> None:
    """After a crash a tile may be ahead of the state row; the surplus must not reach the root."""
    assert root_at(100, {(0, 0): WHOLE.tiles[0, 0]}) == ROOTS[100]
    changed, root = append(100, {(0, 0): WHOLE.tiles[0, 0]}, [leaf_hash(leaf) for leaf in LEAVES[100:]])
    assert (changed, root) == ({(0, 0): WHOLE.tiles[0, 0]}, ROOTS[130])


@given(st.integers(0, 600), st.integers(0, 600))
def test_edge_after_is_the_next_edge(size: int, more: int) -> None:
    tree = GrowingTree()
    tree.grow([b"x"] * size)
    edge = tree.edge()
    changed, root = append(size, edge, [leaf_hash(b"x")] * more)
    assert root_at(size + more, edge_after(size + more, edge, changed)) == root


@pytest.mark.parametrize(
    ("size", "edge"),
    [(0, []), (1, [(0, 0)]), (256, [(1, 0)]), (257, [(0, 1), (1, 0)]), (65536, [(2, 0)])],
)
def test_edge_tiles(size: int, edge: list[tuple[int, int]]) -> None:
    assert edge_tiles(size) == edge


@pytest.mark.parametrize(
    ("path_text", "tile"),
    [
        ("tile/0/000", (0, 0, 256)),
        ("tile/0/273.p/112", (0, 273, 112)),
        ("tile/3/x001/067", (3, 1067, 256)),
        ("tile/63/x001/x234/067.p/1", (63, 1_234_067, 1)),
        ("tile/entries/x001/067.p/255", (ENTRIES, 1067, 255)),
    ],
)
def test_tile_paths(path_text: str, tile: tuple[int, int, int]) -> None:
    assert parse_tile_path(path_text) == tile
    assert tile_path(*tile) == path_text


@pytest.mark.parametrize(
    "path_text",
    [
        "",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/0",
        "tile/0/1067",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/x000/067",
        "tile/0/001/067",
        "tile/0/x001",
        "tile/0/x1/067",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/300",
        "tile/0/000.p/07",
        "tile/0/000.p/",
        "tile/0/000.P/7",
        "tile/0/000\n",
        "tile/٣/000",
        "tile/0/٣٣٣",
        "tile/entries/../000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/²00",
    ],
)
def test_other_spellings_of_tile_paths_are_refused(path_text: str) -> None:
    with pytest.raises(FormatError):
        parse_tile_path(path_text)
