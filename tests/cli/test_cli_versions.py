"""A second version as an official handles it: compared, taken up, signed, and waiting for the other members."""

import shutil
from pathlib import Path

import pytest
from cli_nodes import AGREEMENT, OWN, make_node, put_rows, some_rows, syncd

from syncd.agreement_files import Versions, read_agreement
from syncd.ledger.notes import parse_note

REASON = "decided on 2026-11-20"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node with findings, in a demonstration."""
    folder = tmp_path_factory.mktemp("versions")
    made = make_node(folder, allow_candidates=True)
    put_rows(folder, some_rows())
    assert syncd("resync", "collect", "--reason", REASON, "-c", made).code == 0
    return made


@pytest.fixture(scope="module")
def second(node: Path) -> Path:
    """The folder of version 2: Kunshan's rules run for twelve months."""
    folder = node.parents[1] / "eco-2"
    shutil.copytree(AGREEMENT, folder)
    head = folder / "agreement.toml"
    text = head.read_text("utf-8").replace("version = 1\n", "version = 2\n")
    head.write_text(text.replace("effective_from = 2019-12-30", "effective_from = 2099-01-01"), "utf-8")
    region = folder / "regions" / f"{OWN}.toml"
    shorter = region.read_text("utf-8").replace("months = 24", "months = 12").replace("until = 2028", "until = 2027")
    region.write_text(shorter, "utf-8")
    return folder


def test_whom_it_would_affect_is_said_before_anybody_signs(node: Path, second: Path) -> None:
    drawn = syncd("agreement", "diff", "1", second, "--against", "register", "-c", node)
    assert drawn.code == 0 and "生效日期" in drawn.out and "months 24 → 12" in drawn.out
    assert "变更 changed" in drawn.out
    ran = syncd("agreement", "diff", "1", second, "--against", "register", "-c", node, "--json")
    assert ran.code == 0, ran.err
    assert {one["region"] for one in ran.json["effects"]} == {OWN}
    assert {one["effect"] for one in ran.json["effects"]} == {"changed"}
    assert all(one["until_now"] < one["until_was"] for one in ran.json["effects"])


def test_a_version_is_taken_up_signed_and_waits_for_the_others(node: Path, second: Path) -> None:
    assert "holds no version 2" in syncd("agreement", "sign", "2", "--reason", REASON, "-c", node).sentence
    loaded = syncd("agreement", "load", second, "-c", node)
    assert loaded.code == 0 and "jiakuntai-eco@2#" in loaded.out, loaded.err
    assert syncd("keys", "rotate", "log", "--reason", REASON, "-c", node).code == 0
    signed = syncd("agreement", "sign", "2", "--reason", REASON, "--account", "7", "-c", node, "--json")
    assert signed.code == 0, signed.err
    assert Path(signed.json["file"]).read_text("utf-8").startswith("syncd/agreement/v1\njiakuntai-eco\n2\n")
    assert len(parse_note(Path(signed.json["file"]).read_bytes()).lines) == 2, "both keys of a rotation sign"
    verified = syncd("agreement", "verify", "2", "-c", node, "--json")
    assert verified.code == 3 and verified.json["missing"] == ["310114", "320585"]
    assert verified.json["files"] == {"310114": "missing", OWN: "signed", "320585": "missing"}
    shown = syncd("agreement", "status", "-c", node)
    assert "待各成员签署 waits for adoption" in shown.out and "现行 in force" in shown.out
    assert syncd("agreement", "replay", "2", "--reason", REASON, "-c", node).sentence.count("not in force") == 1
    dry = syncd("agreement", "replay", "2", "--dry-run", "--reason", REASON, "-c", node, "--json")
    assert dry.code == 0 and dry.json["proposed"] > 0 and "changed" in {one["effect"] for one in dry.json["effects"]}


def test_a_changed_text_of_a_known_version_is_refused(node: Path, second: Path) -> None:
    other = second.with_name("eco-2-changed")
    shutil.copytree(second, other)
    (other / "sources.toml").write_text((other / "sources.toml").read_text("utf-8") + "\n# a word more\n", "utf-8")
    ran = syncd("agreement", "load", other, "-c", node)
    assert ran.code == 3 and "another text of version 2" in ran.sentence
    (node.parent / "versions" / "odd").mkdir()
    (node.parent / "versions" / "odd" / "agreement.toml").write_text("version", "utf-8")
    assert list(syncd("agreement", "status", "-c", node, "--json").json["not_taken_up"]) == ["odd"]
    signature = next((node.parents[1] / "agreement" / "members").glob("agreement-2-*.note"))
    signature.write_text(signature.read_text("utf-8").replace("\n2\n", "\n3\n"), "utf-8")
    assert syncd("agreement", "verify", "2", "-c", node, "--json").json["files"][OWN] == "wrong"


def test_a_folder_that_is_still_being_copied_is_not_taken_up(tmp_path: Path, second: Path) -> None:
    """Without its scales or purposes the half is sound by itself, but of another digest, and would be kept for good."""
    folder = tmp_path / "versions"
    found = Versions(folder, "jiakuntai-eco")
    assert found() == [], "the first look of all, at a start"
    (folder / ".2.new").mkdir(parents=True)
    (folder / ".2.new" / "agreement.toml").write_bytes(b"half")
    shutil.copytree(second, folder / "2", ignore=shutil.ignore_patterns("members", "purposes.toml"))
    half = read_agreement(folder / "2").digest
    assert found() == [] and found.faults == {}
    shutil.copy(second / "purposes.toml", folder / "2" / "purposes.toml")
    assert found() == [], "it has changed since the last look"
    assert [one.digest for one in found()] == [read_agreement(second).digest] and found.faults == {}
    assert half != read_agreement(second).digest
    assert [one.version for one in Versions(folder, "jiakuntai-eco")()] == [2], "at a start it is read at once"
