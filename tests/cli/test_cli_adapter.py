"""The commands about a source as an engineer types them, with real files and no node."""

import json
from pathlib import Path
from typing import Any

import pytest
from cli_nodes import OWN, ROOT

from syncd.cli.main import run
from syncd.demo.bulk import generate_bulk
from syncd.demo.formats import Row, local_today
from syncd.demo.writers import FolderSystem

pytestmark = pytest.mark.fast
KUNSHAN = str(ROOT / "config" / "sources" / "kunshan.toml")


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(arguments)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for part in ("in", "out", "ack"):
        (tmp_path / "exchange" / part).mkdir(parents=True)
    return tmp_path / "exchange"


def rows_of(count: int) -> list[Row]:
    return list(generate_bulk(OWN, count, local_today()))


@pytest.mark.parametrize("mode", ["service", "files", "database"])
def test_a_new_page_is_written_once_and_can_be_tried(mode: str, system: Path, capsys: Any) -> None:
    code, out, err = ran(capsys, "adapter", "new", "xincheng", "--mode", mode, "--bureau", "虚构市新城生态环境局")
    assert (code, err) == (0, "") and "config/sources/xincheng.toml" in out and "填写 FILL IN: code" in out
    before = Path("config/sources/xincheng.toml").read_text("utf-8")
    code, _, err = ran(capsys, "adapter", "new", "xincheng", "--mode", mode)
    assert code == 3 and "left as it is" in err and Path("config/sources/xincheng.toml").read_text("utf-8") == before
    code, out, _ = ran(capsys, "adapter", "check", "xincheng")
    assert code == 0 and "16 of 16" in out and "Fine 通过." in out


def test_a_page_nobody_has_filled_in_is_not_fine_and_starts_no_node(system: Path, capsys: Any) -> None:
    from syncd.errors import NeedsPerson
    from syncd.home_system import find_home, open_source

    ran(capsys, "adapter", "new", "xincheng", "--mode", "files")
    code, out, _ = ran(capsys, "adapter", "check", "xincheng")
    assert code == 1 and "names no publisher" in out
    home = find_home("xincheng", None, {"folder": "exchange"})
    with pytest.raises(NeedsPerson, match="names no publisher"):
        open_source(home.settings, bytes(32))


def test_a_source_is_read_and_nothing_is_left_behind(system: Path, capsys: Any) -> None:
    rows = rows_of(30)
    rows[3]["CF_XDR_SHXYM"] = rows[3]["CF_XDR_SHXYM"][:17] + "~"
    FolderSystem(system).put_penalties(rows)
    before = sorted(system.parent.rglob("*"))
    code, out, _ = ran(capsys, "adapter", "check", KUNSHAN, "--live", "--source", "folder=exchange", "--json")
    report = json.loads(out)
    assert code == 1 and report["live"]["rows"]["read"] == 30 and report["live"]["rows"]["findings"] == 29
    assert sorted(system.parent.rglob("*")) == before
    code, out, _ = ran(capsys, "adapter", "check", KUNSHAN, "--live", "--source", "folder=exchange")
    assert "1 × CF_XDR_SHXYM alphabet" in out and "更正代码" in out and "nothing was stored" in out
    assert rows[0]["CF_FRDB"] not in out and rows[0]["CF_SY"] not in out


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["check", "nowhere"], 3, "nowhere.toml"),
        (["check", KUNSHAN, "--live"], 3, "source.folder"),
        (["check", KUNSHAN, "--live", "--source", "folder=gone"], 75, "in/"),
        (["check", KUNSHAN, "--live", "--source", "pail=x"], 3, "pail"),
        (["check", KUNSHAN, "--live", "--source", "folder"], 2, "name=value"),
        (["new", "Xin Cheng", "--mode", "files"], 3, "source.id"),
        (["new", "xincheng", "--mode", "post"], 2, "service"),
        (["new", "xincheng", "--mode", "files", "--organ", "11320500MB2000020N"], 3, "publisher.organ"),
        (["ddl", KUNSHAN], 3, "files mode"),
    ],
)
def test_errors_are_one_line(arguments: list[str], code: int, word: str, system: Path, capsys: Any) -> None:
    assert run(["adapter", *arguments]) == code
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and word in said.err
    assert not list(system.parent.rglob("*.toml"))


def test_the_tables_of_a_front_database_are_printed(system: Path, capsys: Any) -> None:
    page = str(ROOT / "config" / "sources" / "taicang.toml")
    for dialect, word in (("mariadb", "ON UPDATE"), ("postgresql", "COMMENT ON COLUMN"), ("dm", "VARCHAR2")):
        code, out, _ = ran(capsys, "adapter", "ddl", page, "--dialect", dialect)
        assert code == 0 and word in out and out.count("CREATE TABLE") == 4


def test_records_go_out_as_singer_messages_and_a_state_goes_on(system: Path, capsys: Any) -> None:
    FolderSystem(system).put_penalties(rows_of(5))
    code, out, err = ran(capsys, "adapter", "tap", KUNSHAN, "--source", "folder=exchange")
    said = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "") and [one["type"] for one in said] == ["SCHEMA"] * 2 + ["RECORD"] * 5 + ["STATE"]
    state = system / "state.json"
    state.write_text(json.dumps(said[-1]["value"]))
    _, out, _ = ran(capsys, "adapter", "tap", KUNSHAN, "--source", "folder=exchange", "--state", str(state))
    assert [json.loads(line)["type"] for line in out.splitlines()] == ["SCHEMA", "SCHEMA", "STATE"]
    code, out, err = ran(capsys, "adapter", "tap", KUNSHAN, "--source", "folder=exchange", "--state", "nowhere.json")
    assert (code, out) == (3, "") and "nowhere.json" in err
    _, out, _ = ran(capsys, "adapter", "tap", KUNSHAN, "--discover")
    assert [one["stream"] for one in json.loads(out)["streams"]] == ["findings", "relief"]
    state.write_text("[]")
    code, out, err = ran(capsys, "adapter", "tap", KUNSHAN, "--source", "folder=exchange", "--state", str(state))
    assert (code, out) == (3, "") and "no JSON object" in err
