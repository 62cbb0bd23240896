"""The room is pure: it imports nothing by which it could open, fetch, sleep, log or ask the time."""

import ast
from pathlib import Path

import pytest

import syncd.ledger

pytestmark = pytest.mark.fast

ALLOWED = {
    "base64",
    "binascii",
    "collections",
    "compression",
    "backports",
    "cryptography",
    "dataclasses",
    "functools",
    "gmssl_pyx",  # arithmetic of SM2 and SM3
    "hashlib",
    "orjson",
    "re",
    "struct",
    "sys",
    "typing",
    "unicodedata",
}
ROOM = sorted(Path(syncd.ledger.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", ROOM, ids=lambda path: path.stem)
def test_imports(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert {name.name.split(".")[0] for name in node.names} <= ALLOWED
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            ours = module == "syncd.errors" or module.startswith("syncd.ledger.")
            times = module == "datetime" and {name.name for name in node.names} <= {"UTC", "datetime"}
            assert ours or times or module.split(".")[0] in ALLOWED, module
        elif isinstance(node, ast.Attribute):
            assert node.attr not in ("now", "utcnow", "today"), "now is an argument"


def test_the_room_is_found() -> None:
    assert len(ROOM) >= 12
