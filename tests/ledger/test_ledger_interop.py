"""Our logs and bundles, verified by an implementation that is not ours: Go's sumdb/note and tlog (Debian packages)."""

import os
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import pytest
from ledger_helpers import GrowingTree, signer, witness

from syncd.ledger.checkpoint import Checkpoint, format_checkpoint
from syncd.ledger.notes import NoteSigner, format_note
from syncd.ledger.proof import TlogProof, format_proof
from syncd.ledger.sm2 import Sm2Signer, new_key
from syncd.ledger.tiles import ENTRIES, tile_path
from syncd.ledger.tree import consistency_proof, inclusion_proof, root_from_tiles

GO_PATH = Path("/usr/share/gocode")
LOG = signer("demo-log/310114/1", 1)
MEMBERS = [witness(f"demo-log/{code}/receipt", seed) for code, seed in (("310114", 2), ("320583", 3), ("320585", 4))]
NEXT = signer(LOG.name, 5)
"""The key that comes next: during a rotation its line stands beside the old one's in every note."""
SECOND = Sm2Signer(LOG.name, *new_key())
"""Lines of a type that the other implementation does not know stand in every note."""
SIZE = 70_001
LEAVES = [b'{"n":%d}' % n for n in range(SIZE)]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program, built; without the toolchain a test fails in CI and is skipped, saying why, elsewhere."""
    if not shutil.which("go") or not (GO_PATH / "src/golang.org/x/mod/sumdb").is_dir():
        reason = "no Go toolchain with x/mod: apt-get install golang-go golang-golang-x-mod-dev"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("go")
    ours = {"GO111MODULE": "off", "GOPATH": str(GO_PATH), "GOFLAGS": "", "GOCACHE": str(folder / "cache")}
    built = folder / "verify"
    source = Path(__file__).parent / "interop" / "verify.go"
    subprocess.run(["go", "build", "-o", built, source], env={**os.environ, **ours}, check=True, timeout=110)
    return built


@pytest.fixture(scope="module")
def tree() -> GrowingTree:
    """A log of a size that leaves partial tiles at three levels."""
    grown = GrowingTree()
    grown.grow(LEAVES)
    return grown


def checkpoint(tree: GrowingTree, size: int, members: Sequence[NoteSigner] = MEMBERS) -> bytes:
    """A final checkpoint."""
    text = format_checkpoint(Checkpoint(LOG.name, size, root_from_tiles(size, tree.read)))
    return format_note(
        text,
        [LOG.sign(text), NEXT.sign(text), SECOND.sign(text), *[one.cosign(text, 1_790_000_000) for one in members]],
    )


@pytest.fixture
def folder(tmp_path: Path, tree: GrowingTree) -> Path:
    """The log as a static tree, with tlog-proofs beside it."""
    for (level, n), data in tree.tiles.items():
        put(tmp_path / tile_path(level, n, len(data) // 32), data)
    for n in range(-(-SIZE // 256)):
        leaves = LEAVES[n * 256 : (n + 1) * 256]
        data = b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)
        put(tmp_path / tile_path(ENTRIES, n, len(leaves)), data)
    put(tmp_path / "checkpoint", checkpoint(tree, SIZE))
    put(tmp_path / "log.vkey", f"{LOG.vkey}\n".encode())
    put(tmp_path / "witnesses.vkey", "".join(f"{one.vkey}\n" for one in MEMBERS).encode())
    for index, size in ((0, 1), (0, SIZE), (255, 256), (256, 257), (65_535, SIZE), (SIZE - 1, SIZE), (129, 130)):
        proof = TlogProof(index, inclusion_proof(index, size, tree.read), checkpoint(tree, size))
        put(tmp_path / f"proofs/{index}-{size}.tlog-proof", format_proof(proof))
        put(tmp_path / f"proofs/{index}-{size}.leaf", LEAVES[index])
    return tmp_path


def put(path: Path, data: bytes) -> None:
    """Write a file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def verified(program: Path, folder: Path, *files: Path) -> tuple[int, str]:
    """How the Go program ended, and what it said."""
    ended = subprocess.run([program, folder, *files], capture_output=True, timeout=60, check=False)
    return ended.returncode, (ended.stdout + ended.stderr).decode()


def test_go_accepts_a_whole_log_its_proofs_and_its_consistency(program: Path, folder: Path, tree: GrowingTree) -> None:
    files = []
    for old in (1, 255, 256, 257, 65_536, SIZE - 1):
        lines = [str(old), *[b64encode(one).decode() for one in (root_from_tiles(old, tree.read),
                 *consistency_proof(old, SIZE, tree.read))]]  # fmt: skip
        put(folder / f"old-{old}", "\n".join(lines).encode())
        files.append(folder / f"old-{old}")
    code, said = verified(program, folder, *files)
    assert (code, said.splitlines()) == (0, [f"entries {SIZE}", "proofs 7", "consistent 6"]), said


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/004", "tile/1/000", "tile/entries/007",
                                  "proofs/129-130.tlog-proof", "proofs/129-130.leaf"])  # fmt: skip
def test_go_refuses_what_was_altered(program: Path, folder: Path, tree: GrowingTree, name: str) -> None:
    path = folder / name
    if not path.exists():
        path = next((folder / "tile/0").glob("*.p/*"))
    data = path.read_bytes()
    path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    assert verified(program, folder)[0] == 1


def test_go_refuses_a_checkpoint_that_lacks_a_line(program: Path, folder: Path, tree: GrowingTree) -> None:
    put(folder / "checkpoint", checkpoint(tree, SIZE, MEMBERS[:2]))
    code, said = verified(program, folder)
    assert code == 1 and "3 of 4 lines" in said
