"""What every command promises: help with an example, an entry in the documents, and errors of one line."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from cli_nodes import ROOT, environment, syncd

from syncd.cli import main as command_line
from syncd.cli.main import app, run
from syncd.errors import NeedsPerson, Refuse, Retry, Stop, SyncdError

pytestmark = pytest.mark.fast

DOCUMENT = (ROOT / "docs" / "commands.md").read_text("utf-8")
HEAVY = ("sqlalchemy", "pydantic", "requests", "cryptography", "fastapi", "uvicorn", "rich", "alembic")


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command and family with its path."""
    yield path, command
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, (*path, name))


EVERY = {" ".join(path): command for path, command in commands(typer.main.get_command(app))}
ALL = {name: command for name, command in EVERY.items() if not hasattr(command, "commands")}
FAMILIES = [name for name in EVERY if name not in ALL]


def sections() -> dict[str, str]:
    """The document's text under the heading of each command."""
    parts = re.split(r"^## syncd (.+)$", DOCUMENT, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_command_stands_in_the_document_and_no_other() -> None:
    assert sections().keys() == ALL.keys()
    assert set(ALL) >= {"init", "run", "status", "check", "explain", "register", "resync", "demo"}


@pytest.mark.parametrize("name", ALL)
def test_help_has_an_example_and_the_document_each_option(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*name.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"Example:\n    syncd {name}" in shown
    long = {word for one in ALL[name].params for word in one.opts if word.startswith("--")}
    listed = set(re.findall(r"^\| `(--[a-z0-9-]+)` \|", sections()[name], re.MULTILINE))
    assert listed == long and "--json" in long
    assert f"    syncd {name}" in sections()[name]


@pytest.mark.parametrize("name", FAMILIES)
def test_families_list_their_commands_and_have_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*name.split(), "-h"]) == 0
    shown = capsys.readouterr().out
    assert "Commands:" in shown
    (example,) = re.findall(r"Example:\n    syncd (.+)", shown)
    assert example.startswith(name) and any(f"{example} ".startswith(f"{one} ") for one in ALL)
    assert run(name.split()) == 2
    assert "Commands:" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["desk", "list", "-h"]])
def test_help_waits_for_no_library(arguments: list[str]) -> None:
    code = (
        f"from syncd.cli.main import run; run({arguments!r}); import sys; print([*filter(sys.modules.get, {HEAVY!r})])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["chek"], 2, "Did you mean 'check'?"),
        (["check"], 2, "USCC"),
        (["check", "91320583MB00000193", "--on", "2026-02-30"], 2, "no such day"),
        (["check", "91320583MB00000193", "--on", "20261126"], 2, "2026-11-22"),
        (["check", "91320583MB00000193", "--on", "2026-W48-4"], 2, "2026-11-22"),
        (["check", "91320583MB00000192"], 65, "last character does not check"),
        (["check", "913205"], 65, "18 characters"),
        (["check", "92320583MB00000190"], 65, "个体工商户"),
        (["resync", "everything", "--reason", "x"], 2, "'collect', 'share'"),
        (["resync", "collect"], 2, "--reason"),
        (["desk", "show", "first"], 2, "N"),
        (["status", "-c", "nowhere.toml"], 3, "syncd init"),
        (["run", "-c", "nowhere.toml"], 3, "syncd init"),
        (["member", "add", "x", "-c", "nowhere.toml"], 2, "--fingerprint"),
    ],
)
def test_errors_are_one_line(
    arguments: list[str], code: int, word: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(arguments) == code
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and said.err.startswith("syncd: ") and word in said.err


def test_what_was_typed_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody may type a person's number; it must not end up in a log of the terminal."""
    number = "11010519491231002X"
    assert run(["check", number]) == 65
    assert number not in capsys.readouterr().err


class Fault(Exception):
    """Anything a command may meet."""


@pytest.mark.parametrize(
    ("error", "code"),
    [(SyncdError("x."), 1), (NeedsPerson("x."), 3), (Refuse("x."), 65), (Stop("x."), 70), (Retry("x."), 75),
     (KeyboardInterrupt(), 130), (PermissionError(13, "Permission denied", "f"), 3),
     (OSError(28, "No space left", "f"), 70), (Fault("a name"), 70)],
)  # fmt: skip
def test_every_error_has_its_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_app: typer.Typer) -> None:
        raise error

    monkeypatch.setattr(command_line.typer.main, "get_command", fail)
    assert run(["status"]) == code
    said = capsys.readouterr().err
    assert said.count("\n") == (0 if code == 130 else 1) and "a name" not in said
    assert f"| {code} |" in DOCUMENT


def test_the_module_is_the_command() -> None:
    ran = syncd("--help")
    assert ran.code == 0 and ran.out.startswith("Usage: syncd ") and ran.err == ""
