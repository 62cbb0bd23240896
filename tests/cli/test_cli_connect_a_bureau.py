"""The page for engineers is true: an invented fourth bureau is connected by typing what stands there, line by line."""

import re
import shlex
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cli_nodes import AGREEMENT, CODES, ROOT

from adapters.facts import parse_facts
from syncd.cli.main import run
from syncd.demo.site import free_port
from syncd.founding import found
from syncd.settings_file import Wishes

PAGE = (ROOT / "docs" / "connect-a-bureau.md").read_text("utf-8")
BUREAU = Path(__file__).parent / "xincheng"
CODE = "320599"


def steps() -> list[tuple[str, str]]:
    """The fenced blocks of the page in order: what to type, and what to write into the facts page."""
    return re.findall(r"^```(console|toml)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def typed(block: str) -> dict[str, list[str]]:
    """The commands of a block, each with the lines shown under it."""
    shown: dict[str, list[str]] = {}
    for line in block.splitlines():
        if line.startswith("$ "):
            shown[command := line.removeprefix("$ ")] = []
        else:
            shown[command].append(line)
    return shown


def fill_in(page: Path, block: str) -> None:
    """Put lines of the document into the page: in place of the setting or its comment, or at the section's end."""
    lines, at = page.read_text("utf-8").split("\n"), 0
    for line in block.splitlines():
        if line.startswith("["):
            at = next(n for n, one in enumerate(lines) if one in (line, f"# {line}"))
            lines[at] = line
            continue
        end = lines.index("", at)
        same = re.compile(rf"(# )?{re.escape(line.split(' = ')[0])} = ")
        there = next((n for n in range(at, end) if same.match(lines[n])), None)
        lines[end if there is None else there : end if there is None else there + 1] = [line]
    page.write_text("\n".join(lines), "utf-8")


def plain(text: str) -> str:
    return " ".join(text.split())


def in_order(shown: list[str], printed: list[str]) -> None:
    """Each line that is shown was printed, in this order; … stands for anything."""
    at = 0
    for line in shown:
        if line.strip("… "):
            pattern = ".*".join(re.escape(plain(part)) for part in line.split("…"))
            after = next((n for n in range(at, len(printed)) if re.search(pattern, printed[n])), None)
            assert after is not None, f"not printed, or not in this order: {line}\n" + "\n".join(printed)
            at = after


@pytest.fixture
def afternoon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What she has: her system's folder, the agreement that names her bureau, the other members' files."""
    monkeypatch.chdir(tmp_path)
    for part in ("in", "out", "ack"):
        (tmp_path / "exchange" / part).mkdir(parents=True)
    for name, file in (("处罚_20261120.csv", "decisions.csv"), ("修复_20261120.csv", "repairs.csv")):
        (tmp_path / "exchange/in" / name).write_bytes((BUREAU / file).read_text("utf-8").encode("gb18030"))
    _agreement(tmp_path / "agreement")
    (tmp_path / "members").mkdir()
    for code in CODES:
        shutil.copytree(tmp_path / "agreement", tmp_path / code / "agreement")
        made = found(tmp_path / code, Wishes(code, f"https://127.0.0.1:{free_port()}", tmp_path / code / "agreement"))
        shutil.copy(made.member_file, tmp_path / "members")
        (tmp_path / "members" / f"fingerprint-{code}").write_text(made.member.fingerprint)
    return tmp_path


def _agreement(folder: Path) -> None:
    """The shipped agreement with a fourth member, whose code list is a neighbour's under names of its own."""
    shutil.copytree(AGREEMENT, folder)
    head = folder / "agreement.toml"
    head.write_text(head.read_text("utf-8").replace('"320585"]', f'"320585", "{CODE}"]', 1), "utf-8")
    there = (folder / "regions/320583.toml").read_text("utf-8").replace('"320583"', f'"{CODE}"').replace("KS-0", "XC-0")
    (folder / f"regions/{CODE}.toml").write_text(there, "utf-8")


@pytest.mark.timeout(180)
def test_a_fourth_bureau_is_connected_by_what_the_page_says(afternoon: Path, capsys: Any) -> None:
    page = afternoon / "config/sources/xincheng.toml"
    for kind, block in steps():
        if kind == "toml":
            fill_in(page, block)
            continue
        for command, lines in typed(block).items():
            arguments = shlex.split(command)[1:]
            if arguments[:2] == ["member", "add"]:
                fingerprint = (afternoon / "members" / f"fingerprint-{arguments[2][-11:-5]}").read_text()
                arguments = [fingerprint if one == "F" else one for one in arguments]
            code = run(arguments)
            said = capsys.readouterr()
            assert code in (0, 1), command + said.err
            in_order(lines, [plain(line) for line in said.out.splitlines()])
    finished = parse_facts((BUREAU / "xincheng.toml").read_bytes())
    assert parse_facts(page.read_bytes()) == finished
    assert tomllib.loads(page.read_text("utf-8"))["publisher"]["code"] == CODE


def test_the_page_is_linked_and_shows_its_files() -> None:
    assert "tests/cli/xincheng/" in PAGE and {path.name for path in BUREAU.iterdir()} == {
        "decisions.csv", "repairs.csv", "xincheng.toml",
    }  # fmt: skip
    assert len([kind for kind, _ in steps() if kind == "console"]) >= 4
