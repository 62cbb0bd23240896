"""``who`` and ``honour`` by command: a name suggests, a person decides at the desk, an honour is granted and shown."""

import json
from pathlib import Path
from typing import Any

import pytest
from cli_nodes import make_node, put_rows, some_rows

from syncd.cli.main import run

ORGAN = "11320500MB2000020M"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demonstration node that has read its rows."""
    folder = tmp_path_factory.mktemp("who")
    settings = make_node(folder, allow_candidates=True)
    put_rows(folder, some_rows())
    assert run(["resync", "collect", "--reason", "x", "-c", str(settings)]) == 0
    return settings


def asked(node: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """A command's answer; ``capsys`` is emptied before."""
    capsys.readouterr()
    assert run([*arguments, "-c", str(node), "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def drawn(node: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert run([*arguments, "-c", str(node)]) == 0
    return capsys.readouterr().out


def test_a_name_suggests_and_a_person_decides_and_undoes(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = asked(node, capsys, "register")["organisations"][0]
    uscc, name = first["uscc"], first["name"]
    found = asked(node, capsys, "who", name)
    assert found["organisation"] is None and found["candidates"][0]["uscc"] == uscc
    assert "名称不作认定" in drawn(node, capsys, "who", name)
    item = asked(node, capsys, "who", name, "--ask")["result"]["item"]
    assert name in drawn(node, capsys, "desk", "show", str(item))
    assert "主体识别" in drawn(node, capsys, "desk", "list")
    done = asked(node, capsys, "desk", "choose", str(item), uscc, "--reason", "licence seen")["result"]
    assert (done["state"], done["chosen"]) == ("released", uscc)
    assert "人工认定" in drawn(node, capsys, "who", name) and uscc in drawn(node, capsys, "who", uscc[8:17])
    asked(node, capsys, "desk", "reopen", str(item), "--reason", "another's licence")
    assert asked(node, capsys, "who", name)["organisation"] is None
    assert run(["desk", "reopen", str(item), "--reason", "x", "-c", str(node)]) == 3
    assert run(["who", "张三丰", "-c", str(node)]) == 65 and "张三丰" not in capsys.readouterr().err


def test_an_honour_is_granted_shown_suspended_and_withdrawn(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    register = asked(node, capsys, "register")["organisations"]
    severe = next(one for one in register if one["standing"] == "restricted")
    clean = "91310114MA4617848A"
    entries = []
    for uscc, name in ((severe["uscc"], severe["name"]), (clean, "虚构清白企业有限公司")):
        about = ["--honour", "HN-RED", "--name", name, "--number", "昆诚〔2026〕1号", "--organ", ORGAN]
        days = ["--on", "2026-01-05", "--until", "2099-01-04", "--reason", "published"]
        entries.append(asked(node, capsys, "honour", "grant", uscc, *about, *days)["result"]["entry"])
    shown = drawn(node, capsys, "check", severe["uscc"])
    assert "红名单" in shown and "因严重失信暂停" in shown
    assert "暂停 suspended: IN-GREEN 绿色通道" in drawn(node, capsys, "explain", severe["uscc"])
    honours = asked(node, capsys, "check", clean)["honours"]
    assert [one["state"] for one in honours[0]["incentives"]] in (["offered"] * 3, ["ended"] * 3)
    assert len(asked(node, capsys, "honour", "list")["honours"]) == 2
    asked(node, capsys, "honour", "withdraw", entries[1], "--reason", "revoked")
    assert asked(node, capsys, "check", clean)["honours"] == []
    assert run(["honour", "withdraw", entries[1], "--reason", "x", "-c", str(node)]) == 3
