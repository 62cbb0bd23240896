"""The README is true: its two commands are the project's own, and what it shows of their output is really printed."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from house_docs import DOCS, README, ROOT, blocks, spans, text_of

TEXT = text_of(README)
AUDITOR = text_of(DOCS / "auditor.md")
SCREEN = 90
DIR = ".demo"


def console(text: str = TEXT) -> dict[str, list[str]]:
    """The lines shown under each command of a page."""
    shown: dict[str, list[str]] = {}
    for line in (line for block in blocks(text, "console") for line in block.splitlines()):
        if line.startswith("$ "):
            command = line.removeprefix("$ ")
            shown[command] = []
        else:
            shown[command].append(line)
    return shown


def recipe(target: str, *variables: str) -> str:
    """The last line of what make would run for a target, also where make itself runs this test."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "-n", "--no-print-directory", target, *variables]
    ran = subprocess.run(command, cwd=ROOT, env=ours, capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()[-1]


def plain(text: str) -> str:
    """Text with every run of blanks as one."""
    return " ".join(text.split())


def found_in(shown: str, printed: str) -> bool:
    """Whether a line of the README, in which … stands for anything left out, is part of one that was printed."""
    parts = [re.escape(plain(part)) for part in shown.split("…")]
    return re.search(r".*".join(parts), printed) is not None


def test_it_is_one_screen() -> None:
    assert TEXT.count("\n") <= SCREEN


def test_the_two_commands_are_the_targets_of_make() -> None:
    assert list(console()) == ["make demo", "make test"]
    makefile = text_of(ROOT / "Makefile")
    targets = re.findall(r"^([a-z]+):", makefile, re.MULTILINE)
    for span in spans(TEXT):
        if span.startswith("make "):
            assert span.removeprefix("make ") in targets
    assert f"DIR ?= {DIR}" in makefile
    assert "-m syncd demo --dir" in recipe("demo") and "-m pytest" in recipe("test")


def test_continuous_integration_calls_the_test_command() -> None:
    assert "make test" in text_of(ROOT / ".ci" / "run").splitlines()


def test_the_set_up_says_what_is_shown() -> None:
    said = text_of(ROOT / "setup.sh")
    makefile = text_of(ROOT / "Makefile")
    for command, lines in console().items():
        target = command.removeprefix("make ")
        ready = re.search(rf"^{target}: (\S+)$", makefile, re.MULTILINE)
        assert ready
        lock = re.search(rf"^{re.escape(ready[1])}: (\S+)", makefile, re.MULTILINE)
        assert lock
        echoed = re.findall(r'echo "(syncd: [^"]+)" >&2$', said.replace("$lock", lock[1]), re.MULTILINE)
        shown = [line for line in lines if line.startswith("syncd: ")]
        assert shown and all(line in echoed for line in shown)


@pytest.fixture(scope="module")
def demonstrated() -> Iterator[tuple[str, list[str]]]:
    """A folder of the test's own, and what ``make demo`` prints there: its own recipe, run with this interpreter."""
    with TemporaryDirectory(prefix="syncd-") as folder:  # pytest's own folders are too deep for a Unix socket's path
        command = recipe("demo", f"DIR={folder}").split()
        assert command[0] == ".venv/bin/python"
        ended = subprocess.run([sys.executable, *command[1:]], cwd=ROOT, capture_output=True, timeout=150, check=False)
        assert ended.returncode == 0, ended.stdout.decode()[-3000:] + ended.stderr.decode()
        yield folder, [plain(line) for line in ended.stdout.decode().replace(folder, DIR).splitlines()]


@pytest.mark.timeout(180)
def test_the_demonstration_prints_what_is_shown(demonstrated: tuple[str, list[str]]) -> None:
    shown = [line for line in console()["make demo"] if line.strip("…") and not line.startswith("syncd: ")]
    in_order(shown, demonstrated[1])
    assert len(shown) > 10


def in_order(shown: list[str], printed: list[str]) -> None:
    """Every line that is shown was printed, in the same order."""
    at = 0
    for line in shown:
        after = next((number for number in range(at, len(printed)) if found_in(line, printed[number])), None)
        assert after is not None, f"not printed, or not in this order: {line}\n" + "\n".join(printed)
        at = after


@pytest.mark.timeout(180)
def test_the_auditors_page_is_what_is_printed(demonstrated: tuple[str, list[str]]) -> None:
    """Each command of the page, one after the other, on the demonstration's nodes, as an auditor types them."""
    folder, _ = demonstrated
    commands = console(AUDITOR)
    assert len(commands) == 10 and commands.pop("make demo") == []
    for command, lines in commands.items():
        typed = command.replace(".venv/bin/syncd", f"{sys.executable} -m syncd").replace(DIR, folder)
        ours = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
        ended = subprocess.run(typed, shell=True, cwd=folder, env=ours, capture_output=True, timeout=60, check=False)
        wrong = "something is wrong" in " ".join(lines)
        assert ended.returncode == wrong, f"{command}\n{ended.stdout.decode()}{ended.stderr.decode()}"
        printed = [plain(line) for line in ended.stdout.decode().splitlines()]
        in_order([line for line in lines if line.strip("…")], printed)
    assert "有误" not in (Path(folder) / "audit.html").read_text("utf-8")
