"""The house: floors by import-linter, even rooms by their sizes, pure rooms by what they import, no place names."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

ROOT = Path(__file__).parents[2]
ROOMS = ("syncd", "adapters", "schemas")
FILE_LINES, TEST_LINES, FUNCTION_LINES, WIRING_LINES = 300, 500, 50, 120
# A reason stands beside each exception.
LARGER_FILES: dict[str, str] = {}
LONGER_FUNCTIONS: dict[str, str] = {}
PLACES = ("jiading", "kunshan", "taicang", "嘉定", "昆山", "太仓", "310114", "320583", "320585")
IMPURE = {"os", "io", "time", "logging", "pathlib", "socket", "subprocess", "requests", "sqlite3", "threading"}


def modules() -> list[Path]:
    """All modules of the application."""
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def name_of(path: Path) -> str:
    """The path inside the project."""
    return path.relative_to(ROOT).as_posix()


def test_floors_are_kept() -> None:
    found = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout[-4000:]


def test_files_keep_their_size() -> None:
    for path in modules():
        name, lines = name_of(path), path.read_text("utf-8").count("\n")
        assert lines <= FILE_LINES or name in LARGER_FILES, f"{name} has {lines} lines"
    assert (ROOT / "syncd/wiring.py").read_text("utf-8").count("\n") <= WIRING_LINES
    for path in (ROOT / "tests").rglob("*.py"):
        assert path.read_text("utf-8").count("\n") <= TEST_LINES, name_of(path)


def functions(path: Path) -> list[tuple[str, int]]:
    """Every function of a module with its number of lines."""
    tree = ast.parse(path.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        (f"{name_of(path)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(tree)
        if isinstance(node, kinds)
    ]


def test_functions_keep_their_size() -> None:
    found = [one for path in modules() for one in functions(path)]
    for name, lines in found:
        assert lines <= FUNCTION_LINES or name in LONGER_FUNCTIONS, f"{name} has {lines} lines"
    sizes = sorted(lines for _, lines in found)
    assert sizes[len(sizes) // 2] <= 10


def test_every_room_says_what_it_is_for() -> None:
    for path in modules():
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), f"{name_of(path)} has no docstring"


def test_pure_rooms_import_nothing_that_opens_or_asks_the_time() -> None:
    for room in ("syncd/agreement", "syncd/ledger"):
        for path in (ROOT / room).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                for name in names:
                    assert name.split(".")[0] not in IMPURE, f"{name_of(path)} imports {name}"


def test_no_bureau_is_named_in_code() -> None:
    """The number of members is data: names of places stand in ``config/`` alone."""
    for path in modules():
        tree = ast.parse(path.read_text("utf-8"))
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                for place in PLACES:
                    assert place not in node.value.lower(), f"{name_of(path)}:{node.lineno} names {place}"


def test_no_certificate_check_is_switched_off() -> None:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "verify" and isinstance(node.value, ast.Constant):
                assert node.value.value is not False, f"{name_of(path)} switches certificate checks off"


def test_names_of_the_generic_packages_are_ours() -> None:
    import adapters
    import schemas

    for package in (adapters, schemas):
        assert Path(str(package.__file__)).parents[1] == ROOT
