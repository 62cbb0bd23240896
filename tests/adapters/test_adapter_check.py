"""A dry pull: counts that add up, faults with a remedy, samples without free text, nothing changed at the source."""

import ast
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from adapter_rows import PERSON, PERSON_NUMBER, TELEPHONE, csv_bytes, facts_of, penalty, put_file, relief

from adapters import sheets
from adapters.check import dry_pull, reading_only
from adapters.files import FilesAdapter
from adapters.remedies import INCOMPLETE, REMEDIES, is_incomplete, remedy_of

pytestmark = pytest.mark.fast
ROOT = Path(__file__).parents[2]
TODAY = dt.date(2026, 11, 22)
NOT_FOR_ROWS = {"parts", "not_canonical"}
"""Reasons that never come from a source: of making a code, and of a body that a program has made."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("in", "out", "ack"):
        (tmp_path / part).mkdir()
    return tmp_path


def test_a_dry_pull_says_what_becomes_of_every_row(folder: Path) -> None:
    rows = [
        *(penalty(n) for n in range(1, 5)),
        penalty(5, CF_XDR_LB="自然人", CF_XDR_SHXYM=""),
        penalty(6, CF_XDR_SHXYM="91320583MA0000061X"),
        penalty(7, CF_WSH="无"),
        penalty(8, FYZT="复议中"),
        penalty(9, CF_XDR_SHXYM="91320583MA0000061X"),
    ]
    rows = [{**row, "NEW_ONE": "x", "LYSJ": "y"} for row in rows]
    put_file(folder / "in", "XZCF_1.csv", csv_bytes(rows))
    put_file(folder / "in", "XF_1.csv", csv_bytes([relief(1)]))
    facts = facts_of("kunshan")
    before = sorted(path.name for path in folder.rglob("*"))
    report = dry_pull(FilesAdapter(folder, facts), facts, 1_000, TODAY)
    assert sorted(path.name for path in folder.rglob("*")) == before
    assert report["rows"] == {
        "read": 10, "findings": 4, "relief": 1, "waiting": 1, "quarantined": 3, "refused": 1, "duplicates": 0,
    }  # fmt: skip
    assert report["whole"] and report["balanced"] and not report["fine"]
    assert report["refused"] == {"natural_person": 1} and report["waiting"] == {"复议中": 1}
    assert [(one["field"], one["reason"], one["rows"], one["turn"]) for one in report["faults"]] == [
        ("CF_XDR_SHXYM", "outer_check", 2, "source"),
        ("CF_WSH", "placeholder", 1, "source"),
    ]
    assert report["faults"][0]["examples"][0].endswith("(XZCF_1.csv:7)")
    columns = report["columns"]
    assert columns["unknown"] == ["NEW_ONE"] and columns["ignored"] == ["LYSJ"]
    assert {"CF_FRDB", "CF_SY", "BZ"} <= set(columns["never_read"]) and "CF_WSH" in columns["understood"]
    assert report["personal"]["CF_FRDB"] == 9
    assert [sample.get("kind") for sample in report["samples"]] == [None, None, None, "relief.repaired"]
    shown = orjson.dumps(report).decode()
    for secret in (PERSON, PERSON_NUMBER, TELEPHONE, penalty()["CF_WFXW"], penalty()["CF_YJ"]):
        assert secret not in shown


def test_a_clean_source_is_fine_and_an_empty_one_is_not(folder: Path) -> None:
    facts = facts_of("kunshan")
    empty = dry_pull(FilesAdapter(folder, facts), facts, 1_000, TODAY)
    assert empty["rows"]["read"] == 0 and not empty["fine"]
    put_file(folder / "in", "XZCF_1.csv", csv_bytes([penalty(n) for n in range(1, 1300)]))
    report = dry_pull(FilesAdapter(folder, facts), facts, 600, TODAY)
    assert report["fine"] and not report["whole"] and report["rows"]["read"] == 1000


def test_columns_that_nobody_has_are_named(folder: Path) -> None:
    row = penalty()
    del row["CF_YXQ"], row["GSRQ"]
    put_file(folder / "in", "XZCF_1.csv", csv_bytes([{**row, "处罚有效期限": "2029/11/02", "文书号": "x"}]))
    facts = facts_of("kunshan")
    report = dry_pull(FilesAdapter(folder, facts), facts, 1_000, TODAY)
    assert report["absent"] == {"penalty": ["CF_YXQ", "GSRQ"]} and not report["fine"]
    assert report["columns"]["unknown"] == ["处罚有效期限", "文书号"], (
        "shown to who asks; a node keeps only plain names"
    )
    text = facts.model_copy(
        update={"columns": facts.columns.model_copy(update={"aliases": {"处罚有效期限": "CF_YXQ"}})}
    )
    report = dry_pull(FilesAdapter(folder, text), text, 1_000, TODAY)
    assert report["columns"]["renamed"] == {"处罚有效期限": "CF_YXQ"} and report["absent"] == {"penalty": ["GSRQ"]}


def test_reading_for_a_report_waits_for_no_file() -> None:
    facts = facts_of("kunshan")
    assert facts.files is not None
    moving = facts.model_copy(update={"files": facts.files.model_copy(update={"done": "moved"})})
    once = reading_only(moving)
    assert once.files is not None and (once.files.done, once.files.settle_seconds) == ("moved", 0.0)
    assert reading_only(facts_of("taicang")) == facts_of("taicang")


def reasons() -> Iterator[tuple[str, str]]:
    """Every reason code of a fault in the code, with the file it stands in."""
    for path in [*(ROOT / "adapters").glob("*.py"), *(ROOT / "schemas").glob("*.py")]:
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            at = {
                "RowFault": 1,
                "_fault": 1,
                "file_fault": 1,
                "Undecodable": 0,
                "Fault": 0,
                "InvalidIdentifier": 0,
                "InvalidDay": 0,
                "InvalidMoney": 0,
            }
            if name in at and len(node.args) > at[name]:
                for part in ast.walk(node.args[at[name]]):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield part.value, path.name


def test_every_cause_has_a_remedy_and_no_remedy_is_without_a_cause() -> None:
    known = {reason for reason, _ in reasons()} | {"length", "separator", "lower_case", "alphabet", "empty"}
    used = (known | sheets.REFUSED.keys()) - NOT_FOR_ROWS
    assert used - REMEDIES.keys() == {"empty"}, "empty is said as missing at the border"
    assert REMEDIES.keys() - used == {"schema"}
    assert len(known) > 30
    for reason, remedy in REMEDIES.items():
        assert remedy_of(reason) is remedy
        assert len(remedy.english) > 15 and any(letter >= "\u4e00" for letter in remedy.chinese)
    assert REMEDIES.keys() - INCOMPLETE and is_incomplete("missing") and not is_incomplete("outer_check")
    assert remedy_of("something_new").turn == "maintainer"
