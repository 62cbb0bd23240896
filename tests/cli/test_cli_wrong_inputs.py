"""Plain bad input is answered with a sentence and a code that says whose turn it is, not as a fault of the program."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cli_nodes import ROOT, environment, make_node, put_rows, some_rows

from syncd.cli.desk import _told
from syncd.cli.main import run

USCC = "91320583MB00000193"
HUGE = "9" * 23


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demonstration node that has read its rows."""
    folder = tmp_path_factory.mktemp("wrong")
    settings = make_node(folder, allow_candidates=True)
    put_rows(folder, some_rows())
    assert run(["resync", "collect", "--reason", "x", "-c", str(settings)]) == 0
    return settings


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Files that are not what is asked for."""
    folder = tmp_path_factory.mktemp("files")
    for name, data in (("empty", b""), ("bytes.csv", b"\xff\xfe\x00\xd8\xff"), ("book.xlsx", b"no workbook")):
        (folder / name).write_bytes(data)
    (folder / "good.csv").write_text(f"USCC\n{USCC}\n", "utf-8")
    (folder / "folder").mkdir()
    names = ("empty", "bytes.csv", "book.xlsx", "good.csv", "folder", "missing")
    return {name.partition(".")[0]: str(folder / name) for name in names}


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("review verify {empty} --member {missing}", 3),
        ("review verify {empty} --member {folder}", 3),
        ("review verify {missing}", 3),
        ("review verify {empty} --member {bytes}", 3),
        ("review batch {bytes} -o {good}.out.csv --for tender", 65),
        ("review batch {book} -o {good}.out.csv --for tender", 65),
        ("review batch {folder} -o {good}.out.csv --for tender", 65),
        ("review book --to 9999-12-31", 2),
        ("member add {folder} --fingerprint x", 3),
        ("member add {empty} --fingerprint x", 3),
        ("ledger verify {missing} --policy {missing}", 3),
        ("ledger verify {good} --policy {empty}", 3),
        ("ledger audit {missing}", 3),
        ("ledger asof " + USCC + " --on 2026-13-01", 2),
        ("ledger prove 320583:0 -o {folder}", 3),
        ("ledger evidence show " + HUGE, 2),
        ("agreement check {empty}", 3),
        ("agreement diff {missing} {folder}", 3),
        ("agreement replay " + HUGE + " --reason x", 2),
        ("check " + USCC + " --known 9999-12-31", 2),
        ("check " + USCC + " --region 999999", 3),
        ("check 91320583MB00000194", 65),
        ("explain " + USCC + " --on yesterday", 2),
        ("honour withdraw zz --reason x", 2),
        ("desk show " + HUGE, 2),
        ("desk release " + HUGE + " --reason x", 2),
        ("resync collect --account " + HUGE + " --reason x", 2),
        ("erase 320583:999999 --ground g --order o", 3),
        ("status -c {folder}", 3),
    ],
)
def test_what_was_given_is_told_in_a_sentence(
    node: Path, wrong: dict[str, str], command: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word.format(**wrong) for word in command.split()]
    given = [] if "-c" in words or words[:2] in (["ledger", "verify"], ["ledger", "audit"]) else ["-c", str(node)]
    capsys.readouterr()
    left, said = run([*words, *given]), capsys.readouterr().err
    assert left == code, said
    assert said.startswith("syncd: ") and said.rstrip().endswith((".", "?")) and "fault of this program" not in said


@pytest.mark.parametrize(
    "words",
    [
        ["resync", "share", "--reason", "x", "--peer", ""],
        ["resync", "share", "--reason", "x", "--peer="],
        ["check", USCC, "--on", " "],
        ["register", "--region", "\u3000"],
        ["check", ""],
        ["desk", "release", "1", "--reason", ""],
        ["desk", "refuse", "1", "--reason="],
        ["resync", "collect", "--reason", "\t "],
        ["resync", "collect", "--reason", "x", "--peer", "310114"],
        ["resync", "restrict", "--reason", "x", "--peer", "310114"],
    ],
)
def test_a_blank_value_is_no_default_and_a_peer_no_ornament(
    node: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run([*words, "-c", str(node)]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("syncd: ") and ("is blank" in said.err) == ("310114" not in words)
    option = next((word.partition("=")[0] for word in reversed(words) if word.startswith("--")), "An argument")
    assert option in said.err


@pytest.mark.parametrize("words", [["desk", "release", "1"], ["resync", "collect"], ["agreement", "replay", "1"]])
def test_a_reason_names_no_person_by_number(node: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    for number in ("11010519491231002X", "110105-19491231-002X"):
        assert run([*words, "--reason", f"asked by {number}", "-c", str(node)]) == 2
        said = capsys.readouterr()
        assert said.out == "" and "person's number" in said.err and number not in said.err


def test_a_setting_of_the_source_is_not_blank(capsys: pytest.CaptureFixture[str]) -> None:
    for given in ("folder=", "folder= ", "folder"):
        assert run(["adapter", "check", "kunshan", "--source", given]) == 2
        assert "name=value" in capsys.readouterr().err


def test_where_a_policy_comes_from_is_said(wrong: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ledger", "verify", wrong["good"]]) == 2
    assert "public/trust.policy" in (said := capsys.readouterr().err) and "syncd ledger export" in said, said


def test_who_reads_no_further_is_no_fault(node: Path) -> None:
    for command in (f"register -c {node}", f"desk list --all --json -c {node}", "check --help"):
        asked = f"import os, sys; os.close(0); from syncd.cli.main import main; main({command.split()!r})"
        ended = subprocess.Popen([sys.executable, "-c", asked], cwd=ROOT, env=environment(), stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)  # fmt: skip
        assert ended.stdout is not None and ended.stderr is not None
        ended.stdout.close()
        assert (ended.stderr.read(), ended.wait(60)) == (b"", 0), command
        ended.stderr.close()


@pytest.mark.parametrize("closed", [[1], [2], [0, 1, 2]])
def test_a_stream_that_was_closed_is_no_fault(node: Path, closed: list[int]) -> None:
    for command, code in ((f"status -c {node}", 0), (f"status --json -c {node}", 0), ("check x", 65)):
        asked = f"from syncd.cli.main import main; main({command.split()!r})"
        shell = " ".join(["exec", '"$@"', *(f"{stream}>&-" for stream in closed)])
        ended = subprocess.run(["sh", "-c", shell, "sh", sys.executable, "-c", asked], cwd=ROOT, env=environment(),
                               capture_output=True, check=False)  # fmt: skip
        assert ended.returncode == code and b"fault" not in ended.stderr
        assert bool(ended.stdout) == (1 not in closed and code == 0), "an error is never an answer"


@contextmanager
def nobody() -> Iterator[None]:
    """Another account, as far as files go; only root can be one."""
    if os.geteuid():
        pytest.skip("only root can act as another account")
    os.seteuid(65534)
    try:
        for file in (ROOT / "pyproject.toml", Path(pytest.__file__)):
            if not os.access(file, os.R_OK, effective_ids=True):
                pytest.skip(f"{file} cannot be read by another account")
        yield
    finally:
        os.seteuid(0)


def test_what_this_account_may_not_read_is_a_persons_turn(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By every command alike, whatever it needs first: keys, store or the node's lock."""
    commands = (
        "status", f"check {USCC}", "desk list", "desk release 1 --reason x", "ledger audit", "run", "keys show", "fsck",
        f"ledger prove {USCC} -o {node.with_name('b')}",
    )  # fmt: skip
    import syncd.daemon  # noqa: F401 - loaded now, as by each command below: another account may not read Python's own

    with TemporaryDirectory() as name:
        place = Path(name) / "all"
        shutil.copytree(node.parents[1], place)
        for command in commands:
            if command != "run":
                run([*command.split(), "-c", str(place / "node/syncd.toml")])
        for path in (Path(name), *place.rglob("*")):
            private = path.name == "keys" or path.suffix in (".db", ".key")
            path.chmod(0o700 if private else 0o755)
        with nobody():
            for command in commands:
                capsys.readouterr()
                assert run([*command.split(), "-c", str(place / "node/syncd.toml")]) == 3, command
                said = capsys.readouterr()
                assert not said.out and "ermission denied" in said.err and said.err.count("\n") == 1


def test_an_item_says_what_is_not_there(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _told(None) == _told([]) == "none 无" and _told(["a", "b"]) == "a, b" and _told({"x": None}) == "x none 无"
    capsys.readouterr()
    shown = 0
    for item in range(1, 6):
        shown += run(["desk", "show", str(item), "-c", str(node)]) == 0
    assert shown and "None" not in capsys.readouterr().out
