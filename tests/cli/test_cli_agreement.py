"""``agreement check`` as an official runs it: sound, refused with sentences, objected to for what it rests on."""

import shutil
from pathlib import Path

import pytest
from cli_nodes import syncd

SHIPPED = Path(__file__).parents[2] / "config" / "agreements" / "jiakuntai-eco"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy that may be edited."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "eco"))


def test_nothing_stands_against_the_shipped_one(folder: Path) -> None:
    ran = syncd("agreement", "check", folder, "--on", "2026-11-22")
    assert ran.code == 0 and "Nothing stands against it 未见异议" in ran.out
    listed = syncd("agreement", "check", folder, "--on", "2026-11-22", "--measures")
    assert "有依据 carried" in listed.out and "存疑 doubtful" in listed.out and "无依据 without_basis" in listed.out
    told = syncd("agreement", "check", folder, "--on", "2026-11-22", "--json").json
    assert told["cases"] == 24 and told["objections"] == []
    assert told["criteria"] == 19, "the catch-all is outside the agreement and counts nowhere"


def test_a_contradiction_is_refused_with_the_record_that_shows_it(folder: Path) -> None:
    region = folder / "regions" / "320583.toml"
    region.write_text(region.read_text("utf-8").replace(' && !penalty.violation.contains("未批先建")', ""), "utf-8")
    ran = syncd("agreement", "check", folder)
    assert ran.code == 3 and "KS-D-01 and KS-D-02 both hold for a record with penalty.violation" in ran.sentence


def test_a_failing_case_and_ended_law_are_listed(folder: Path) -> None:
    region = folder / "regions" / "310114.toml"
    region.write_text(region.read_text("utf-8").replace('by = "JD-D-03"', 'by = "JD-D-01"'), "utf-8")
    bases = folder / "bases.toml"
    bases.write_text(bases.read_text("utf-8").replace("max_months = 36", "valid_to = 2026-12-31"), "utf-8")
    told = syncd("agreement", "check", folder, "--on", "2026-11-22", "--json")
    assert told.code == 3
    assert [one["about"] for one in told.json["objections"]] == ["case"]
    assert "by is JD-D-03, expected JD-D-01" in told.json["objections"][0]["sentence"]
    assert "things stand against it" in syncd("agreement", "check", folder, "--on", "2026-11-22").out
